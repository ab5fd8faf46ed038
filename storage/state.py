"""The few values that say what derived rows were derived from, and the version that caches are keyed by."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.schema import derived_state

DATA_VERSION = "data_version"


def dialect_insert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, of the connection's database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def read_state(connection: Connection, keys: Iterable[str], *, hold: bool = False) -> dict[str, str]:
    """The values of these keys that are there; with `hold`, nobody changes them before this transaction ends."""
    statement = select(derived_state).where(derived_state.c.key.in_(list(keys))).order_by(derived_state.c.key)
    if hold:
        statement = statement.with_for_update(read=True)
    return {row.key: row.value for row in connection.execute(statement)}


def write_state(connection: Connection, key: str, value: str) -> None:
    """Keeps a value under a key."""
    new = dialect_insert(connection, derived_state).values(key=key, value=value)
    connection.execute(new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}))


def bump(connection: Connection, key: str) -> None:
    """Counts a version up by one."""
    held = connection.execute(select(derived_state.c.value).where(derived_state.c.key == key).with_for_update()).scalar()
    write_state(connection, key, str(int(held or 0) + 1))


def data_version(connection: Connection) -> int:
    """Counts up with every change to derived rows or runs: what was read under one version stays true under it."""
    return int(read_state(connection, [DATA_VERSION]).get(DATA_VERSION, "0"))
