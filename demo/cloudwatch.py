"""CloudWatch over the hosts of the simulated jobs: GetMetricData, GetMetricStatistics, ListMetrics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from demo.books import Books, Entry
from demo.call import Call, Operation, as_list, as_object, as_whole
from demo.errors import AwsError
from demo.hosts import host_sample, hosts, metrics, training_minutes, training_sample
from demo.listing import instant
from demo.pages import Pages

NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"
MOST_QUERIES: Final = 500
RETENTION: Final = ((300, timedelta(days=15)), (3600, timedelta(days=63)), (10**9, timedelta(days=455)))
"""Samples asked for in periods below so many seconds are kept for so long."""
LISTED_FOR: Final = timedelta(days=14)
STATISTICS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}

Json = Mapping[str, object]
Sample = tuple[datetime, float]


class CloudWatch:
    """The operations that read metrics; nothing can be put."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._listed: Pages[dict[str, object]] = Pages()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "GetMetricData": self.get_metric_data,
            "GetMetricStatistics": self.get_metric_statistics,
            "ListMetrics": self.list_metrics,
        }

    def get_metric_data(self, call: Call) -> Json:
        """GetMetricData of plain metrics; an expression finds nothing."""
        queries = [one for one in as_list(call.body.get("MetricDataQueries")) if isinstance(one, Mapping)]
        if len(queries) > MOST_QUERIES:
            raise AwsError("ValidationError", f"The collection MetricDataQueries must not have a size over {MOST_QUERIES}.")
        ascending = call.text("ScanBy") == "TimestampAscending"
        return {"MetricDataResults": [self._result(one, call, ascending) for one in queries], "Messages": []}

    def get_metric_statistics(self, call: Call) -> Json:
        """GetMetricStatistics of one metric."""
        period = as_whole(call.body.get("Period"), 60)
        wanted = [str(one) for one in as_list(call.body.get("Statistics"))]
        buckets = self._buckets(call.body, period, call)
        points = [
            {"Timestamp": at, "Unit": "Percent", **{name: _statistic(name)(values) for name in wanted}} for at, values in buckets.items()
        ]
        return {"Label": call.text("MetricName"), "Datapoints": points}

    def list_metrics(self, call: Call) -> Json:
        """ListMetrics: what has had a sample in the last two weeks, 500 to a page."""
        if call.text("NextToken"):
            page, token, _ = self._listed.following(call.text("NextToken"), 500)
        else:
            page, token = self._listed.first([one for one in self._metrics(call) if _passes(one, call)], 500)
        said: dict[str, object] = {"Metrics": list(page)}
        return said if token is None else said | {"NextToken": token}

    def _result(self, query: Json, call: Call, ascending: bool) -> dict[str, object]:
        stat = as_object(query.get("MetricStat"))
        metric = as_object(stat.get("Metric"))
        statistic = _statistic(str(stat.get("Stat", "Average")))
        points = [(at, statistic(values)) for at, values in self._buckets(metric, as_whole(stat.get("Period"), 60), call).items()]
        points.sort(reverse=not ascending)
        return {
            "Id": query.get("Id"),
            "Label": query.get("Label") or metric.get("MetricName") or "",
            "Timestamps": [at for at, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }

    def _buckets(self, metric: Json, period: int, call: Call) -> dict[datetime, list[float]]:
        start, end = instant(call.body.get("StartTime")), instant(call.body.get("EndTime"))
        if start is None or end is None or start >= end:
            raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        kept = next(age for below, age in RETENTION if period < below)
        begin = max(_floor(start, period), _floor(call.now - kept, period))
        buckets: dict[datetime, list[float]] = {}
        for at, value in self._samples(metric, begin, min(end, call.now), call):
            buckets.setdefault(_floor(at, period), []).append(value)
        return buckets

    def _samples(self, metric: Json, start: datetime, end: datetime, call: Call) -> Iterator[Sample]:
        name = str(metric.get("MetricName"))
        dimensions = [as_object(one) for one in as_list(metric.get("Dimensions"))]
        if metric.get("Namespace") != NAMESPACE or len(dimensions) != 1:
            return
        dimension, value = str(dimensions[0].get("Name")), str(dimensions[0].get("Value"))
        job, _, host = value.partition("/algo-")
        entry = self._books.shard(call.account, call.region).find(job, call.now)
        if entry is None or entry.plan.behaviour == "silent":
            return
        if dimension == "Host" and host.isdigit():
            yield from _host_samples(entry, int(host), name, start, end)
        elif dimension == "TrainingJobName" and name in dict(entry.plan.algorithm.metrics):
            yield from _training_samples(entry, name, start, end)

    def _metrics(self, call: Call) -> Iterator[dict[str, object]]:
        since = call.now - LISTED_FOR
        for entry in self._books.shard(call.account, call.region).existing(call.now):
            started = entry.life.started_at
            if started is None or started > call.now or entry.life.ended_at < since or entry.plan.behaviour == "silent":
                continue
            for number, instance_type in enumerate(hosts(entry.plan), 1):
                for name in metrics(instance_type):
                    yield _listed(name, "Host", f"{entry.plan.name}/algo-{number}")
            for name, _ in entry.plan.algorithm.metrics:
                yield _listed(name, "TrainingJobName", entry.plan.name)


def _host_samples(entry: Entry, host: int, name: str, start: datetime, end: datetime) -> Iterator[Sample]:
    types = hosts(entry.plan)
    if not 1 <= host <= len(types) or name not in metrics(types[host - 1]):
        return
    for minute in training_minutes(entry.life, start, end):
        yield minute, host_sample(entry.plan, entry.life, host, name, minute)


def _training_samples(entry: Entry, name: str, start: datetime, end: datetime) -> Iterator[Sample]:
    for minute in training_minutes(entry.life, start, end):
        value = training_sample(entry.plan, entry.life, name, minute)
        if value is not None:
            yield minute, value


def _listed(name: str, dimension: str, value: str) -> dict[str, object]:
    return {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": [{"Name": dimension, "Value": value}]}


def _passes(metric: Json, call: Call) -> bool:
    if call.text("Namespace") not in ("", NAMESPACE) or call.text("MetricName") not in ("", metric["MetricName"]):
        return False
    has = as_list(metric["Dimensions"])
    for asked in as_list(call.body.get("Dimensions")):
        wanted = as_object(asked)
        if not any(as_object(one).items() >= wanted.items() for one in has):
            return False
    return True


def _statistic(name: str) -> Callable[[Sequence[float]], float]:
    if name not in STATISTICS:
        raise AwsError("ValidationError", f"The simulated account has no statistic {name}")
    return STATISTICS[name]


def _floor(at: datetime, period: int) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % period, UTC)
