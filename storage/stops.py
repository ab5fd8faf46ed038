"""What was asked to stop and how far that is: an open row is the right to ask AWS, which only one at a time has."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from domain.stopping import Kind
from storage.descriptions import unpack
from storage.schema import scopes, training_jobs
from storage.schema_operations import stops, tuning_jobs
from storage.state import DATA_VERSION, bump, dialect_insert

CLAIM_HOLDS = timedelta(minutes=5)  # longer than all of AWS's retries take (see aws.session); after that, whoever claimed it has died


class Claim(NamedTuple):
    """Something to be stopped, and the audit row that says so."""

    audit_id: int
    scope_id: int
    kind: Kind
    name: str
    created_second: int
    by: str
    team: str
    avoided_nusd: int | None
    work_lost_nusd: int | None


class Granted(NamedTuple):
    """The right to ask AWS; `abandoned` is the audit row of the claim that was taken over, None where there was none."""

    stop_id: int
    abandoned: int | None


class OpenStop(NamedTuple):
    """A stop that has not come to its end, with the state of what it stops as our books have it."""

    stop_id: int
    audit_id: int
    kind: Kind
    name: str
    by: str
    team: str
    asked_at: datetime
    state: str
    job_id: int | None
    status: str | None
    observed_at: datetime | None


def claim(connection: Connection, wanted: Claim, now: datetime) -> Granted | OpenStop:
    """The right to ask AWS, or the stop that is open already; a claim whose owner has died is taken over."""
    row = wanted._asdict() | {"asked_at": now, "state": "claimed"}
    condition = stops.c.ended_at.is_(None)
    new = dialect_insert(connection, stops).values(row)
    columns = ["scope_id", "kind", "name", "created_second"]
    made = connection.execute(new.on_conflict_do_nothing(index_elements=columns, index_where=condition).returning(stops.c.id)).scalar()
    if made is not None:
        bump(connection, DATA_VERSION)
        return Granted(int(made), None)
    same = [stops.c[name] == row[name] for name in columns]
    held = connection.execute(select(stops).where(*same, condition).with_for_update()).one()
    if held.state == "claimed" and now - held.asked_at > CLAIM_HOLDS:
        connection.execute(update(stops).where(stops.c.id == held.id).values(row))
        bump(connection, DATA_VERSION)
        return Granted(int(held.id), int(held.audit_id))
    return OpenStop(held.id, held.audit_id, held.kind, held.name, held.by, held.team, held.asked_at, held.state, None, None, None)


def advance(connection: Connection, stop_id: int, state: str, now: datetime, *, ended: bool) -> None:
    """Notes how far a stop is: stopping, stopped, already_ended or failed; what has ended may be asked for anew."""
    connection.execute(update(stops).where(stops.c.id == stop_id).values(state=state, ended_at=now if ended else None))
    bump(connection, DATA_VERSION)


def open_stops(connection: Connection, scope_row: int | None = None) -> list[OpenStop]:
    """The stops (of a scope) that have not come to their end, oldest first."""
    table, job, tuner = stops.c, training_jobs.c, tuning_jobs.c
    statement = (
        select(
            stops, job.id.label("job_id"), job.description, job.gone_at, job.observed_at.label("job_seen"),
            tuner.status.label("tuner_status"), tuner.observed_at.label("tuner_seen"),
        )
        .outerjoin(
            training_jobs,
            (table.kind == "training_job") & (job.scope_id == table.scope_id) & (job.name == table.name)
            & (job.created_second == table.created_second),
        )
        .outerjoin(
            tuning_jobs,
            (table.kind == "tuning_job") & (tuner.scope_id == table.scope_id) & (tuner.name == table.name)
            & (tuner.created_second == table.created_second),
        )
        .where(table.ended_at.is_(None))
        .order_by(table.asked_at)
    )  # fmt: skip
    if scope_row is not None:
        statement = statement.where(table.scope_id == scope_row)
    return [_open(row) for row in connection.execute(statement)]


def open_stops_by_identity(connection: Connection) -> dict[tuple[str, str, str, str, int], OpenStop]:
    """The same by (kind, account, region, name, second of creation): a name may be in use elsewhere, or again."""
    statement = (
        select(stops.c.id, stops.c.kind, scopes.c.account, scopes.c.region, stops.c.name, stops.c.created_second)
        .join(scopes, scopes.c.id == stops.c.scope_id)
        .where(stops.c.ended_at.is_(None))
    )
    where = {row.id: (row.kind, row.account, row.region, row.name, row.created_second) for row in connection.execute(statement)}
    return {where[stop.stop_id]: stop for stop in open_stops(connection) if stop.stop_id in where}


def _open(row: Any) -> OpenStop:
    status = row.tuner_status
    if row.description is not None:
        status = "Gone" if row.gone_at else str(unpack(row.description).get("TrainingJobStatus"))
    seen = row.job_seen or row.tuner_seen
    return OpenStop(row.id, row.audit_id, row.kind, row.name, row.by, row.team, row.asked_at, row.state, row.job_id, status, seen)
