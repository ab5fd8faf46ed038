"""Whether what is shown can be trusted: runs, freshness, oddities, and our own calls with their price."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from storage.schema import api_calls, collector_runs, collector_status, jobs, oddities, scopes, training_jobs


@dataclass(frozen=True, slots=True)
class CollectorState:
    """One collector of one scope: its newest run, and when one last did what it should."""

    account: str
    region: str
    account_name: str | None
    scope_id: int
    collector: str
    outcome: str
    message: str
    started_at: datetime
    finished_at: datetime | None
    succeeded_at: datetime | None
    rows: int
    calls: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a collector."""

    run_id: int
    account: str
    region: str
    account_name: str | None
    collector: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    message: str
    rows: int
    calls: int
    cost_nusd: int


@dataclass(frozen=True, slots=True)
class OddityCount:
    """How many jobs have one kind of oddity, with an example."""

    kind: str
    member: str
    jobs: int
    example_job: str
    example_detail: str


@dataclass(frozen=True, slots=True)
class CallRow:
    """Our own calls of one AWS operation over some days."""

    operation: str
    calls: int
    errors: int
    cost_nusd: int


def collector_states(connection: Connection) -> list[CollectorState]:
    """The newest run of each collector in each scope, with the end of the last one that went well."""
    status, run = collector_status.c, collector_runs.c
    statement = (
        select(collector_runs, status.succeeded_at, scopes.c.account, scopes.c.region, scopes.c.name)
        .join(collector_status, status.run_id == run.id)
        .join(scopes, scopes.c.id == run.scope_id)
        .order_by(scopes.c.account, scopes.c.region, run.collector)
    )
    return [
        CollectorState(
            row.account, row.region, row.name, row.scope_id, row.collector, row.outcome, row.message, row.started_at,
            row.finished_at, row.succeeded_at, row.rows, row.calls,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def recent_runs(connection: Connection, limit: int = 50, *, only_failed: bool = False) -> list[Run]:
    """The newest runs of all collectors, newest first."""
    table = collector_runs.c
    statement = _runs().order_by(table.id.desc()).limit(limit)
    if only_failed:
        statement = statement.where(table.outcome.in_(("failed", "partial", "abandoned")))
    return [
        Run(
            row.id, row.account, row.region, row.name, row.collector, row.started_at, row.finished_at, row.outcome, row.message,
            row.rows, row.calls, row.cost_nusd,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def _runs() -> Any:
    return select(collector_runs, scopes.c.account, scopes.c.region, scopes.c.name).join(scopes, scopes.c.id == collector_runs.c.scope_id)


def data_as_of(connection: Connection) -> datetime | None:
    """When a jobs run last went well, in any scope; None before the first."""
    status = collector_status.c
    return connection.execute(select(func.max(status.succeeded_at)).where(status.collector == "jobs")).scalar()


def oddity_counts(connection: Connection, limit: int = 100) -> list[OddityCount]:
    """What was unexpected in AWS's answers, most frequent first."""
    table = oddities.c
    grouped = (
        select(table.kind, table.member, func.count(table.job_id.distinct()).label("jobs"), func.max(table.job_id).label("job_id"))
        .group_by(table.kind, table.member)
        .order_by(func.count(table.job_id.distinct()).desc(), table.kind, table.member)
        .limit(limit)
    )
    found = []
    for row in connection.execute(grouped).all():
        example = connection.execute(
            select(training_jobs.c.name, table.detail)
            .join(training_jobs, training_jobs.c.id == table.job_id)
            .where(table.job_id == row.job_id, table.kind == row.kind, table.member == row.member)
            .limit(1)
        ).one()
        found.append(OddityCount(row.kind, row.member, row.jobs, example.name, example.detail))
    return found


def calls_since(connection: Connection, day: date) -> list[CallRow]:
    """Our own AWS calls since a UTC day by operation, most calls first."""
    table = api_calls.c
    statement = (
        select(table.operation, func.sum(table.calls), func.sum(table.errors), func.sum(table.cost_nusd))
        .where(table.day >= day)
        .group_by(table.operation)
        .order_by(func.sum(table.calls).desc())
    )
    return [CallRow(name, int(calls), int(errors), int(cost)) for name, calls, errors, cost in connection.execute(statement)]


def has_jobs(connection: Connection) -> bool:
    """Whether there is any job at all."""
    return connection.execute(select(jobs.c.id).limit(1)).first() is not None
