"""What was kept before a release learned more forms of secrets is masked again: some rows at a time, going on where it was."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Engine, Table, select, update

from domain.masking import is_secret, masked
from domain.secret_text import MASK, masked_text, masked_tree
from storage import descriptions
from storage.engine import reading, writing
from storage.facts import mark_pending
from storage.schema import collector_runs, derived_state, training_jobs
from storage.schema_operations import findings, messages, tuning_children, tuning_jobs
from storage.state import read_state, write_state

VERSION = 1  # counts up whenever more is masked than before
_STATE = "masking"
_DONE = "done"
Row = Mapping[str, Any]


def mask_again(connection: Connection, most: int = 500) -> int:
    """Masks the next rows that an earlier release kept; how many were looked at, 0 when all are. Call it until then.

    The audit log stays as it is: nothing changes it, ever.
    """
    place, row = _position(connection)
    if place >= len(_TABLES):
        return 0
    table, key, again = _TABLES[place]
    keys = list(connection.scalars(select(key).where(key > row).distinct().order_by(key).limit(most)))
    # Held, so that what a collector writes meanwhile is not overwritten by what stood here before.
    held = select(table).where(key.in_(keys)).with_for_update()
    rows = [dict(found) for found in connection.execute(held).mappings()]
    for found in rows:
        changed = again(found)
        if changed:
            connection.execute(update(table).where(*_is(table, found)).values(changed))
            if table is training_jobs:
                mark_pending(connection, [found["id"]])
    _note(connection, place if keys else place + 1, int(keys[-1]) if keys else 0)
    return max(1, len(rows))


def masked_all(connection: Connection) -> bool:
    """Whether there is nothing more to mask; what was masked may still lie in the database's free pages."""
    return _position(connection)[0] >= len(_TABLES)


def forget_free_pages(engine: Engine) -> None:
    """Takes what was masked out of the file too, once: VACUUM, which waits for nobody and is tried again where it cannot be had.

    PostgreSQL keeps old versions of rows until then as well.
    """
    with reading(engine) as connection:
        if read_state(connection, [_STATE]).get(_STATE) == f"{VERSION} {_DONE}" or not masked_all(connection):
            return
    raw = engine.raw_connection()
    try:
        driver: Any = raw.driver_connection
        if engine.dialect.name == "sqlite":
            for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                driver.execute(statement)
        else:
            driver.rollback()
            driver.autocommit = True
            driver.execute(f"VACUUM {', '.join(table.name for table, _, _ in _TABLES)}")
            driver.autocommit = False
    except sqlite3.OperationalError:
        return  # somebody reads or writes all the while
    finally:
        raw.close()
    with writing(engine) as connection:
        write_state(connection, _STATE, f"{VERSION} {_DONE}")


def _position(connection: Connection) -> tuple[int, int]:
    """The table and the row up to which this release has masked; a row of its own is held, so that nobody does the same meanwhile."""
    statement = select(derived_state.c.value).where(derived_state.c.key == _STATE).with_for_update()
    words = str(connection.execute(statement).scalar() or "").split()
    if not words or words[0] != str(VERSION):
        return 0, 0
    return (len(_TABLES), 0) if words[1] == _DONE else (int(words[1]), int(words[2]))


def _note(connection: Connection, place: int, row: int) -> None:
    write_state(connection, _STATE, f"{VERSION} {place} {row}")


def _is(table: Table, found: Row) -> list[Any]:
    return [column == found[column.name] for column in table.primary_key.columns]


def _job(found: Row) -> Row:
    description = descriptions.unpack(found["description"])
    again = masked(description)
    if again == description:
        return {}
    as_json = descriptions.to_json(again)
    return {"description": descriptions.pack(as_json), "digest": descriptions.digest(again, as_json)}


def _tuning(found: Row) -> Row:
    description = descriptions.unpack(found["description"])
    again = masked_tree(description)
    return {} if again == description else {"description": descriptions.pack(descriptions.to_json(again))}


def _child(found: Row) -> Row:
    parameters = orjson.loads(found["parameters"])
    again = {masked_text(name): MASK if is_secret(name, value) else value for name, value in parameters.items()}
    return {} if again == parameters else {"parameters": orjson.dumps(again).decode()}


def _texts(*columns: str) -> Callable[[Row], Row]:
    def again(found: Row) -> Row:
        texts = {name: masked_text(found[name]) for name in columns if found[name]}
        return {name: text for name, text in texts.items() if text != found[name]}

    return again


_TABLES: tuple[tuple[Table, Column[Any], Callable[[Row], Row]], ...] = (
    (training_jobs, training_jobs.c.id, _job),
    (tuning_jobs, tuning_jobs.c.id, _tuning),
    (tuning_children, tuning_children.c.tuning_id, _child),
    (collector_runs, collector_runs.c.id, _texts("message")),
    (messages, messages.c.id, _texts("title", "body", "problem")),
    (findings, findings.c.id, _texts("evidence", "advice", "quiet_reason")),
)
