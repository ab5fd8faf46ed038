"""What leftovers cost a month, by team and kind, now and on days before."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from domain.leftovers import Kind
from domain.storage_prices import classes_nusd, is_estimated
from storage.leftovers import buckets_known, leftovers_found
from storage.schema_objects import leftover_days

AGES = (14, 30, 90)  # days, between the bands of age that pages show


class LeftoverMonth(NamedTuple):
    """What one team's leftovers of a kind take, and cost a month in nano-dollars as far as prices are known.

    `unpriced_bytes` are those whose region or storage class has no known price; `is_estimated` says that some price is an estimate.
    `by_age` divides the cost by the age of the newest
    object of each prefix: below each of AGES days, above the last of them, and last of all where the age is not known.
    """

    team: str
    kind: Kind
    objects: int
    bytes: int
    nusd_per_month: int
    unpriced_bytes: int
    by_age: tuple[int, ...]
    is_estimated: bool

    @property
    def known_nusd(self) -> int | None:
        """What it costs as far as that is known; None where nothing of it has a price."""
        return None if self.unpriced_bytes and not self.nusd_per_month else self.nusd_per_month


def leftover_months(connection: Connection, now: datetime) -> list[LeftoverMonth]:
    """Everything that the inventory found, the dearest first; models too, which never go."""
    buckets = buckets_known(connection)
    sums: dict[tuple[str, Kind], list[int]] = {}
    estimated: set[tuple[str, Kind]] = set()
    for one in leftovers_found(connection):
        bucket = buckets.get(one.bucket)
        cost, unpriced = classes_nusd(one.classes, bucket.region if bucket else None)
        row = sums.setdefault((one.team, one.kind), [0] * (4 + len(AGES) + 2))
        if is_estimated(one.classes, bucket.region if bucket else None):
            estimated.add((one.team, one.kind))
        for column, more in enumerate((one.objects, one.bytes, cost, unpriced)):
            row[column] += more
        row[4 + _band(one.newest_at, now)] += cost
    found = [
        LeftoverMonth(team, kind, objects, size, cost, unpriced, tuple(by_age), (team, kind) in estimated)
        for (team, kind), (objects, size, cost, unpriced, *by_age) in sums.items()
    ]
    return sorted(found, key=lambda one: (-one.nusd_per_month, one.team, one.kind))


def _band(newest_at: datetime | None, now: datetime) -> int:
    return len(AGES) + 1 if newest_at is None else bisect_right(AGES, (now - newest_at).days)


def record_leftover_day(connection: Connection, now: datetime) -> None:
    """Writes down what leftovers take today, by team; the last look of a day counts."""
    sums: dict[str, list[int]] = {}
    for one in leftover_months(connection, now):
        if one.kind != "artifacts":
            row = sums.setdefault(one.team, [0, 0])
            row[0], row[1] = row[0] + one.bytes, row[1] + one.nusd_per_month
    day = now.date()
    connection.execute(delete(leftover_days).where(leftover_days.c.day == day))
    # A day on which nothing was left is a day looked at.
    totals = sums or {"": [0, 0]}
    rows = [{"day": day, "team": team, "bytes": size, "nusd_per_month": cost} for team, (size, cost) in totals.items()]
    connection.execute(insert(leftover_days), rows)


def leftovers_since(connection: Connection, day: date, teams: Sequence[str] = ()) -> tuple[date, int] | None:
    """What leftovers (of the teams) cost a month on a day, or where nobody looked by then on the first day after it that anybody did.

    With the day it is of; None where that is the newest day there is, so that there is nothing to compare.
    """
    table = leftover_days.c
    first = connection.scalar(select(func.max(table.day)).where(table.day <= day)) or connection.scalar(select(func.min(table.day)))
    if first is None or first == connection.scalar(select(func.max(table.day))):
        return None
    cost = leftovers_on(connection, first, teams)
    return None if cost is None else (first, cost)


def leftovers_on(connection: Connection, day: date, teams: Sequence[str] = ()) -> int | None:
    """What leftovers (of the teams) cost a month on the last day looked at up to the given one; None where nobody looked by then."""
    table = leftover_days.c
    last = connection.scalar(select(func.max(table.day)).where(table.day <= day))
    if last is None:
        return None
    statement = select(func.sum(table.nusd_per_month)).where(table.day == last)
    if teams:
        statement = statement.where(table.team.in_(teams))
    return int(connection.scalar(statement) or 0)
