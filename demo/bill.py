"""What the simulated jobs put on the bill, line by line and day by day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from demo.books import Entry
from demo.lifecycle import ended_life
from demo.prices import STORAGE, Price, prefix, rates, storage_rate

DELAY: Final = timedelta(days=1)
HOUR: Final = Decimal(3600)
HOURS_PER_MONTH: Final = Decimal(730)
NVME_FAMILIES: Final = frozenset({"g4dn", "g5", "g6", "g6e", "g7e", "p3dn", "p4d", "p4de", "p5", "trn1"})
"""Instances that bring their own disks, for which no volume is billed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One usage type of one job on one UTC day."""

    on: date
    account: str
    region: str
    usage_type: str
    instance_type: str
    unit: str
    quantity: Decimal
    usd: Decimal
    tags: Mapping[str, str]


def lines(entries: Sequence[Entry], prices: Sequence[Price], now: datetime) -> Iterator[Line]:
    """The bill so far: what was used until a day ago. Jobs paid for otherwise, or without a price, have no line."""
    known = rates(prices)
    for entry in entries:
        if entry.plan.training_plan_arn is None and entry.plan.created_at < now - DELAY:
            yield from _compute(entry, known, now - DELAY)
            yield from _warm_pool(entry, known, now - DELAY)


def _compute(entry: Entry, known: Mapping[tuple[str, str], Decimal], until: datetime) -> Iterator[Line]:
    plan = entry.plan
    facts = ended_life(plan, entry.life)
    if not facts.training_seconds:
        return
    # A spot job's seconds are billed in the proportion that its whole life will have been.
    share = Decimal(facts.billable_seconds or 0) / Decimal(facts.training_seconds)
    for on, seconds in _days(facts.intervals, until):
        for group in plan.cluster.groups:
            rate = known.get((group.instance_type, plan.region))
            if rate is not None:
                hours = seconds * share * group.count / HOUR
                yield _line(entry, on, "TrSpt" if plan.spot else "Train", group.instance_type, hours, rate)
            if group.instance_type.split(".")[1] not in NVME_FAMILIES:
                months = seconds * group.count * plan.volume_gb / HOUR / HOURS_PER_MONTH
                yield _volume(entry, on, months)


def _warm_pool(entry: Entry, known: Mapping[tuple[str, str], Decimal], until: datetime) -> Iterator[Line]:
    pool = entry.plan.warm_pool
    if pool is None or entry.life.started_at is None:
        return
    kept = (entry.life.ended_at, entry.life.ended_at + timedelta(seconds=pool.retained_seconds))
    for on, seconds in _days([kept], until):
        for group in entry.plan.cluster.groups:
            rate = known.get((group.instance_type, entry.plan.region))
            if rate is not None:
                yield _line(entry, on, "TrainWarmPool", group.instance_type, seconds * group.count / HOUR, rate)


def _days(intervals: Sequence[tuple[datetime, datetime]], until: datetime) -> Iterator[tuple[date, Decimal]]:
    """Whole seconds of the intervals on each UTC day, up to `until`."""
    for start, end in intervals:
        at, last = start.replace(microsecond=0), min(end, until).replace(microsecond=0)
        while at < last:
            midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
            stop = min(midnight, last)
            yield at.date(), Decimal(int((stop - at).total_seconds()))
            at = stop


def _line(entry: Entry, on: date, kind: str, instance_type: str, hours: Decimal, rate: Decimal) -> Line:
    plan = entry.plan
    usage_type = f"{prefix(plan.region)}-{kind}:{instance_type}"
    return Line(on, plan.account, plan.region, usage_type, instance_type, "Hrs", hours, hours * rate, entry.tags)


def _volume(entry: Entry, on: date, months: Decimal) -> Line:
    plan = entry.plan
    usage_type = f"{prefix(plan.region)}-Train:{STORAGE}"
    usd = months * storage_rate(plan.region)
    return Line(on, plan.account, plan.region, usage_type, "", "GB-Mo", months, usd, entry.tags)
