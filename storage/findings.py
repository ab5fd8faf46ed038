"""Writers of findings: they open, update and close as facts change, and their history stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from domain.findings.finding import Finding, NoVerdict, rank
from domain.text import storable
from storage.schema_operations import findings, unjudged
from storage.state import DATA_VERSION, bump

EVIDENCE_LIMIT = 1000
QUIET = ("quiet_kind", "quiet_by", "quiet_at", "quiet_until", "quiet_reason")


class Money(NamedTuple):
    """A job's money as a finding carries it: accrued, burning per hour, and what it will have cost if left to its limit."""

    accruing_nusd: int | None
    burn_nusd_per_hour: int | None
    projected_nusd: int | None


class JudgedJob(NamedTuple):
    """What the rules said of one job."""

    job_id: int
    team: str
    findings: Sequence[Finding]
    unjudged: Sequence[NoVerdict]
    money: Money


class Change(NamedTuple):
    """What became of a finding: opened, escalated (graver than before), or closed."""

    kind: Literal["opened", "escalated", "closed"]
    finding_id: int


def record_findings(connection: Connection, scope_row: int, judged: Sequence[JudgedJob], now: datetime) -> list[Change]:
    """Brings a scope's findings to what was judged: opens, updates, and closes those that no longer hold.

    A finding whose rule could not be judged this time stays as it is. The same judgement again changes nothing but the time.
    """
    table = findings.c
    rows = connection.execute(select(findings).where(table.scope_id == scope_row, table.closed_at.is_(None)).with_for_update())
    known: dict[int, dict[str, Any]] = {}
    for row in rows:
        known.setdefault(row.job_id, {})[row.rule] = row
    new, again, changes = [], [], []
    for job in judged:
        unknown, open_rows = {one.rule for one in job.unjudged}, known.get(job.job_id, {})
        for finding in job.findings:
            before = open_rows.pop(finding.rule, None)
            values = _values(job, finding, now)
            if before is None:
                new.append(values | {"job_id": job.job_id, "scope_id": scope_row, "rule": finding.rule, "opened_at": now})
            else:
                graver = rank(finding.severity) < rank(before.severity)
                again.append({"row": before.id} | values | _quiet_of(before, anew=graver))
                changes += [Change("escalated", before.id)] if graver else []
        changes += [_close(connection, row.id, now, "it no longer holds") for rule, row in open_rows.items() if rule not in unknown]
    _write(connection, again)
    if new:
        changes += [Change("opened", int(made)) for made in connection.scalars(insert(findings).returning(findings.c.id), new)]
    _keep_unjudged(connection, judged)
    bump(connection, DATA_VERSION)
    return changes


def close_of_ended(connection: Connection, scope_row: int, watched: Sequence[int], now: datetime) -> list[Change]:
    """Closes the findings of jobs that are no longer watched: they ended, or AWS knows them no more."""
    table = findings.c
    rows = connection.execute(select(table.id, table.job_id).where(table.scope_id == scope_row, table.closed_at.is_(None))).all()
    gone = [row for row in rows if row.job_id not in set(watched)]
    if gone:
        connection.execute(delete(unjudged).where(unjudged.c.job_id.in_([row.job_id for row in gone])))
    return [_close(connection, row.id, now, "the job has ended") for row in gone]


def quiet(connection: Connection, finding_ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """Marks findings as acknowledged or snoozed: quiet_kind, _by, _at, _until and _reason."""
    connection.execute(update(findings).where(findings.c.id.in_(finding_ids)).values(dict(values)))
    bump(connection, DATA_VERSION)


def _values(job: JudgedJob, finding: Finding, now: datetime) -> dict[str, Any]:
    return {
        "team": job.team,
        "severity": finding.severity,
        "since": finding.since,
        "judged_at": now,
        "evidence": storable(finding.evidence, EVIDENCE_LIMIT),
        "advice": storable(finding.advice, EVIDENCE_LIMIT),
        "wasted_nusd": finding.wasted_nusd,
        **job.money._asdict(),
    }


def _quiet_of(before: Any, *, anew: bool) -> dict[str, Any]:
    """What somebody acknowledged stays acknowledged, unless it was something lesser than what it is now."""
    return {name: None if anew else getattr(before, name) for name in QUIET}


def _write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        names = [name for name in rows[0] if name != "row"]
        statement = update(findings).where(findings.c.id == bindparam("row")).values({name: bindparam(name) for name in names})
        connection.execute(statement, [dict(row) for row in rows])


def _close(connection: Connection, finding_id: int, now: datetime, why: str) -> Change:
    connection.execute(update(findings).where(findings.c.id == finding_id).values(closed_at=now, closed_because=why))
    return Change("closed", finding_id)


def _keep_unjudged(connection: Connection, judged: Sequence[JudgedJob]) -> None:
    """Replaces what could not be judged of these jobs, where that has changed."""
    table, before = unjudged.c, {}
    ids = [job.job_id for job in judged]
    for start in range(0, len(ids), 500):
        for row in connection.execute(select(unjudged).where(table.job_id.in_(ids[start : start + 500]))):
            before[row.job_id, row.rule] = row.why
    after = {(job.job_id, one.rule): storable(one.why, EVIDENCE_LIMIT) for job in judged for one in job.unjudged}
    changed = sorted({job_id for job_id, _ in dict(before.items() ^ after.items())})
    if changed:
        for start in range(0, len(changed), 500):
            connection.execute(delete(unjudged).where(table.job_id.in_(changed[start : start + 500])))
        rows = [{"job_id": job_id, "rule": rule, "why": why} for (job_id, rule), why in after.items() if job_id in set(changed)]
        if rows:
            connection.execute(insert(unjudged), rows)
