"""Engines and transactions: SQLite in WAL mode or PostgreSQL, the same to everyone above."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

# Other rooms pass connections on without knowing SQLAlchemy: they take the two names from here.
__all__ = ["Connection", "DatabaseUnusable", "Engine", "create_private", "keep_quick", "open_engine", "reading", "unusable", "writing"]

_WRITES = "trainwatch_writes"


class DatabaseUnusable(Exception):
    """The database cannot be opened; the message says which and what to do."""


def shown(url: URL) -> str:
    """A database's address without what is secret in it: neither a password before the host nor one among the parameters."""
    return (
        f"{url.get_backend_name()} {url.database or ''}".strip()
        if url.host is None
        else f"{url.get_backend_name()} {url.host}/{url.database}"
    )


def unusable(engine: Engine, error: DBAPIError) -> DatabaseUnusable:
    """A driver's error in one line, with the database it is about."""
    why = " ".join(str(error.orig).split())
    return DatabaseUnusable(f"the database {shown(engine.url)} cannot be used: {why}; check [database] url")


def open_engine(url: str) -> Engine:
    """An engine for a database URL; a SQLite file's folder is made if it is missing.

    Raises DatabaseUnusable for a URL that names no database we know.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise DatabaseUnusable(
                f"[database] url names {parsed.get_backend_name()}; use sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME"
            )
        if parsed.get_backend_name() == "postgresql":
            return create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUnusable("[database] url is not a database URL; use sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME") from error
    if parsed.database and parsed.database != ":memory:":
        path = Path(parsed.database).expanduser()
        _make_private(path)
        parsed = parsed.set(database=str(path))
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def create_private(path: Path) -> None:
    """An empty file that nobody else may read, or the one that is there, taken from others. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _make_private(path: Path) -> None:
    """The database's file and what SQLite keeps beside it, for its owner's eyes alone; as they are where they are somebody else's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):  # whether it can be used shows when it is opened
            if file == path or file.exists():
                create_private(file)


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours: see _on_sqlite_begin
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=OFF", "cache_size=-65536", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _on_sqlite_begin(connection: Connection) -> None:
    # A writer takes its lock at once: upgrading a read transaction would fail instead of wait.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end of the block, rolled back when the block raises."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: one consistent state for all the statements in the block."""
    with engine.connect() as connection, connection.begin():
        yield connection


def keep_quick(engine: Engine) -> None:
    """Lets SQLite look at how its tables have grown, so that it goes on choosing the right indexes; PostgreSQL does so by itself.

    A look at a thousand rows of each index takes milliseconds whatever the size. `PRAGMA optimize` would skip tables that
    grew within the one transaction it knows of. Source: https://www.sqlite.org/lang_analyze.html
    """
    if engine.dialect.name == "sqlite":
        with writing(engine) as connection:
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
            connection.exec_driver_sql("ANALYZE")
