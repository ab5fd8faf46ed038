"""Jobs that have not ended: few, and so worked out when asked, from when we last looked at each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from domain.instances import family
from domain.instants import from_millis
from domain.running import SHARE_DAYS, Accrual, SpotHistory, accrual, billable_share, waited_seconds
from domain.training_job import Interval
from storage.schema import jobs, scopes, spot_days, training_jobs


@dataclass(frozen=True, slots=True)
class LiveJob:
    """A live job with its estimates, as of `observed_at`, when AWS last told us of it.

    `instances` are (type, count, list rate in nano-dollars an hour or None); `billable_share` (0 to 1) is 1 but for spot.
    """

    job_id: int
    name: str
    account: str
    region: str
    scope_id: int
    team: str
    project: str
    model_type: str | None
    status: str
    secondary_status: str | None
    capacity: str
    mode: str
    instances: tuple[tuple[str, int, int | None], ...]
    created_at: datetime
    started_at: datetime | None
    observed_at: datetime
    intervals: tuple[Interval, ...]
    accrual: Accrual
    billable_share: float
    basis: str
    price_source: str | None
    max_runtime_seconds: int | None
    interruptions: int
    waited_seconds: int

    @property
    def instance_count(self) -> int:
        """Instances over all groups."""
        return sum(count for _, count, _ in self.instances)

    @property
    def limit_used_percent(self) -> float | None:
        """How much of the time limit is used; None without one."""
        return 100 * self.accrual.seconds / self.max_runtime_seconds if self.max_runtime_seconds else None


def live_jobs(connection: Connection, teams: Sequence[str] | None = None) -> list[LiveJob]:
    """Every live job (of the teams), dearest per hour first."""
    statement = (
        select(jobs, training_jobs.c.name, training_jobs.c.observed_at, scopes.c.account, scopes.c.region)
        .join(training_jobs, training_jobs.c.id == jobs.c.id)
        .join(scopes, scopes.c.id == jobs.c.scope_id)
        .where(jobs.c.is_live)
    )
    if teams:
        statement = statement.where(jobs.c.team.in_(teams))
    rows = connection.execute(statement).all()
    if not rows:
        return []
    history = spot_history(connection, max(row.observed_at for row in rows))
    found = [_live_job(row, history) for row in rows]
    return sorted(found, key=lambda job: (-(job.accrual.burn_nusd_per_hour or 0), job.name))


def spot_history(connection: Connection, now: datetime) -> list[SpotHistory]:
    """Spot jobs that ended in the last 30 days, by team and instance family."""
    table = spot_days.c
    rows = connection.execute(
        select(table.team, table.family, func.sum(table.jobs), func.sum(table.billed_nusd), func.sum(table.list_nusd))
        .where(table.day > (now - timedelta(days=SHARE_DAYS)).date())
        .group_by(table.team, table.family)
    )
    return [SpotHistory(team, kind, int(count), int(billed), int(listed)) for team, kind, count, billed, listed in rows]


def read_instances(text: str) -> tuple[tuple[str, int, int | None], ...]:
    """The instances of a job's row: (type, count, list rate in nano-dollars an hour or None)."""
    return tuple((kind, count, rate) for kind, count, rate in orjson.loads(text))


def _live_job(row: Any, history: Sequence[SpotHistory]) -> LiveJob:
    stretches = orjson.loads(row.intervals or "[]")
    waiting = bool(stretches) and stretches[-1][1] is not None
    intervals = tuple(_interval(start, end, row.observed_at) for start, end in stretches)
    share = billable_share(history, row.team, family(row.instance_type or "")) if row.capacity == "spot" else 1.0
    estimate = accrual(intervals, row.capacity, row.list_rate_nusd, share, waiting=waiting)
    waited = waited_seconds(row.started_at, row.observed_at, intervals) if row.started_at else 0
    return LiveJob(
        job_id=row.id,
        name=row.name,
        account=row.account,
        region=row.region,
        scope_id=row.scope_id,
        team=row.team,
        project=row.project,
        model_type=row.model_type,
        status=row.status,
        secondary_status=row.secondary_status,
        capacity=row.capacity,
        mode=row.mode,
        instances=read_instances(row.instances),
        created_at=row.created_at,
        started_at=row.started_at,
        observed_at=row.observed_at,
        intervals=intervals,
        accrual=estimate,
        billable_share=share,
        basis=row.basis,
        price_source=row.price_source,
        max_runtime_seconds=row.max_runtime_seconds,
        interruptions=row.interruptions,
        waited_seconds=waited,
    )


def _interval(start: int, end: int | None, observed_at: datetime) -> Interval:
    begun = from_millis(start)
    return Interval(begun, max(begun, observed_at if end is None else from_millis(end)))
