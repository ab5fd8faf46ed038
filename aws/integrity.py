"""Answers that end in the middle are failures, not short answers.

botocore does not compare an answer's length with what its header announced, and takes JSON that stops half-way for an answer
without members. A page of jobs that is cut so would count as empty and as the last one: its jobs would never be seen.
"""

from typing import Any

from botocore.exceptions import ConnectionClosedError

# A code that botocore's retries take for a passing failure. Source: botocore.retries.standard.TransientRetryableChecker.
RETRIED = "RequestTimeout"
CUT = {"Error": {"Code": RETRIED, "Message": "trainwatch: the answer was cut off"}}


def refuse_cut_answers(client: Any) -> None:
    """From now on a client retries an answer that is shorter than announced, and in the end raises ConnectionClosedError."""
    client.meta.events.register("before-parse", _mark_if_short)
    client.meta.events.register("after-call", _raise_if_marked)


def _mark_if_short(operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if customized_response_dict:  # read whole already, in `aws.answers`: JSON that is cut is none
        return
    if operation_model.has_streaming_output or operation_model.http.get("method") == "HEAD":
        return
    announced = str(response_dict["headers"].get("content-length", ""))
    if announced.isdigit() and len(response_dict["body"]) < int(announced):
        mark(customized_response_dict)


def mark(customized_response_dict: dict[str, Any]) -> None:
    """Mark the answer as cut off."""
    customized_response_dict.update(CUT)


def is_marked(parsed: dict[str, Any] | None) -> bool:
    """Whether an answer was marked as cut off."""
    return parsed is not None and parsed.get("Error") == CUT["Error"]


def _raise_if_marked(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    if is_marked(parsed):
        raise ConnectionClosedError(endpoint_url=f"{model.service_model.service_id} {model.name}, in the middle of the answer")
