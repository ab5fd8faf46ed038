"""Writers of findings: they open, update and close as facts change, and their history stays."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from domain.findings.finding import Finding, NoVerdict, rank
from domain.text import storable
from storage.schema import training_jobs
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
    looked_at: datetime  # the last look at the job
    silenced: frozenset[str] = frozenset()  # rules that hold, of which a stronger one speaks


class Change(NamedTuple):
    """What became of a finding: opened, escalated (graver than before), or closed."""

    kind: Literal["opened", "escalated", "closed"]
    finding_id: int


def record_findings(connection: Connection, scope_row: int, judged: Sequence[JudgedJob], now: datetime) -> list[Change]:
    """Brings a scope's findings to what was judged: opens, updates, and closes those that no longer hold.

    A finding whose rule could not be judged this time stays as it is. The same judgement again changes nothing but the time. One
    that began after it was last found to hold is another: the one before is closed, and what a policy did about that is over.
    """
    table = findings.c
    rows = connection.execute(select(findings).where(table.scope_id == scope_row, table.closed_at.is_(None)).with_for_update())
    known: dict[int, dict[str, Any]] = {}
    for row in rows:
        known.setdefault(row.job_id, {})[row.rule] = row
    new, again, over, outspoken, ended, changes = [], [], [], [], [], []
    for job in judged:
        unknown, open_rows = {one.rule for one in job.unjudged}, known.get(job.job_id, {})
        for finding in job.findings:
            before = open_rows.pop(finding.rule, None)
            values = _values(job, finding)
            if before is not None and finding.since > before.judged_at:
                ended.append(before.id)
                before = None
            if before is None:
                new.append(values | {"job_id": job.job_id, "scope_id": scope_row, "rule": finding.rule, "opened_at": now})
            else:
                graver = rank(finding.severity) < rank(before.severity)
                again.append({"row": before.id} | values | _quiet_of(before, anew=graver))
                changes += [Change("escalated", before.id)] if graver else []
        over += [row.id for rule, row in open_rows.items() if rule not in unknown | job.silenced]
        outspoken += [row.id for rule, row in open_rows.items() if rule in job.silenced]
    changes += _close(connection, over, now, "it no longer holds")
    changes += _close(connection, outspoken, now, "a stronger rule speaks on the same evidence")
    changes += _close(connection, ended, now, "it ended while nobody looked, and began anew")
    _write(connection, again)
    changes += _open(connection, new, now)
    _keep_unjudged(connection, judged)
    bump(connection, DATA_VERSION)
    return changes


def close_of_ended(connection: Connection, scope_row: int, watched: Sequence[int], now: datetime) -> list[Change]:
    """Closes the findings of jobs that are no longer watched: they ended, or AWS knows them no more. Nor is anything of them unjudged."""
    table, alive = findings.c, set(watched)
    rows = connection.execute(select(table.id, table.job_id).where(table.scope_id == scope_row, table.closed_at.is_(None))).all()
    of_scope = select(unjudged.c.job_id).distinct().join(training_jobs, training_jobs.c.id == unjudged.c.job_id)
    judged = connection.scalars(of_scope.where(training_jobs.c.scope_id == scope_row))
    _forget_unjudged(connection, [job_id for job_id in judged if job_id not in alive])
    return _close(connection, [row.id for row in rows if row.job_id not in alive], now, "the job has ended")


def quiet(connection: Connection, finding_ids: Sequence[int], values: Mapping[str, Any]) -> None:
    """Marks findings as acknowledged or snoozed: quiet_kind, _by, _at, _until and _reason."""
    connection.execute(update(findings).where(findings.c.id.in_(finding_ids)).values(dict(values)))
    bump(connection, DATA_VERSION)


def _open(connection: Connection, new: Sequence[dict[str, Any]], now: datetime) -> list[Change]:
    """Opens findings; where somebody has snoozed the same rule of the job, that lasts until the time that was chosen."""
    if not new:
        return []
    snoozed = _snoozed(connection, {row["job_id"] for row in new}, now)
    rows = []
    for row in new:
        before = snoozed.get((row["job_id"], row["rule"]))
        graver = before is not None and rank(row["severity"]) < rank(before.severity)
        rows.append(row | {name: None if before is None or graver else getattr(before, name) for name in QUIET})
    return [Change("opened", int(made)) for made in connection.scalars(insert(findings).returning(findings.c.id), rows)]


def _snoozed(connection: Connection, job_ids: Collection[int], now: datetime) -> dict[tuple[int, str], Any]:
    """The newest closed finding of each job and rule, where it is snoozed still."""
    table, found = findings.c, {}
    for some in _some(sorted(job_ids)):
        statement = select(findings).where(table.job_id.in_(some), table.closed_at.is_not(None)).order_by(table.id)
        found.update({(row.job_id, row.rule): row for row in connection.execute(statement)})
    return {key: row for key, row in found.items() if row.quiet_kind == "snoozed" and row.quiet_until is not None and row.quiet_until > now}


def _values(job: JudgedJob, finding: Finding) -> dict[str, Any]:
    return {
        "team": job.team,
        "severity": finding.severity,
        "since": finding.since,
        "judged_at": min(job.looked_at, finding.as_of or job.looked_at),
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


def _close(connection: Connection, finding_ids: Sequence[int], now: datetime, why: str) -> list[Change]:
    for some in _some(finding_ids):
        connection.execute(update(findings).where(findings.c.id.in_(some)).values(closed_at=now, closed_because=why))
    return [Change("closed", finding_id) for finding_id in finding_ids]


def _keep_unjudged(connection: Connection, judged: Sequence[JudgedJob]) -> None:
    """Replaces what could not be judged of these jobs, where that has changed."""
    before = {}
    for some in _some([job.job_id for job in judged]):
        for row in connection.execute(select(unjudged).where(unjudged.c.job_id.in_(some))):
            before[row.job_id, row.rule] = row.why
    after = {(job.job_id, one.rule): storable(one.why, EVIDENCE_LIMIT) for job in judged for one in job.unjudged}
    changed = {job_id for job_id, _ in dict(before.items() ^ after.items())}
    _forget_unjudged(connection, sorted(changed))
    rows = [{"job_id": job_id, "rule": rule, "why": why} for (job_id, rule), why in after.items() if job_id in changed]
    if rows:
        connection.execute(insert(unjudged), rows)


def _forget_unjudged(connection: Connection, job_ids: Sequence[int]) -> None:
    for some in _some(job_ids):
        connection.execute(delete(unjudged).where(unjudged.c.job_id.in_(some)))


def _some(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The ids by as many as one statement takes."""
    return (ids[start : start + 500] for start in range(0, len(ids), 500))
