"""A living workload: the same seed gives the same jobs on the same calendar day, whenever it is asked for.

To them come the jobs that are in trouble, which are made for the hour in which somebody asks.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from math import exp, floor
from random import Random
from typing import Final

from demo.bulk import bulk, live
from demo.catalog import ROWS, WEEK, Row
from demo.job import job
from demo.oddities import ODDITIES
from demo.plan import JobPlan
from demo.teams import TEAMS
from demo.troubles import troubles

__all__ = ["TEAMS", "bulk", "live", "ordinary", "workload"]

DAYS: Final = 90
ORDINARY_JOBS: Final = 1500
"""How many jobs the catalogue and the oddities make in 90 days when nothing is scaled."""
ODDITY_EVERY_DAYS: Final = 16
RAREST_DAYS: Final = 40
"""No oddity is rarer, so that every stretch of 90 days has each of them."""


def workload(seed: int, jobs: int, now: datetime, days: int = DAYS, ahead_days: int = 7) -> list[JobPlan]:
    """The plans of the ordinary workload and of the jobs that are in trouble at `now`, oldest first."""
    plans = ordinary(seed, jobs, now, days, ahead_days) + troubles(now)
    return sorted(plans, key=lambda plan: (plan.created_at, plan.name))


def ordinary(seed: int, jobs: int, now: datetime, days: int = DAYS, ahead_days: int = 7) -> list[JobPlan]:
    """The plans of about `jobs` jobs per 90 days, from `days` before `now` until `ahead_days` after it, day by day."""
    today = now.astimezone(UTC).date()
    scale = jobs / ORDINARY_JOBS
    return [plan for offset in range(-days, ahead_days + 1) for plan in day_jobs(seed, today + timedelta(days=offset), scale)]


def day_jobs(seed: int, day: date, scale: float = 1.0) -> list[JobPlan]:
    """The jobs created on one UTC day."""
    plans: list[JobPlan] = []
    for number, row in enumerate(ROWS):
        plans += _row_jobs(seed, day, number, row, scale)
    every = max(1, min(RAREST_DAYS, round(ODDITY_EVERY_DAYS / scale)))
    for number, oddity in enumerate(ODDITIES):
        if (day.toordinal() + number * 7) % every == 0:
            at = datetime.combine(day, time((5 + number * 5) % 24, number, 7), UTC)
            plans += oddity(at, Random(f"{seed}:{day}:{number}:odd"))
    return _without_namesakes(plans)


def _without_namesakes(plans: list[JobPlan]) -> list[JobPlan]:
    """The plans less those that AWS would have refused, because another job had the name already."""
    taken: set[str] = set()
    kept = []
    for plan in plans:
        if plan.name not in taken:
            kept.append(plan)
        if plan.deleted_at is None:
            taken.add(plan.name)
    return kept


def _row_jobs(seed: int, day: date, number: int, row: Row, scale: float) -> Iterator[JobPlan]:
    if row.rhythm == "six_hourly":
        # A clock's work does not multiply with the teams', and is left out of the smallest accounts.
        first, count = day.toordinal() * 4, 4 if scale >= 0.5 else 0
    else:
        # Systematic sampling: what is due up to tomorrow less what was due up to today. It needs no memory of other
        # days, and scatters far less than drawing each day's count would.
        phase = _phase(seed, number)
        first = floor(_due(day, row) * scale + phase)
        count = floor(_due(day + timedelta(days=1), row) * scale + phase) - first
    for index in range(count):
        random = Random(f"{seed}:{day}:{number}:{index}")
        created_at = _created_at(day, row, index, count, random)
        yield job(row, created_at, _hours(row, random), serial=first + index, random=random)


@cache
def _phase(seed: int, number: int) -> float:
    return Random(f"{seed}:{number}").random()


def _due(day: date, row: Row) -> float:
    """How many of the row's jobs are due from the first Monday of all until `day` begins."""
    if row.rhythm == "around_the_clock":
        return row.per_day * day.toordinal()
    weeks, weekday = divmod(day.toordinal() - 1, 7)
    return row.per_day * (weeks * 7 + sum(WEEK[:weekday]))


def _created_at(day: date, row: Row, index: int, count: int, random: Random) -> datetime:
    if row.rhythm == "six_hourly":
        seconds = index * 21_600 + 300.0
    elif row.rhythm == "around_the_clock":
        seconds = (index + random.random()) / count * 86_400
    else:
        seconds = random.triangular(2, 22, 9.5) * 3600
    midnight = datetime.combine(day, time(), UTC)
    return midnight + timedelta(milliseconds=int(seconds * 1000) + random.randrange(999))


def _hours(row: Row, random: Random) -> float:
    return row.hours * min(1.0 + 4 * row.spread, exp(random.gauss(0.0, row.spread)))
