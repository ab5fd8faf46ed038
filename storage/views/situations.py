"""What is known of each job that lives, or whose warm pool does, as the rules want it told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, select

from domain.checkpoint import CheckpointFacts, checkpoint_state, own_newest, rhythm_seconds
from domain.cleaning_paths import PlaceIndex, folder
from domain.findings.situation import CPU, GPU, Checkpoint, Family, Held, Situation
from domain.s3 import location
from domain.training_job import Interval, TrainingJob, training_job_from
from storage.checkpoints import read_checkpoints
from storage.descriptions import unpack
from storage.samples import read_series
from storage.schema import collector_runs, jobs, training_jobs
from storage.schema_operations import findings
from storage.signals import LOGS, METRICS, read_signals
from storage.tuning import objectives
from storage.views.live import LiveJob, live_jobs, read_instances

HOSTS_BACK = timedelta(hours=12)
OWN_BACK = timedelta(hours=30)
FAMILY_RUNS = 200  # a family is judged by its latest runs
NO_SAMPLES, NO_LOOK = "CloudWatch has no samples of it", "nobody has looked at its metrics yet"
_FamilyKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A job's situation, with whose it is and its row."""

    job_id: int
    team: str
    situation: Situation


_Held = dict[int, dict[str, Held]]


def situations(connection: Connection, scope_row: int, fresh_since: datetime, own_back: timedelta = OWN_BACK) -> list[Placed]:
    """The situation of each job of the scope that may be judged; those not looked at since `fresh_since` are left out."""
    rows = connection.execute(
        select(jobs, training_jobs.c.observed_at, training_jobs.c.description)
        .join(training_jobs, training_jobs.c.id == jobs.c.id)
        .where(training_jobs.c.scope_id == scope_row, training_jobs.c.watched, training_jobs.c.observed_at >= fresh_since)
    ).all()
    return _placed(connection, scope_row, rows, own_back)


def situations_of(connection: Connection, job_ids: Sequence[int], *, samples: bool = False) -> dict[int, Placed]:
    """The situation of single jobs, live or ended, for pages; without samples unless asked for, since few need them."""
    if not job_ids:
        return {}
    rows = connection.execute(
        select(jobs, training_jobs.c.observed_at, training_jobs.c.description)
        .join(training_jobs, training_jobs.c.id == jobs.c.id)
        .where(jobs.c.id.in_(job_ids))
    ).all()
    by_scope: dict[int, list[Any]] = {}
    for row in rows:
        by_scope.setdefault(row.scope_id, []).append(row)
    found = [one for scope_row, own in by_scope.items() for one in _placed(connection, scope_row, own, OWN_BACK if samples else None)]
    return {one.job_id: one for one in found}


def _placed(connection: Connection, scope_row: int, rows: Sequence[Any], own_back: timedelta | None) -> list[Placed]:
    if not rows:
        return []
    ids, newest = [row.id for row in rows], max(row.observed_at for row in rows)
    described = {row.id: unpack(row.description) for row in rows}
    facts = {row.id: training_job_from(described[row.id]) for row in rows}
    live = {one.job_id: one for one in live_jobs(connection)}
    hosts = read_series(connection, ids, newest - HOSTS_BACK, own=False, metrics=(GPU, CPU)) if own_back else {}
    own = read_series(connection, ids, newest - own_back, own=True) if own_back else {}
    signals, wanted, saved = read_signals(connection, ids), objectives(connection), read_checkpoints(connection, ids)
    families, failure = _families(connection, rows), _metrics_failure(connection, scope_row)
    held = _held(connection, scope_row)
    sharing = _sharing(connection, facts)
    placed = []
    for row in rows:
        job, one, seen = facts[row.id], live.get(row.id), signals.get(row.id, {})
        ran = one.intervals if one else tuple(job.running_intervals(row.observed_at))
        situation = Situation(
            now=row.observed_at,
            job=job,
            ran=ran,
            rate_nusd=_rate(row, one),
            burn_nusd=one.accrual.burn_nusd_per_hour if one else None,
            accruing_nusd=one.accrual.accruing_nusd if one else None,
            list_rate_nusd=row.list_rate_nusd,
            series=hosts.get(row.id, {}),
            metrics={metric: series for (_, metric), series in own.get(row.id, {}).items()},
            metrics_checked_at=seen[METRICS].checked_at if METRICS in seen else None,
            logs=seen.get(LOGS),
            checkpoint=_checkpoint(job, ran, saved.get(row.id)),
            family=families.get(_family_of(row)),
            objective=wanted.get((scope_row, (row.tuning_job or "").lower())),
            shares_checkpoints_with=sharing.get(row.id, ()),
            no_samples_because=failure or (NO_SAMPLES if METRICS in seen else NO_LOOK),
            host_rates=tuple(rate for _, number, rate in read_instances(row.instances) for _ in range(number)),
            held=held.get(row.id, {}),
            hosts_from=newest - HOSTS_BACK if own_back else None,
            metrics_from=newest - own_back if own_back else None,
        )
        placed.append(Placed(row.id, row.team, situation))
    return placed


