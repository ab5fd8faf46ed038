"""Descriptions of training jobs as AWS sent them: every member, known to botocore or not, and none that can spoil the others.

botocore's parser drops members that its model does not know, raises for a whole page when one member is of another type,
and takes most of the time of a page of Search.
"""

from typing import Any

import orjson

from aws.integrity import mark
from aws.timestamps import timestamp_from

WHOLE = ("Search", "DescribeTrainingJob")
TIMES = frozenset({"CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime", "StartTime", "EndTime", "Timestamp"})
_TIMELESS = frozenset({"Tags", "InputDataConfig"})  # lists that hold no times, and are long


def keep_whole(client: Any) -> None:
    """From now on a SageMaker client answers these operations with all that AWS sent; times are aware datetimes."""
    for operation in WHOLE:
        client.meta.events.register(f"before-parse.sagemaker.{operation}", _read)


def _read(operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Reads the body in botocore's stead; errors, and anything that is not an object, are left to it."""
    if response_dict["status_code"] != 200 or operation_model.service_model.resolved_protocol != "json":
        return
    try:
        answer = orjson.loads(response_dict["body"])
    except orjson.JSONDecodeError:
        mark(customized_response_dict)
        return
    if not isinstance(answer, dict):
        return
    if operation_model.name == "Search":
        answer["Results"] = [{"TrainingJob": with_times(job)} for job in _jobs_in(answer)]
    else:
        with_times(answer)
    customized_response_dict.update(answer)
    response_dict["body"] = b"{}"


def _jobs_in(answer: dict[str, Any]) -> list[dict[str, Any]]:
    results = answer.get("Results") or []
    jobs = [result.get("TrainingJob") for result in results if isinstance(result, dict)]
    return [job for job in jobs if isinstance(job, dict)]


def with_times(job: dict[str, Any]) -> dict[str, Any]:
    """The same description with times as datetimes, at the top and in its lists, and without members that are null."""
    nulls = []
    for name, value in job.items():
        if value is None:
            nulls.append(name)
        elif name in TIMES:
            job[name] = timestamp_from(value)
        elif type(value) is list and name not in _TIMELESS:
            for item in value:
                if type(item) is dict:
                    for inner in TIMES & item.keys():
                        if item[inner] is not None:
                            item[inner] = timestamp_from(item[inner])
    for name in nulls:
        del job[name]
    return job
