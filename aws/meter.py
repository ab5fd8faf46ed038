"""The meter: how many AWS calls we make ourselves, how many fail, and what they cost."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple

from aws.integrity import is_marked

# Nano-dollars a unit. SageMaker's, the Price List's and STS's calls are free.
# Source: the pricing pages of CloudWatch ($0.01 per 1 000 metrics), Cost Explorer ($0.01 a request), S3 ($0.005 per 1 000 LIST, PUT
# and POST, $0.0004 per 1 000 others, DELETE and CANCEL free; of us-east-1, within some percent of what other regions take).
_COST_EXPLORER_REQUEST = 10_000_000
_METRIC = 10_000
_S3_LIST, _S3_OTHER = 5_000, 400
_S3_LISTED = ("List", "Put", "Copy", "Post", "Create", "Complete", "Upload")
_S3_FREE = ("Delete", "Abort")
_PERMISSION_NAMES = {"monitoring": "cloudwatch"}  # calls are counted under the names that permissions have
_METRICS_ASKED = "trainwatch_metrics"


class Count(NamedTuple):
    """Calls of one operation (`service:Operation`), how many of them failed, and what they cost."""

    operation: str
    calls: int
    errors: int
    cost_nusd: int


def price_nusd(service: str, operation: str, metrics: int) -> int:
    """What one call costs in nano-dollars; `metrics` is how many GetMetricData asked for."""
    if service == "ce":
        return _COST_EXPLORER_REQUEST
    if service == "cloudwatch" and operation == "GetMetricData":
        return metrics * _METRIC
    if service != "s3" or operation.startswith(_S3_FREE):
        return 0
    return _S3_LIST if operation.startswith(_S3_LISTED) else _S3_OTHER


class Meter:
    """Counts every HTTP attempt of the clients it is attached to, the retried and the failed ones too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, tuple[int, int, int]] = {}

    def attach(self, client: Any) -> None:
        """Count this client's calls from now on."""
        service = client.meta.service_model.endpoint_prefix.removeprefix("api.")
        service = _PERMISSION_NAMES.get(service, service)
        events = client.meta.events
        events.register("before-parameter-build", _note_metrics)
        events.register("response-received", self._counter(service))

    def _counter(self, service: str) -> Callable[..., None]:
        def count(
            event_name: str,
            response_dict: Mapping[str, Any] | None,
            parsed_response: dict[str, Any] | None,
            context: Mapping[str, Any],
            **_: Any,
        ) -> None:
            operation = event_name.rpartition(".")[2]
            answered = response_dict is not None
            is_error = response_dict is None or response_dict["status_code"] >= 300 or is_marked(parsed_response)
            cost = price_nusd(service, operation, context.get(_METRICS_ASKED, 0)) if answered else 0
            self._add(f"{service}:{operation}", int(is_error), cost)

        return count

    def _add(self, operation: str, errors: int, cost_nusd: int) -> None:
        with self._lock:
            before = self._counts.get(operation, (0, 0, 0))
            self._counts[operation] = (before[0] + 1, before[1] + errors, before[2] + cost_nusd)

    def read(self) -> list[Count]:
        """What was counted since the meter was made, by operation."""
        with self._lock:
            return [Count(operation, *counts) for operation, counts in sorted(self._counts.items())]


def since(earlier: list[Count], later: list[Count]) -> list[Count]:
    """What was counted between two readings."""
    before = {count.operation: count for count in earlier}
    differences = []
    for count in later:
        base = before.get(count.operation, Count(count.operation, 0, 0, 0))
        if count.calls > base.calls:
            parts = (count.calls - base.calls, count.errors - base.errors, count.cost_nusd - base.cost_nusd)
            differences.append(Count(count.operation, *parts))
    return differences


def _note_metrics(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    queries = params.get("MetricDataQueries")
    if isinstance(queries, (list, tuple)):
        context[_METRICS_ASKED] = len(queries)
