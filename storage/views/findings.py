"""Findings as pages and commands show them: open ones, one job's history, and what cannot be judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from domain.findings.finding import rank
from storage.schema import jobs, scopes, training_jobs
from storage.schema_operations import findings, unjudged
from storage.views.live import read_instances


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding with the job it is about. Money is nano-dollars, None where unknown; `quiet_…` is who put it aside, until when."""

    finding_id: int
    job_id: int
    job: str
    account: str
    region: str
    created_at: datetime
    team: str
    rule: str
    severity: str
    since: datetime
    opened_at: datetime
    judged_at: datetime
    closed_at: datetime | None
    closed_because: str | None
    evidence: str
    advice: str
    accruing_nusd: int | None
    burn_nusd_per_hour: int | None
    wasted_nusd: int | None
    projected_nusd: int | None
    quiet_kind: str | None
    quiet_by: str | None
    quiet_at: datetime | None
    quiet_until: datetime | None
    quiet_reason: str | None
    status: str
    secondary_status: str | None
    capacity: str
    instances: tuple[tuple[str, int, int | None], ...]
    tuning_job: str | None
    pipeline: str | None

    def is_quiet(self, now: datetime) -> bool:
        """Whether somebody has put it aside, and that still holds."""
        return self.quiet_kind is not None and (self.quiet_until is None or now < self.quiet_until)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why so many live jobs cannot be judged by a rule, with one of them."""

    rule: str
    why: str
    jobs: int
    example: str


def open_findings(connection: Connection, teams: Sequence[str] = ()) -> list[FindingRow]:
    """Open findings (of the teams), critical ones first, then by what each burns."""
    conditions: list[ColumnElement[bool]] = [findings.c.closed_at.is_(None)]
    if teams:
        conditions.append(findings.c.team.in_(teams))
    rows = [_row(row) for row in connection.execute(_statement().where(*conditions))]
    return sorted(rows, key=lambda row: (rank(row.severity), -(row.burn_nusd_per_hour or 0), -(row.wasted_nusd or 0), row.job, row.rule))


def findings_of(connection: Connection, job_id: int) -> list[FindingRow]:
    """Every finding there has been on a job, open ones first, then newest first."""
    rows = [_row(row) for row in connection.execute(_statement().where(findings.c.job_id == job_id))]
    return sorted(rows, key=lambda row: (row.closed_at is not None, rank(row.severity), -row.opened_at.timestamp()))


def findings_by_id(connection: Connection, ids: Sequence[int]) -> dict[int, FindingRow]:
    """These findings by their id."""
    found: dict[int, FindingRow] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(_statement().where(findings.c.id.in_(ids[start : start + 500])))
        found |= {row.id: _row(row) for row in rows}
    return found


def unjudged_of(connection: Connection, job_id: int) -> dict[str, str]:
    """The rules that cannot be judged of a job now, and why."""
    rows = connection.execute(select(unjudged.c.rule, unjudged.c.why).where(unjudged.c.job_id == job_id).order_by(unjudged.c.rule))
    return {row.rule: row.why for row in rows}


def unjudged_counts(connection: Connection, teams: Sequence[str] = ()) -> list[Unjudged]:
    """How many live jobs (of the teams) cannot be judged by which rule and why, most jobs first."""
    table = unjudged.c
    statement = (
        select(table.rule, table.why, func.count(), func.min(training_jobs.c.name))
        .join(training_jobs, training_jobs.c.id == table.job_id)
        .join(jobs, jobs.c.id == table.job_id)
        .group_by(table.rule, table.why)
        .order_by(func.count().desc(), table.rule)
    )
    if teams:
        statement = statement.where(jobs.c.team.in_(teams))
    return [Unjudged(rule, why, count, example) for rule, why, count, example in connection.execute(statement)]


def _statement() -> Any:
    facts, derived = training_jobs.c, jobs.c
    return (
        select(
            findings, facts.name, scopes.c.account, scopes.c.region, derived.created_at, derived.status, derived.secondary_status,
            derived.capacity, derived.instances, derived.tuning_job, derived.pipeline,
        )
        .join(training_jobs, facts.id == findings.c.job_id)
        .join(jobs, derived.id == findings.c.job_id)
        .join(scopes, scopes.c.id == findings.c.scope_id)
    )  # fmt: skip


_PLAIN = tuple(name for name in FindingRow.__dataclass_fields__ if name not in ("finding_id", "job", "instances"))


def _row(row: Any) -> FindingRow:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return FindingRow(finding_id=row.id, job=row.name, instances=read_instances(row.instances), **plain)
