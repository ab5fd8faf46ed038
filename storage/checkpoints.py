"""Writer and plain reads of what lies under checkpoint prefixes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, or_, select

from domain.checkpoint import CheckpointFacts, checkpoint_state, losses, saves_of
from domain.instants import from_millis, to_millis
from domain.text import storable
from domain.training_job import TrainingJob
from storage.schema import jobs, training_jobs
from storage.schema_objects import checkpoints
from storage.state import dialect_insert

MOST_SAVES = 400


class CheckpointRow(NamedTuple):
    """A look at a job's checkpoint prefix; `writes` are the times of all writes seen since the job's start, in any order.

    `objects` is None where nothing could be listed, or there is nothing to list, since the job has no checkpoints.
    """

    job_id: int
    job: TrainingJob
    objects: int | None
    bytes: int | None
    newest_at: datetime | None
    writes: Sequence[datetime]
    cut_off: bool
    problem: str
    final: bool


def upsert_checkpoints(connection: Connection, rows: Sequence[CheckpointRow], looked_at: datetime) -> int:
    """Keeps what looks found, with the state they leave; saves seen before stay known, since trainers delete old ones.

    Returns how many looks. A last look that fails leaves what was found before.
    """
    if not rows:
        return 0
    before = read_checkpoints(connection, [row.job_id for row in rows])
    values = [_values(row, before.get(row.job_id), looked_at) for row in rows]
    new = dialect_insert(connection, checkpoints)
    changed = {column.name: new.excluded[column.name] for column in checkpoints.columns if column.name != "job_id"}
    connection.execute(new.on_conflict_do_update(index_elements=["job_id"], set_=changed), values)
    return len(rows)


def _values(row: CheckpointRow, known: CheckpointFacts | None, looked_at: datetime) -> dict[str, Any]:
    saves = saves_of([*(known.saves if known else ()), *row.writes])[-MOST_SAVES:]
    facts = CheckpointFacts(row.objects, row.bytes, row.newest_at, saves, row.cut_off, row.problem, looked_at)
    if row.objects is None and known is not None and known.objects is not None and not row.job.is_live:
        facts = replace(known, saves=saves, problem=row.problem)
    ran = row.job.running_intervals(looked_at)
    known_losses = losses(row.job, ran, saves)
    lost = sum(one.seconds for one in known_losses) if known_losses or not row.job.interruptions else None
    return {
        "job_id": row.job_id,
        "objects": facts.objects,
        "bytes": facts.bytes,
        "newest_at": facts.newest_at,
        "saves": orjson.dumps([to_millis(save) for save in saves]).decode(),
        "cut_off": facts.cut_off,
        "problem": storable(facts.problem),
        "state": checkpoint_state(row.job, ran, facts),
        "lost_seconds": lost,
        "looked_at": facts.looked_at,
        "final": row.final,
    }


def read_checkpoints(connection: Connection, job_ids: Sequence[int]) -> dict[int, CheckpointFacts]:
    """What is known of the checkpoints of these jobs, by job."""
    found: dict[int, CheckpointFacts] = {}
    for start in range(0, len(job_ids), 500):
        rows = connection.execute(select(checkpoints).where(checkpoints.c.job_id.in_(job_ids[start : start + 500])))
        found |= {row.job_id: facts_of(row) for row in rows}
    return found


def facts_of(row: Any) -> CheckpointFacts:
    """The facts of a row of the table."""
    saves = tuple(from_millis(millis) for millis in orjson.loads(row.saves))
    return CheckpointFacts(row.objects, row.bytes, row.newest_at, saves, row.cut_off, row.problem, row.looked_at)


def awaiting_last_look(connection: Connection, scope_row: int, since: datetime, limit: int) -> list[tuple[int, bytes]]:
    """Spot jobs of a scope that ended since an instant and were not looked at after that, newest first: (id, packed description)."""
    table, seen = jobs.c, checkpoints.c
    statement = (
        select(table.id, training_jobs.c.description)
        .join(training_jobs, training_jobs.c.id == table.id)
        .outerjoin(checkpoints, seen.job_id == table.id)
        .where(
            table.scope_id == scope_row, table.ended_at >= since, table.started_at.is_not(None),
            or_(table.capacity == "spot", seen.job_id.is_not(None)), func.coalesce(seen.final, False).is_(False),
        )
        .order_by(table.ended_at.desc())
        .limit(limit)
    )  # fmt: skip
    return [(row.id, row.description) for row in connection.execute(statement)]
