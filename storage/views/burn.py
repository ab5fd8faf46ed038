"""What was burning per hour over the last day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from domain.money import SECONDS_PER_HOUR
from storage.schema import jobs
from storage.schema_operations import findings
from storage.views.live import live_jobs

SPAN, STEP = timedelta(hours=24), timedelta(minutes=15)


def burn_history(connection: Connection, now: datetime, teams: Sequence[str] = ()) -> list[tuple[datetime, int]]:
    """Nano-dollars per hour at each quarter of an hour of the last 24, as (instant, burn), oldest first.

    A live job counts with its estimate while its instances ran. An ended one counts, from its start to its end, with what
    it cost on average per hour, so that spot waits and discounts are in it.
    """
    moments = [now - SPAN + STEP * number for number in range(SPAN // STEP + 1)]
    table = jobs.c
    statement = select(table.started_at, table.ended_at, table.compute_nusd).where(
        table.ended_at > moments[0], table.started_at < now, table.compute_nusd > 0
    )
    if teams:
        statement = statement.where(table.team.in_(teams))
    burning = [0] * len(moments)
    for started_at, ended_at, compute in connection.execute(statement):
        seconds = (ended_at - started_at).total_seconds()
        if seconds > 0:
            _add(burning, moments, started_at, ended_at, round(compute * SECONDS_PER_HOUR / seconds))
    for job in live_jobs(connection, teams):
        seconds = job.accrual.seconds
        rate = round((job.accrual.accruing_nusd or 0) * SECONDS_PER_HOUR / seconds) if seconds else 0
        for start, end in job.intervals:
            goes_on = end >= job.observed_at
            _add(burning, moments, start, now + STEP if goes_on else end, rate)
    return list(zip(moments, burning, strict=True))


def waste_history(connection: Connection, now: datetime, teams: Sequence[str] = ()) -> list[tuple[datetime, int]]:
    """As `burn_history`, of live jobs while a critical finding held of them: what burned for nothing, as far as we know now."""
    moments = [now - SPAN + STEP * number for number in range(SPAN // STEP + 1)]
    table = findings.c
    statement = select(table.job_id, func.min(table.since).label("since"), func.max(table.burn_nusd_per_hour).label("burn")).where(
        table.severity == "critical", table.closed_at.is_(None)
    )
    if teams:
        statement = statement.where(table.team.in_(teams))
    burning = [0] * len(moments)
    for row in connection.execute(statement.group_by(table.job_id)):
        _add(burning, moments, row.since, now + STEP, row.burn or 0)
    return list(zip(moments, burning, strict=True))


def _add(burning: list[int], moments: Sequence[datetime], start: datetime, end: datetime, rate: int) -> None:
    """Adds a rate to the moments in [start, end)."""
    first = max(0, -((moments[0] - start) // STEP))
    for place in range(first, len(moments)):
        if moments[place] >= end:
            break
        if moments[place] >= start:
            burning[place] += rate
