"""Writers and plain reads of tuning jobs and their children."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select, update

from domain.findings.situation import Objective
from domain.text import storable
from domain.tuning import Child, TuningJob, kept_part, tuning_job_from
from storage import descriptions
from storage.schema_operations import tuning_children, tuning_jobs
from storage.state import dialect_insert


class TuningFacts(NamedTuple):
    """A tuning job as AWS described it, with all its children."""

    description: Mapping[str, Any]
    children: Sequence[Child]


class TuningGone(NamedTuple):
    """A tuning job that AWS knows no more, or whose name another has now."""

    name: str
    created_second: int


def upsert_tuning_jobs(connection: Connection, scope_row: int, found: Sequence[TuningFacts | TuningGone], observed_at: datetime) -> int:
    """Keeps tuning jobs and their children as they are now; returns how many. One that is gone stays as it was last seen, unwatched."""
    for facts in found:
        if isinstance(facts, TuningGone):
            table = tuning_jobs.c
            where = (table.scope_id == scope_row, table.name == facts.name, table.created_second == facts.created_second)
            connection.execute(update(tuning_jobs).where(*where).values(watched=False))
            continue
        kept = kept_part(facts.description)
        job = tuning_job_from(kept)
        row = {
            "scope_id": scope_row, "name": storable(job.name, 128), "created_second": int(job.created_at.timestamp()),
            "status": storable(job.status, 64), "watched": job.is_live, "observed_at": observed_at,
            "description": descriptions.pack(descriptions.to_json(kept)),
        }  # fmt: skip
        new = dialect_insert(connection, tuning_jobs).values(row)
        changed = {name: new.excluded[name] for name in ("status", "watched", "observed_at", "description")}
        upsert = new.on_conflict_do_update(index_elements=["scope_id", "name", "created_second"], set_=changed)
        tuning_id = connection.execute(upsert.returning(tuning_jobs.c.id)).scalar_one()
        _keep_children(connection, int(tuning_id), facts.children)
    return len(found)


def _keep_children(connection: Connection, tuning_id: int, children: Sequence[Child]) -> None:
    if not children:
        return
    rows = [
        {
            "tuning_id": tuning_id, "name": storable(child.name, 128), "status": storable(child.status, 64),
            "created_at": child.created_at, "objective": child.objective, "parameters": orjson.dumps(dict(child.parameters)).decode(),
        }
        for child in {child.name: child for child in children}.values()
    ]  # fmt: skip
    new = dialect_insert(connection, tuning_children)
    changed = {name: new.excluded[name] for name in ("status", "objective", "parameters")}
    connection.execute(new.on_conflict_do_update(index_elements=["tuning_id", "name"], set_=changed), rows)


def tuning_job_of(row: Any) -> TuningJob:
    """The tuning job of a row; one that nobody watches any more, though it was alive when last seen, is gone."""
    job = tuning_job_from(descriptions.unpack(row.description))
    return job.lost() if job.is_live and not row.watched else job


def known_tuning_jobs(connection: Connection, scope_row: int) -> dict[tuple[str, int], bool]:
    """The scope's tuning jobs by name and creation second, and whether each may still change."""
    table = tuning_jobs.c
    rows = connection.execute(select(table.name, table.created_second, table.watched).where(table.scope_id == scope_row))
    return {(row.name, row.created_second): row.watched for row in rows}


def objectives(connection: Connection) -> dict[tuple[int, str], Objective]:
    """What each live tuning job optimises, by scope and the tuning job's key."""
    found = {}
    for row in connection.execute(select(tuning_jobs.c.scope_id, tuning_jobs.c.description).where(tuning_jobs.c.watched)):
        job = tuning_job_from(descriptions.unpack(row.description))
        if job.objective is not None:
            found[row.scope_id, job.key] = job.objective
    return found