def _checkpoint(job: TrainingJob, ran: Sequence[Interval], facts: CheckpointFacts | None) -> Checkpoint | None:
    """What the rules are told of a job's checkpoints; None where nobody has looked."""
    if facts is None:
        return None
    state = checkpoint_state(job, ran, facts)
    if state == "not_needed" and (facts.objects is None or facts.cut_off):
        state = "unknown"  # nobody need look after it, and yet nobody knows what it has saved
    rhythm = rhythm_seconds([save for save in facts.saves if job.started_at and save >= job.started_at], ran)
    return Checkpoint(state, own_newest(job, facts), rhythm, facts.looked_at)


def _rate(row: Any, one: LiveJob | None) -> int | None:
    """What the job costs per hour on instances; nothing under a training plan, and spot at its billable share."""
    if row.list_rate_nusd is None:
        return None
    if row.capacity == "plan":
        return 0
    share = one.billable_share if one and row.capacity == "spot" else 1.0
    return round(int(row.list_rate_nusd) * share)


def _family_of(row: Any) -> _FamilyKey:
    return row.team, row.project, row.model_type or "", row.instance_type or ""


def _families(connection: Connection, rows: Iterable[Any]) -> dict[_FamilyKey, Family]:
    """The latest successful runs of each family that a live job belongs to; jobs without a model type have none."""
    found, table = {}, jobs.c
    for key in {_family_of(row) for row in rows if row.is_live and row.model_type and row.instance_type}:
        columns = (table.team, table.project, table.model_type, table.instance_type)
        statement = (
            select(table.training_seconds)
            .where(*(column == value for column, value in zip(columns, key, strict=True)), table.status == "Completed")
            .order_by(table.ended_at.desc())
            .limit(FAMILY_RUNS)
        )
        runs = sorted(seconds for seconds in connection.scalars(statement) if seconds is not None)
        found[key] = Family(len(runs), runs[ceil(0.95 * len(runs)) - 1] if runs else 0)
    return found


def _sharing(connection: Connection, known: Mapping[int, TrainingJob]) -> dict[int, tuple[str, ...]]:
    """The live jobs of any account and region that save where another one does, or below or above it, with the names of the others.

    `known` are jobs whose description was read already.
    """
    if not any(job.is_live and job.checkpoint_uri for job in known.values()):
        return {}
    table, saving = training_jobs.c, dict[int, tuple[str, tuple[str, str]]]()
    for row in connection.execute(select(table.id, table.description).where(table.watched)):
        job = known.get(row.id) or training_job_from(unpack(row.description))
        place = location(job.checkpoint_uri) if job.is_live else None
        if place is not None:
            saving[row.id] = job.name, (place.bucket, folder(place.key))
    at: dict[tuple[str, str], list[int]] = {}
    for job_id, (_, where) in saving.items():
        at.setdefault(where, []).append(job_id)
    index = PlaceIndex(at)
    found = {}
    for job_id, (_, where) in saving.items():
        others = {other for some in index.meeting(*where) for other in some} - {job_id}
        if others:
            found[job_id] = tuple(sorted(saving[other][0] for other in others))
    return found


def _held(connection: Connection, scope_row: int) -> _Held:
    """The findings that are open, by job and rule."""
    table = findings.c
    found: _Held = {}
    statement = select(table.job_id, table.rule, table.since, table.judged_at).where(table.scope_id == scope_row, table.closed_at.is_(None))
    for job_id, rule, since, judged_at in connection.execute(statement):
        found.setdefault(job_id, {})[rule] = Held(since, judged_at)
    return found


def _metrics_failure(connection: Connection, scope_row: int) -> str | None:
    """What the newest look at metrics said, where it failed."""
    table = collector_runs.c
    newest = connection.execute(
        select(table.outcome, table.message)
        .where(table.scope_id == scope_row, table.collector == "metrics", table.outcome != "running")
        .order_by(table.id.desc())
        .limit(1)
    ).first()
    return str(newest.message).partition("; ")[0] if newest is not None and newest.outcome == "failed" else None
