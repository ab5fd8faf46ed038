"""Collector runs, their watermarks, and the count of our own AWS calls."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, cast

import orjson
from sqlalchemy import Connection, insert, select, update

from domain.secret_text import storable_words
from storage.schema import api_calls, collector_runs, collector_status, watermarks
from storage.state import DATA_VERSION, bump, dialect_insert

Outcome = Literal["running", "ok", "partial", "failed", "abandoned"]
MESSAGE_LIMIT = 2000


class CallCount(NamedTuple):
    """Calls of one AWS operation, how many failed, and what they cost."""

    operation: str
    calls: int
    errors: int
    cost_nusd: int


def start_run(connection: Connection, scope_row: int, collector: str, holder: str, at: datetime) -> int:
    """Records that a run began; returns its id. Runs of the same scope and collector that never ended count as abandoned."""
    table = collector_runs.c
    connection.execute(
        update(collector_runs)
        .where(table.scope_id == scope_row, table.collector == collector, table.outcome == "running")
        .values(outcome="abandoned", finished_at=at, message="the process ended before the run did; the next run went on from there")
    )
    values = {"scope_id": scope_row, "collector": collector, "holder": holder, "started_at": at, "outcome": "running"}
    run_id = int(connection.execute(insert(collector_runs).values(values).returning(table.id)).scalar_one())
    new = dialect_insert(connection, collector_status).values(scope_id=scope_row, collector=collector, run_id=run_id)
    connection.execute(new.on_conflict_do_update(index_elements=["scope_id", "collector"], set_={"run_id": run_id}))
    return run_id


def note_progress(connection: Connection, run_id: int, rows: int, calls: int, message: str) -> None:
    """Records how far a run has come, for whoever watches."""
    values = {"rows": rows, "calls": calls, "message": storable_words(message, MESSAGE_LIMIT)}
    connection.execute(update(collector_runs).where(collector_runs.c.id == run_id).values(values))


def finish_run(
    connection: Connection, run_id: int, at: datetime, outcome: Outcome, message: str, rows: int, calls: int, cost_nusd: int
) -> None:
    """Records how a run ended, in words."""
    values = {"finished_at": at, "outcome": outcome, "message": storable_words(message, MESSAGE_LIMIT)}
    totals = {"rows": rows, "calls": calls, "cost_nusd": cost_nusd}
    changed = update(collector_runs).where(collector_runs.c.id == run_id).values(values | totals)
    run = connection.execute(changed.returning(*(collector_runs.c[name] for name in ("scope_id", "collector", "started_at")))).one()
    went_well = ({"succeeded_at": at} if outcome in ("ok", "partial") else {}) | ({"whole_at": run.started_at} if outcome == "ok" else {})
    if went_well:
        status = collector_status.c
        where = (status.scope_id == run.scope_id, status.collector == run.collector)
        connection.execute(update(collector_status).where(*where).values(went_well))
    bump(connection, DATA_VERSION)  # freshness changed, and what live jobs have accrued


def count_calls(connection: Connection, scope_row: int, day: date, counts: Iterable[CallCount]) -> None:
    """Adds our own AWS calls of a UTC day to what was counted before."""
    rows = [{"day": day, "scope_id": scope_row} | count._asdict() for count in counts if count.calls]
    if rows:
        new = dialect_insert(connection, api_calls)
        added = {name: api_calls.c[name] + new.excluded[name] for name in ("calls", "errors", "cost_nusd")}
        connection.execute(new.on_conflict_do_update(index_elements=["day", "scope_id", "operation"], set_=added), rows)


def read_watermark(connection: Connection, scope_row: int, collector: str) -> dict[str, Any]:
    """What a collector last wrote down for itself; empty before its first run."""
    table = watermarks.c
    text = connection.scalar(select(table.state).where(table.scope_id == scope_row, table.collector == collector))
    return cast(dict[str, Any], orjson.loads(text)) if text else {}


def write_watermark(connection: Connection, scope_row: int, collector: str, state: dict[str, Any]) -> None:
    """Writes down how far a collector has come, in the transaction that keeps what it found."""
    text = orjson.dumps(state, option=orjson.OPT_NON_STR_KEYS).decode()
    new = dialect_insert(connection, watermarks).values(scope_id=scope_row, collector=collector, state=text)
    connection.execute(new.on_conflict_do_update(index_elements=["scope_id", "collector"], set_={"state": new.excluded.state}))
