"""The samples that CloudWatch has of the simulated jobs, with the faults that their plans give them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from demo.books import Books, Entry
from demo.call import Call, as_list, as_object
from demo.curves import training_samples
from demo.errors import AwsError
from demo.hosts import host_samples, hosts, metrics, training_minutes

NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"
RETENTION: Final = ((300, timedelta(days=15)), (3600, timedelta(days=63)), (10**9, timedelta(days=455)))
"""Samples asked for in periods below so many seconds are kept for so long."""
LATE_BY: Final = timedelta(minutes=10)
MISSING_EVERY: Final = 3
NAN_EVERY: Final = 7
NAN: Final = "NaN"
"""How AWS's JSON protocol spells it, for JSON has no such number; boto3 hands the string on. CloudWatch itself never has one."""
MINUTE: Final = 60
STATISTICS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}


class Series(NamedTuple):
    """Points of one metric, in order of time unless a fault has it otherwise; `times` are seconds since 1970."""

    times: Sequence[int]
    values: Sequence[float | str]


class Samples:
    """What can be asked of the jobs' metrics."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def buckets(self, metric: Mapping[str, object], period: int, window: tuple[datetime, datetime], call: Call) -> dict[int, list[float]]:
        """The samples of a metric by the period they fall in; none that are no longer kept."""
        start, end = window
        kept = next(age for below, age in RETENTION if period < below)
        begin = max(_floor(start, period), _floor(call.now - kept, period))
        minutes, values = self._read(metric, datetime.fromtimestamp(begin, call.now.tzinfo), min(end, call.now), call)
        if period == MINUTE:
            return {minute * MINUTE: [value] for minute, value in zip(minutes, values, strict=True)}
        buckets: dict[int, list[float]] = {}
        for minute, value in zip(minutes, values, strict=True):
            buckets.setdefault(minute * MINUTE // period * period, []).append(value)
        return buckets

    def series(self, metric: Mapping[str, object], period: int, name: str, window: tuple[datetime, datetime], call: Call) -> Series:
        """The points of one statistic of a metric, faults and all."""
        count = statistic(name)
        buckets = self.buckets(metric, period, window, call)
        times = list(buckets)
        values = [one[0] for one in buckets.values()] if period == MINUTE and count is not len else [count(one) for one in buckets.values()]
        entry = self._entry(metric, call)
        return Series(times, values) if entry is None else _faulty(Series(times, values), entry, metric)

    def _read(self, metric: Mapping[str, object], start: datetime, end: datetime, call: Call) -> tuple[Sequence[int], Sequence[float]]:
        entry = self._entry(metric, call)
        if entry is None or entry.plan.behaviour == "silent":
            return [], []
        faults, name = entry.plan.metric_faults, str(metric.get("MetricName"))
        minutes = training_minutes(entry.life, start, min(end, call.now - LATE_BY) if "late" in faults else end)
        if "missing" in faults:
            minutes = [minute for minute in minutes if minute % MISSING_EVERY]
        host = _host(metric)
        if host is None:
            known = name in dict(entry.plan.algorithm.metrics)
            return training_samples(entry.plan, entry.life, name, minutes) if known else ([], [])
        types = hosts(entry.plan)
        if not 1 <= host <= len(types) or name not in metrics(types[host - 1]):
            return [], []
        return minutes, host_samples(entry.plan, entry.life, host, name, minutes)

    def _entry(self, metric: Mapping[str, object], call: Call) -> Entry | None:
        dimension = _dimension(metric)
        if dimension is None:
            return None
        return self._books.shard(call.account, call.region).find(dimension[1].partition("/algo-")[0], call.now)


def statistic(name: str) -> Callable[[Sequence[float]], float]:
    """The statistic of that name; a ValidationError for one that the simulated account does not have."""
    if name not in STATISTICS:
        raise AwsError("ValidationError", f"The simulated account has no statistic {name}")
    return STATISTICS[name]


def _dimension(metric: Mapping[str, object]) -> tuple[str, str] | None:
    """The metric's only dimension, where it is one of ours that is well formed."""
    dimensions = [as_object(one) for one in as_list(metric.get("Dimensions"))]
    if metric.get("Namespace") != NAMESPACE or len(dimensions) != 1:
        return None
    name, value = str(dimensions[0].get("Name")), str(dimensions[0].get("Value"))
    _, host, number = value.partition("/algo-")
    fits = number.isdigit() if name == "Host" else name == "TrainingJobName" and not host
    return (name, value) if fits else None


def _host(metric: Mapping[str, object]) -> int | None:
    """The number of the host that the metric is of; None for a metric of the whole job."""
    dimension = _dimension(metric)
    return int(dimension[1].partition("/algo-")[2]) if dimension is not None and dimension[0] == "Host" else None


def _faulty(series: Series, entry: Entry, metric: Mapping[str, object]) -> Series:
    times, values = series
    faults = entry.plan.metric_faults
    # A loss that is not a number is no fault of the samples but the truth about the job.
    if "nan" in faults and _host(metric) is not None:
        values = [NAN if (time // MINUTE) % NAN_EVERY == 0 else value for time, value in zip(times, values, strict=True)]
    if "duplicated" in faults:
        times, values = [time for time in times for _ in range(2)], [value for value in values for _ in range(2)]
    if "out_of_order" in faults:
        order = Random(entry.plan.name).sample(range(len(times)), len(times))
        times, values = [times[one] for one in order], [values[one] for one in order]
    return Series(times, values)


def _floor(at: datetime, period: int) -> int:
    seconds = int(at.timestamp())
    return seconds - seconds % period
