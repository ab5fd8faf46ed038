"""Many rows with one statement, without SQLAlchemy's work per row.

SQLAlchemy builds a dictionary of processed parameters for each row of an executemany, which costs more than SQLite's own
work. Here the statement's text is made once from the schema's own names, and rows are handed to the driver as they are.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table

from domain.instants import day_number, to_millis
from storage.schema import Day, Instant

Rows = Sequence[Sequence[Any]]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Inserts rows whose values stand in the order of `columns`."""
    if rows:
        connection.exec_driver_sql(_statement(connection.dialect.name, table, columns, ()), _for_driver(table, columns, rows))


def add_rows(connection: Connection, table: Table, grain: tuple[str, ...], sums: tuple[str, ...], rows: Rows) -> None:
    """Inserts rows of `grain` then `sums`; where the grain is there already, the sums are added to what is there."""
    if rows:
        columns = (*grain, *sums)
        connection.exec_driver_sql(_statement(connection.dialect.name, table, columns, grain), _for_driver(table, columns, rows))


@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table, columns: tuple[str, ...], grain: tuple[str, ...]) -> str:
    """The statement's text. Every name in it is the schema's own; values only ever go in as parameters."""
    place = "?" if dialect == "sqlite" else "%s"
    known = [table.c[name].name for name in columns]
    text = f"INSERT INTO {table.name} ({', '.join(known)}) VALUES ({', '.join([place] * len(known))})"  # noqa: S608 - see above
    if grain:
        sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in known if name not in grain)
        text += f" ON CONFLICT ({', '.join(grain)}) DO UPDATE SET {sums}"
    return text


@lru_cache(maxsize=64)
def _conversions(table: Table, columns: tuple[str, ...]) -> tuple[tuple[int, Callable[[Any], int]], ...]:
    """Which positions hold days or instants, and how they become numbers."""
    kinds: tuple[tuple[type, Callable[[Any], int]], ...] = ((Day, day_number), (Instant, to_millis))
    return tuple(
        (position, convert) for position, name in enumerate(columns) for kind, convert in kinds if isinstance(table.c[name].type, kind)
    )


def _for_driver(table: Table, columns: tuple[str, ...], rows: Rows) -> list[tuple[Any, ...]]:
    conversions = _conversions(table, columns)
    if not conversions:
        return [tuple(row) for row in rows]
    ready = []
    for row in rows:
        values = list(row)
        for position, convert in conversions:
            if values[position] is not None:
                values[position] = convert(values[position])
        ready.append(tuple(values))
    return ready
