"""CloudWatch over the hosts of the simulated jobs: GetMetricData, GetMetricStatistics, ListMetrics."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from demo.books import Books
from demo.call import Call, Operation, as_list, as_object, as_whole
from demo.errors import AwsError
from demo.hosts import hosts, metrics
from demo.listing import instant
from demo.pages import Pages
from demo.samples import NAMESPACE, Samples, Series, statistic

MOST_QUERIES: Final = 500
MOST_DATAPOINTS: Final = 100_800
LISTED_FOR: Final = timedelta(days=14)

Json = Mapping[str, object]


class Position(NamedTuple):
    """Where the next page of GetMetricData begins: at which point of which query, of the answer as it was at `now`."""

    now: datetime
    query: int = 0
    point: int = 0


class CloudWatch:
    """The operations that read metrics; nothing can be put."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._samples = Samples(books)
        self._listed: Pages[dict[str, object]] = Pages()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "GetMetricData": self.get_metric_data,
            "GetMetricStatistics": self.get_metric_statistics,
            "ListMetrics": self.list_metrics,
        }

    def get_metric_data(self, call: Call) -> Json:
        """GetMetricData of plain metrics, MaxDatapoints to a page; an expression finds nothing."""
        queries = [one for one in as_list(call.body.get("MetricDataQueries")) if isinstance(one, Mapping)]
        if len(queries) > MOST_QUERIES:
            raise AwsError("ValidationError", f"The collection MetricDataQueries must not have a size over {MOST_QUERIES}.")
        room, at = _page_size(call), _position(call)
        asked = replace(call, now=at.now)
        results: list[dict[str, object]] = []
        for number in range(at.query, len(queries)):
            series = self._series(queries[number], asked)
            begin = at.point if number == at.query else 0
            end = min(begin + room, len(series.times))
            whole = end == len(series.times)
            if whole or end > begin:
                results.append(_result(queries[number], series, begin, end, "Complete" if whole else "PartialData"))
            if not whole:
                return {"MetricDataResults": results, "Messages": [], "NextToken": _token(Position(at.now, number, end))}
            room -= end - begin
        return {"MetricDataResults": results, "Messages": []}

    def get_metric_statistics(self, call: Call) -> Json:
        """GetMetricStatistics of one metric."""
        period = as_whole(call.body.get("Period"), 60)
        wanted = [str(one) for one in as_list(call.body.get("Statistics"))]
        buckets = self._samples.buckets(call.body, period, _window(call), call)
        points = [
            {"Timestamp": at, "Unit": "Percent", **{name: statistic(name)(values) for name in wanted}} for at, values in buckets.items()
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

    def _series(self, query: Json, call: Call) -> Series:
        stat = as_object(query.get("MetricStat"))
        period, name = as_whole(stat.get("Period"), 60), str(stat.get("Stat", "Average"))
        found = self._samples.series(as_object(stat.get("Metric")), period, name, _window(call), call)
        return found if call.text("ScanBy") == "TimestampAscending" else Series(found.times[::-1], found.values[::-1])

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


def _result(query: Json, series: Series, begin: int, end: int, status: str) -> dict[str, object]:
    metric = as_object(as_object(query.get("MetricStat")).get("Metric"))
    return {
        "Id": query.get("Id"),
        "Label": query.get("Label") or metric.get("MetricName") or "",
        "Timestamps": series.times[begin:end],
        "Values": series.values[begin:end],
        "StatusCode": status,
    }


def _window(call: Call) -> tuple[datetime, datetime]:
    start, end = instant(call.body.get("StartTime")), instant(call.body.get("EndTime"))
    if start is None or end is None or start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def _page_size(call: Call) -> int:
    asked = as_whole(call.body.get("MaxDatapoints"), MOST_DATAPOINTS)
    if asked < 1:
        raise AwsError("ValidationError", "The parameter MaxDatapoints must be greater than or equal to 1.")
    return min(asked, MOST_DATAPOINTS)


def _token(position: Position) -> str:
    return base64.urlsafe_b64encode(f"demo:{position.now.timestamp()!r}:{position.query}:{position.point}".encode()).decode()


def _position(call: Call) -> Position:
    token = call.text("NextToken")
    if not token:
        return Position(call.now)
    try:
        word, now, query, point = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        if word == "demo":
            return Position(datetime.fromtimestamp(float(now), UTC), int(query), int(point))
    except (ValueError, binascii.Error):
        pass
    raise AwsError("InvalidNextToken", "The next token specified is invalid.")


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
