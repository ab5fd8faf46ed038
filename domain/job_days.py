"""Which UTC days a job's money and time belong to.

A cost belongs to the days in which the job's instances ran, in proportion to the instance time in each, with the rounding
residue on the last day: the days of a job always add up to the job, to the nano-dollar. Warm-pool money falls on the
day of the job's end.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from domain.cost import CostBreakdown, GroupCost
from domain.money import shares
from domain.training_job import Interval, TrainingJob

_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


class JobDay(NamedTuple):
    """One UTC day of one instance type of a job.

    `started` marks the job's first day, `primary` the one instance type by which the job is counted when nobody asks by
    instance type. `instance_seconds` are training seconds × instances; money is None-free: an unpriced job has zeros here
    and `unpriced` set.
    """

    day: date
    instance_type: str
    primary: bool
    started: bool
    unpriced: bool
    instance_seconds: int
    compute_nusd: int
    warm_pool_nusd: int
    storage_nusd: int
    spot_savings_nusd: int
    plan_covered_nusd: int
    effective_nusd: int


def day_weights(intervals: Sequence[Interval]) -> dict[date, int]:
    """Milliseconds of the intervals in each UTC day they touch, in order of days; empty for no time at all."""
    weights: dict[date, int] = {}
    for start, end in intervals:
        moment = start
        while moment < end:
            midnight = datetime.combine(moment.date() + _DAY, time(), UTC)
            until = min(end, midnight)
            weights[moment.date()] = weights.get(moment.date(), 0) + (until - moment) // _MILLISECOND
            moment = until
    return dict(sorted(weights.items()))


def ended_intervals(job: TrainingJob) -> list[Interval]:
    """When an ended job's instances ran.

    A job billed for time that its stamps do not show (no start, or a start equal to the end) gets that time right
    before its end, so that its money has a day.
    """
    end = job.ended_at or job.last_modified_at or job.created_at
    assert end is not None  # noqa: S101 - `training_job_from` always finds a creation time
    intervals = job.running_intervals(end)
    seconds = job.training_seconds or job.billable_seconds or 0
    if not intervals and seconds:
        return [Interval(end - timedelta(seconds=seconds), end)]
    return intervals


def job_days(job: TrainingJob, cost: CostBreakdown) -> list[JobDay]:
    """The days of an ended job, one row per day and instance type; none for a job that never ran or still lives."""
    if job.is_live:
        return []
    weights = day_weights(ended_intervals(job))
    if not weights:
        return []
    days, spread = list(weights), list(weights.values())
    unpriced = cost.basis == "unpriced"
    end_day = job.ended_at.astimezone(UTC).date() if job.ended_at else days[-1]
    rows: list[JobDay] = []
    for index, group in enumerate(merged_groups(cost.groups) or [GroupCost("none", 0, None, None, None, None, None, None)]):
        amounts = [cost.compute_nusd or 0] if not cost.groups else [group.compute_nusd or 0]
        parts = [
            shares(amount, spread)
            for amount in (
                cost.seconds * group.instances,
                *amounts,
                group.storage_nusd or 0,
                group.spot_savings_nusd or 0,
                group.plan_covered_nusd or 0,
                group.effective_nusd or 0 if cost.groups else cost.effective_nusd or 0,
            )
        ]
        for at, day in enumerate(days):
            seconds, compute, storage, saved, covered, effective = (part[at] for part in parts)
            rows.append(
                JobDay(
                    day,
                    group.instance_type,
                    index == 0,
                    at == 0,
                    unpriced,
                    seconds,
                    compute,
                    0,
                    storage,
                    saved,
                    covered,
                    effective,
                )
            )
    return _with_warm_pool(rows, cost, end_day)


def _with_warm_pool(rows: list[JobDay], cost: CostBreakdown, end_day: date) -> list[JobDay]:
    """The warm pool's money on the day of the end; a heterogeneous cluster has no warm pool, so the first type bears it."""
    if not cost.warm_pool_nusd:
        return rows
    last = max(row.day for row in rows)
    day = end_day if any(row.day == end_day for row in rows) else last
    warm_effective = (cost.effective_nusd or 0) - sum(group.effective_nusd or 0 for group in cost.groups)
    return [
        row._replace(warm_pool_nusd=cost.warm_pool_nusd, effective_nusd=row.effective_nusd + warm_effective)
        if row.primary and row.day == day
        else row
        for row in rows
    ]


def merged_groups(groups: Sequence[GroupCost]) -> list[GroupCost]:
    """The groups with those of one instance type put together, in order of first appearance."""
    merged: dict[str, GroupCost] = {}
    for group in groups:
        other = merged.get(group.instance_type)
        merged[group.instance_type] = group if other is None else _sum(other, group)
    return list(merged.values())


def _sum(one: GroupCost, two: GroupCost) -> GroupCost:
    amounts = [None if a is None or b is None else a + b for a, b in zip(one[3:], two[3:], strict=True)]
    return GroupCost(one.instance_type, one.instances + two.instances, one.rate_nusd, *amounts)
