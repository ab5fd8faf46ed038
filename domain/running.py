"""What a running job accrues and burns: estimates, shown apart from ended jobs' money and replaced when the job ends."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from domain.job_days import day_weights
from domain.money import SECONDS_PER_HOUR, divided, shares
from domain.training_job import Interval

SHARE_DAYS = 30
SHARE_MINIMUM_JOBS = 3
_MILLISECOND = timedelta(milliseconds=1)
_PER_MILLION = 1_000_000


class SpotHistory(NamedTuple):
    """Spot jobs of one team and instance family that ended lately: how many, what they cost, what on demand would have."""

    team: str
    family: str
    jobs: int
    billed_nusd: int
    list_nusd: int


class Accrual(NamedTuple):
    """A live job's money so far and per hour, estimated; None when it has no price. `seconds` are seconds on instances."""

    seconds: int
    accruing_nusd: int | None
    burn_nusd_per_hour: int | None
    plan_covered_nusd: int


def billable_share(history: Sequence[SpotHistory], team: str, family: str) -> float:
    """The billable share (billable ÷ training seconds, weighted by cost) to expect of a spot job, 0 to 1.

    That of the team's spot jobs of the family in the last 30 days where there are three or more, else of everyone's
    where there are, else 1.
    """
    of_family = [row for row in history if row.family == family]
    for rows in ([row for row in of_family if row.team == team], of_family):
        listed = sum(row.list_nusd for row in rows)
        if sum(row.jobs for row in rows) >= SHARE_MINIMUM_JOBS and listed > 0:
            return sum(row.billed_nusd for row in rows) / listed
    return 1.0


def accrual(intervals: Sequence[Interval], capacity: str, list_rate_nusd: int | None, share: float, *, waiting: bool) -> Accrual:
    """What a live job has accrued over the intervals in which its instances ran, and what it burns per hour.

    A spot job's estimate is multiplied by the billable share. Under a training plan the hours are paid for: it accrues
    and burns 0. A job that waits, or has not started, burns 0.
    """
    millis = sum((end - start) // _MILLISECOND for start, end in intervals)
    seconds = millis // 1000
    running = bool(intervals) and not waiting
    if capacity == "plan":
        return Accrual(seconds, 0, 0, _list_amount(millis, list_rate_nusd or 0))
    if list_rate_nusd is None:
        return Accrual(seconds, None if seconds else 0, None if running else 0, 0)
    factor = round(share * _PER_MILLION) if capacity == "spot" else _PER_MILLION
    accrued = divided(_list_amount(millis, list_rate_nusd) * factor, _PER_MILLION)
    return Accrual(seconds, accrued, divided(list_rate_nusd * factor, _PER_MILLION) if running else 0, 0)


def accrual_days(intervals: Sequence[Interval], amount: int) -> dict[date, int]:
    """An accruing amount on the UTC days in which the instances ran, adding up exactly; empty when they did not run."""
    weights = day_weights(intervals)
    return dict(zip(weights, shares(amount, list(weights.values())), strict=True)) if weights else {}


def waited_seconds(started_at: datetime, until: datetime, intervals: Sequence[Interval]) -> int:
    """Seconds since the start in which an interrupted job waited for capacity."""
    ran = sum((end - start) // _MILLISECOND for start, end in intervals)
    return max(0, (until - started_at) // _MILLISECOND - ran) // 1000


def _list_amount(millis: int, rate_nusd: int) -> int:
    return divided(millis * rate_nusd, SECONDS_PER_HOUR * 1000)
