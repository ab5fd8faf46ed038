"""What could be stopped, with the figures that whoever decides needs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from domain.arns import training_job_arn
from domain.attribution import UNATTRIBUTED
from domain.findings.finding import span
from domain.findings.situation import Situation
from domain.instants import iso
from domain.scope import Scope
from domain.stopping import StopTarget
from domain.tuning import TuningJob
from storage.schema import jobs, scopes, training_jobs
from storage.schema_operations import tuning_jobs
from storage.tuning import tuning_job_of
from storage.views.live import live_jobs
from storage.views.situations import situations_of

# Source: DescribeHyperParameterTuningJob, HyperParameterTuningJobStatus.
_NO_MORE_CHILDREN = frozenset({"Completed", "Failed", "Stopped", "Deleting", "DeleteFailed"})


def job_targets(
    connection: Connection, what: str, account: str | None = None, region: str | None = None, created: str | None = None
) -> list[StopTarget]:
    """The training jobs of a name or an ARN, newest first; `created` is the ISO time that lists show."""
    name = what.rpartition("/")[2] if what.startswith("arn:") else what
    facts = training_jobs.c

    def of(named: ColumnElement[bool]) -> list[Any]:
        # By scope and name, which has an index; a name alone has none.
        statement = _statement().where(facts.scope_id.in_(select(scopes.c.id)), named).order_by(jobs.c.created_at.desc())
        return [row for row in connection.execute(statement) if _fits(row, what, account, region, created)]

    rows = of(facts.name == name)
    if not rows and name != what:  # AWS has lower-cased the name in an ARN at times
        rows = of(func.lower(facts.name) == name.lower())
    return _job_targets(connection, rows)


def targets_by_id(connection: Connection, job_ids: Sequence[int]) -> dict[int, StopTarget]:
    """These training jobs by the id of their row."""
    rows = connection.execute(_statement().where(jobs.c.id.in_(job_ids))).all() if job_ids else []
    return dict(zip([row.id for row in rows], _job_targets(connection, rows), strict=True))


def tuning_targets(
    connection: Connection, what: str, account: str | None = None, region: str | None = None, created: str | None = None
) -> list[StopTarget]:
    """The tuning jobs of a name or an ARN, newest first; `created` is the ISO time that lists show."""
    name = what.rpartition("/")[2] if what.startswith("arn:") else what
    statement = (
        select(tuning_jobs, scopes.c.account, scopes.c.region)
        .join(scopes, scopes.c.id == tuning_jobs.c.scope_id)
        .where(func.lower(tuning_jobs.c.name) == name.lower())
        .order_by(tuning_jobs.c.created_second.desc())
    )
    rows = [row for row in connection.execute(statement) if account in (None, row.account) and region in (None, row.region)]
    found = [(row, tuning_job_of(row)) for row in rows]
    return [
        _tuning_target(connection, row, tuner)
        for row, tuner in found
        if created in (None, iso(tuner.created_at)) and (name == what or tuner.arn.lower() == what.lower())
    ]


def _fits(row: Any, what: str, account: str | None, region: str | None, created: str | None) -> bool:
    if what.startswith("arn:"):
        arn = row.arn or training_job_arn(Scope(row.account, row.region), row.name)
        if arn.lower() != what.lower():
            return False
    return account in (None, row.account) and region in (None, row.region) and created in (None, iso(row.created_at))


def _statement() -> Any:
    facts = training_jobs.c
    return (
        select(jobs, facts.name, facts.arn, facts.observed_at, scopes.c.account, scopes.c.region)
        .join(training_jobs, facts.id == jobs.c.id)
        .join(scopes, scopes.c.id == jobs.c.scope_id)
    )


def _job_targets(connection: Connection, rows: Sequence[Any]) -> list[StopTarget]:
    placed = situations_of(connection, [row.id for row in rows])
    tuners = _tuners(connection, rows)
    return [_job_target(row, placed[row.id].situation, tuners.get((row.scope_id, (row.tuning_job or "").lower()))) for row in rows]


def _job_target(row: Any, situation: Situation, tuner_alive: bool | None) -> StopTarget:
    left, lost = situation.left_seconds(), work_lost(situation)
    limit = situation.job.max_runtime_seconds
    return StopTarget(
        kind="training_job",
        name=row.name,
        arn=row.arn or training_job_arn(Scope(row.account, row.region), row.name),
        account=row.account,
        region=row.region,
        created_at=row.created_at,
        team=row.team,
        status=row.status,
        secondary_status=row.secondary_status,
        instances=", ".join(f"{group.instance_type} × {group.count}" for group in situation.job.cluster),
        capacity=row.capacity,
        ran_seconds=situation.ran_seconds,
        burn_nusd=situation.burn_nusd,
        accruing_nusd=situation.accruing_nusd,
        avoided_nusd=situation.left_nusd(),
        avoided="it has no time limit" if left is None or limit is None else f"rate × {span(left)} left to its {span(limit)} limit",
        work_lost_nusd=lost[0],
        work_lost=lost[1],
        tuning_job=row.tuning_job,
        tuner_alive=tuner_alive,
        pipeline=row.pipeline,
        observed_at=row.observed_at,
    )


def work_lost(situation: Situation) -> tuple[int | None, str]:
    """What stopping now loses: the money spent since the last checkpoint, None where that is not known, and in words why."""
    if not situation.ran:
        return 0, "nothing has run yet"
    if situation.job.checkpoint_uri is None:
        return situation.accruing_nusd, f"all {span(situation.ran_seconds)}: it has no checkpoints"
    found = situation.checkpoint
    if found is None or found.state == "unknown":
        return None, "when it last saved is not known"
    age = situation.now - found.checked_at
    known = "" if situation.looked_lately(found.checked_at) else f", as far as was seen {span(age)} ago"
    if found.last_written_at is None:
        return situation.accruing_nusd, f"all {span(situation.ran_seconds)}: it has saved nothing{known}"
    since = max(found.last_written_at, situation.job.started_at or found.last_written_at)
    return situation.spent_since(since), f"{span(situation.now - since)} since the last checkpoint{known}"


def _tuners(connection: Connection, rows: Sequence[Any]) -> dict[tuple[int, str], bool | None]:
    """Whether the tuning jobs that launched these still launch others, by scope and key; None is not known, and so is what is left out."""
    keys = {row.tuning_job.lower() for row in rows if row.tuning_job}
    if not keys:
        return {}
    table = tuning_jobs.c
    statement = select(tuning_jobs).where(func.lower(table.name).in_(keys)).order_by(table.created_second)
    found: dict[tuple[int, str], bool | None] = {}
    for row in connection.execute(statement):
        tuner = tuning_job_of(row)
        found[row.scope_id, tuner.key] = True if tuner.is_live else False if tuner.status in _NO_MORE_CHILDREN else None
    return found


def _tuning_target(connection: Connection, row: Any, tuner: TuningJob) -> StopTarget:
    own = (jobs.c.is_live, jobs.c.scope_id == row.scope_id, func.lower(jobs.c.tuning_job) == tuner.key)
    ids = set(connection.scalars(select(jobs.c.id).where(*own)))
    children = [one for one in live_jobs(connection) if one.job_id in ids]
    burns = [one.accrual.burn_nusd_per_hour for one in children]
    accrued = [one.accrual.accruing_nusd for one in children]
    return StopTarget(
        kind="tuning_job",
        name=tuner.name,
        arn=tuner.arn,
        account=row.account,
        region=row.region,
        created_at=tuner.created_at,
        team=children[0].team if children else _team_of(connection, row.scope_id, tuner),
        status=tuner.status,
        secondary_status=None,
        instances=f"{len(children)} running of {tuner.most_children or 'an unknown number of'} jobs",
        capacity="",
        ran_seconds=sum(one.accrual.seconds for one in children),
        burn_nusd=_total(burns),
        accruing_nusd=_total(accrued),
        avoided_nusd=None,
        avoided="how long the search would go on is not known",
        work_lost_nusd=_total(accrued),
        work_lost="what its running jobs have done",
        observed_at=row.observed_at,
    )


def _total(amounts: Sequence[int | None]) -> int | None:
    """The sum, None where any part of it is not known."""
    return None if any(amount is None for amount in amounts) else sum(amount or 0 for amount in amounts)


def _team_of(connection: Connection, scope_row: int, tuner: TuningJob) -> str:
    """The team of its newest child; unattributed where it has none in our books."""
    statement = (
        select(jobs.c.team)
        .where(jobs.c.scope_id == scope_row, func.lower(jobs.c.tuning_job) == tuner.key)
        .order_by(jobs.c.created_at.desc())
        .limit(1)
    )
    return connection.scalar(statement) or UNATTRIBUTED
