"""When something of a job last moved, and when we looked."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from domain.findings.situation import Signal
from storage.schema_operations import signals
from storage.state import dialect_insert

LOGS, METRICS = "logs", "metrics"


class SignalRow(NamedTuple):
    """A look at one signal of a job; `last_at` is None where it has never moved."""

    job_id: int
    signal: str
    last_at: datetime | None
    checked_at: datetime


def record_signals(connection: Connection, rows: Sequence[SignalRow]) -> None:
    """Keeps what a look found; a later instant is never replaced by an earlier one, since answers come late and out of order."""
    if not rows:
        return
    new = dialect_insert(connection, signals)
    latest = func.max if connection.dialect.name == "sqlite" else func.greatest
    moved = latest(func.coalesce(signals.c.last_at, new.excluded.last_at), func.coalesce(new.excluded.last_at, signals.c.last_at))
    changed = {"last_at": moved, "checked_at": new.excluded.checked_at}
    connection.execute(new.on_conflict_do_update(index_elements=["job_id", "signal"], set_=changed), [row._asdict() for row in rows])


def read_signals(connection: Connection, job_ids: Sequence[int]) -> dict[int, dict[str, Signal]]:
    """What is known of the signals of these jobs, by job and signal."""
    found: dict[int, dict[str, Signal]] = {}
    for start in range(0, len(job_ids), 500):
        for row in connection.execute(select(signals).where(signals.c.job_id.in_(job_ids[start : start + 500]))):
            found.setdefault(row.job_id, {})[row.signal] = Signal(row.last_at, row.checked_at)
    return found
