"""Descriptions of training jobs as AWS sent them: every member, known to botocore or not, and none that can spoil the others.

botocore's parser drops members that its model does not know, raises for a whole page when one member is of another type,
and takes most of the time of a page of Search.
"""

from typing import Any

import orjson

from aws.timestamps import timestamp_from

WHOLE = ("Search", "DescribeTrainingJob")
TIMES = frozenset(
    {"CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime", "StartTime", "EndTime", "Timestamp"}
)


def keep_whole(client: Any) -> None:
    """From now on a SageMaker client answers these operations with all that AWS sent; times are aware datetimes."""
    for operation in WHOLE:
        client.meta.events.register(f"before-parse.sagemaker.{operation}", _read)


def _read(operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Reads the body in botocore's stead; errors, and anything that is not JSON, are left to it."""
    if response_dict["status_code"] != 200 or operation_model.service_model.resolved_protocol != "json":
        return
    try:
        answer = orjson.loads(response_dict["body"])
    except orjson.JSONDecodeError:
        return
    if isinstance(answer, dict):
        customized_response_dict.update(whole(answer))
        response_dict["body"] = b"{}"


def whole(structure: dict[str, Any]) -> dict[str, Any]:
    """The structure with times as datetimes at any depth, and without the members that are null, as botocore leaves them out."""
    kept = {}
    for name, value in structure.items():
        kind = type(value)
        if kind is dict:
            kept[name] = whole(value)
        elif kind is list:
            kept[name] = [whole(item) if type(item) is dict else item for item in value]
        elif name in TIMES:
            if value is not None:
                kept[name] = timestamp_from(value)
        elif value is not None:
            kept[name] = value
    return kept
