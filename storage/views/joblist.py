"""Jobs one by one: the list with its filters and pages, and everything about a single job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, or_, select

from domain.arns import training_job_arn
from domain.checkpoint import CheckpointFacts
from domain.oddities import Oddity
from domain.scope import Scope
from domain.training_job import Interval, TrainingJob, training_job_from
from storage.checkpoints import read_checkpoints
from storage.descriptions import unpack
from storage.schema import job_kinds, jobs, oddities, scopes, training_jobs
from storage.views.live import LiveJob, live_jobs, read_instances

Sort = Literal["newest", "dearest", "longest"]
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs: every given condition must hold. `text` is a part of the name, without regard to case.

    `since` and `until` bound the creation time, half-open.
    """

    teams: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    capacities: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    basis: str | None = None
    text: str = ""
    tuning_job: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as lists show it. Money is nano-dollars and None where unknown; `live` holds the estimates of a live job."""

    job_id: int
    name: str
    arn: str
    account: str
    region: str
    team: str
    team_rule: str
    team_known: bool
    project: str
    project_rule: str
    model_type: str | None
    status: str
    secondary_status: str | None
    capacity: str
    mode: str
    instances: tuple[tuple[str, int, int | None], ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    training_seconds: int | None
    billable_seconds: int | None
    compute_nusd: int | None
    warm_pool_nusd: int | None
    storage_nusd: int | None
    cost_nusd: int | None
    spot_savings_nusd: int | None
    plan_covered_nusd: int | None
    effective_nusd: int | None
    list_rate_nusd: int | None
    basis: str
    price_source: str | None
    predates_prices: bool
    tuning_job: str | None
    pipeline: str | None
    max_runtime_seconds: int | None
    interruptions: int
    observed_at: datetime
    gone_at: datetime | None
    live: LiveJob | None


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything we know of one job: its row, the facts, the masked description as AWS sent it, and what was odd in it."""

    row: JobRow
    job: TrainingJob
    description: Mapping[str, Any]
    oddities: tuple[Oddity, ...]
    checkpoint: CheckpointFacts | None = None

    @property
    def ran(self) -> Sequence[Interval]:
        """When its instances ran, up to its end or the last look at it."""
        return self.row.live.intervals if self.row.live else self.job.running_intervals(self.row.observed_at)


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of jobs; `total` is exact up to COUNT_LIMIT, and COUNT_LIMIT + 1 stands for more."""

    rows: tuple[JobRow, ...]
    total: int


_SORTS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    "newest": (jobs.c.created_at.desc(), jobs.c.id.desc()),
    "dearest": (jobs.c.cost_nusd.desc().nulls_last(), jobs.c.id.desc()),
    "longest": (jobs.c.training_seconds.desc().nulls_last(), jobs.c.id.desc()),
}


def list_jobs(connection: Connection, wanted: JobFilter, sort: Sort = "newest", limit: int = 50, offset: int = 0) -> JobPage:
    """One page of the jobs that fit, in the order asked for."""
    conditions = _conditions(wanted)
    counted = select(literal(1)).select_from(_source(wanted)).where(*conditions).limit(COUNT_LIMIT + 1).subquery()
    total = int(connection.execute(select(func.count()).select_from(counted)).scalar_one())
    page = select(jobs.c.id).select_from(_source(wanted)).where(*conditions).order_by(*_SORTS[sort]).limit(limit).offset(offset)
    ids = list(connection.scalars(page)) if total > offset else []
    rows = job_rows(connection, ids)
    return JobPage(tuple(rows[job_id] for job_id in ids), total)


def each_job(connection: Connection, wanted: JobFilter, limit: int | None = None) -> Iterator[JobDetail]:
    """Every job that fits with all we know of it, newest first, read in pieces so that any number fits in memory."""
    statement = select(jobs.c.id).select_from(_source(wanted)).where(*_conditions(wanted)).order_by(*_SORTS["newest"])
    ids = list(connection.scalars(statement.limit(limit)))
    live = {job.job_id: job for job in live_jobs(connection)}
    for start in range(0, len(ids), 500):
        piece = ids[start : start + 500]
        details = _details(connection, piece, live)
        yield from (details[job_id] for job_id in piece)


def jobs_named(connection: Connection, name: str) -> list[JobDetail]:
    """Every job of exactly this name, newest first: a name may live in several accounts and be reused in one."""
    statement = (
        select(jobs.c.id)
        .join(training_jobs, training_jobs.c.id == jobs.c.id)
        .where(training_jobs.c.name == name, training_jobs.c.scope_id.in_(select(scopes.c.id)))
        .order_by(jobs.c.created_at.desc())
    )
    ids = list(connection.scalars(statement))
    details = _details(connection, ids, {job.job_id: job for job in live_jobs(connection)} if ids else {})
    return [details[job_id] for job_id in ids]


def job_rows(connection: Connection, job_ids: Sequence[int]) -> dict[int, JobRow]:
    """The rows of these jobs, by id."""
    if not job_ids:
        return {}
    found = connection.execute(_whole_rows(job_ids)).all()
    live = {job.job_id: job for job in live_jobs(connection)} if any(row.is_live for row in found) else {}
    return {row.id: _job_row(row, live.get(row.id)) for row in found}


def tag_keys(connection: Connection, job_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """The keys of the tags of these jobs."""
    if not job_ids:
        return {}
    rows = connection.execute(select(training_jobs.c.id, training_jobs.c.description).where(training_jobs.c.id.in_(job_ids)))
    return {row.id: frozenset(training_job_from(unpack(row.description)).tags) for row in rows}


def filter_values(connection: Connection) -> dict[str, list[str]]:
    """What there is to filter by, each sorted: teams, projects, instance_types, capacities, statuses and modes that occur."""
    kinds = job_kinds.c
    columns = {
        "teams": kinds.team,
        "projects": kinds.project,
        "instance_types": kinds.instance_type,
        "capacities": kinds.capacity,
        "statuses": kinds.status,
        "modes": kinds.mode,
    }
    rows = connection.execute(select(*columns.values())).all()
    return {name: sorted({row[place] for row in rows} - {""}) for place, name in enumerate(columns)}


def _source(wanted: JobFilter) -> Any:
    return jobs.join(training_jobs, training_jobs.c.id == jobs.c.id) if wanted.text else jobs


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    table = jobs.c
    conditions: list[ColumnElement[bool]] = [
        column.in_(values)
        for column, values in (
            (table.team, wanted.teams),
            (table.project, wanted.projects),
            (table.status, wanted.statuses),
            (table.capacity, wanted.capacities),
            (table.mode, wanted.modes),
        )
        if values
    ]
    if wanted.instance_types:
        # Heterogeneous clusters are found by any of their types; nearly all jobs have one, which the index knows.
        several = [table.instances.contains(f'"{kind}"', autoescape=True) for kind in wanted.instance_types]
        first = table.instance_type.in_(wanted.instance_types)
        conditions.append(or_(first, and_(table.mode == "distributed", *[or_(*several)])))
    if wanted.basis:
        conditions.append(table.basis == wanted.basis)
    if wanted.text:
        conditions.append(training_jobs.c.name.icontains(wanted.text, autoescape=True))
    if wanted.tuning_job:
        conditions.append(table.tuning_job == wanted.tuning_job)
    if wanted.since:
        conditions.append(table.created_at >= wanted.since)
    if wanted.until:
        conditions.append(table.created_at < wanted.until)
    return conditions


def _whole_rows(job_ids: Sequence[int], *more: ColumnElement[Any]) -> Select[Any]:
    facts = training_jobs.c
    return (
        select(jobs, facts.name, facts.arn, facts.observed_at, facts.gone_at, scopes.c.account, scopes.c.region, *more)
        .join(training_jobs, facts.id == jobs.c.id)
        .join(scopes, scopes.c.id == jobs.c.scope_id)
        .where(jobs.c.id.in_(job_ids))
    )


def _details(connection: Connection, job_ids: Sequence[int], live: Mapping[int, LiveJob]) -> dict[int, JobDetail]:
    notes: dict[int, list[Oddity]] = {}
    statement = select(oddities).where(oddities.c.job_id.in_(job_ids)).order_by(oddities.c.job_id, oddities.c.position)
    for row in connection.execute(statement):
        notes.setdefault(row.job_id, []).append(Oddity(row.kind, row.member, row.detail))
    details, saved = {}, read_checkpoints(connection, job_ids)
    for row in connection.execute(_whole_rows(job_ids, training_jobs.c.description)):
        description = unpack(row.description)
        details[row.id] = JobDetail(
            _job_row(row, live.get(row.id)), training_job_from(description), description, tuple(notes.get(row.id, ())), saved.get(row.id)
        )
    return details


_PLAIN = tuple(name for name in JobRow.__dataclass_fields__ if name not in ("job_id", "arn", "instances", "live"))


def _job_row(row: Any, live: LiveJob | None) -> JobRow:
    scope = Scope(row.account, row.region)
    return JobRow(
        job_id=row.id,
        arn=row.arn or training_job_arn(scope, row.name),
        instances=read_instances(row.instances),
        live=live,
        **{name: getattr(row, name) for name in _PLAIN},
    )
