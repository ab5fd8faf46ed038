"""Copies of the database, and whether it is sound."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, func, select

from storage.engine import DatabaseUnusable, create_private, reading
from storage.schema import AMOUNTS, job_days, jobs, rollup_days, rollup_model_days, rollup_model_months, rollup_team_days


def write(engine: Engine, path: Path) -> None:
    """A consistent copy of a SQLite database, made while others read and write.

    Raises DatabaseUnusable for PostgreSQL, whose own tool does this better, and where the file cannot be written.
    """
    if engine.dialect.name != "sqlite":
        raise DatabaseUnusable("a PostgreSQL database is backed up with its own tool: pg_dump --format=custom")
    if path.exists():
        raise DatabaseUnusable(f"{path} is there already; name a file that is not")
    unfinished = path.with_name(f"{path.name}.unfinished")
    with engine.connect() as connection:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)  # noqa: S101 - the dialect says so
        try:
            create_private(unfinished)
            with closing(sqlite3.connect(unfinished)) as target:
                source.backup(target)
            unfinished.rename(path)  # it has its name only once it is whole
        except (sqlite3.Error, OSError) as error:
            unfinished.unlink(missing_ok=True)
            raise DatabaseUnusable(f"{path} cannot be written: {error}") from error


def problems(engine: Engine) -> list[str]:
    """What is wrong with the database, in words; empty when it is sound and all its sums agree."""
    with reading(engine) as connection:
        found = []
        if engine.dialect.name == "sqlite":
            state = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            found += [] if state == "ok" else [f"the file is damaged: {state}"]
        return found + _sums_that_differ(connection)


def _sums_that_differ(connection: Connection) -> list[str]:
    truth = _amounts(connection, job_days)
    found = [
        f"{name} of {table.name} is {amount}, the job-days say {truth[name]}"
        for table in (rollup_days, rollup_team_days, rollup_model_days, rollup_model_months)
        for name, amount in _amounts(connection, table).items()
        if amount != truth[name]
    ]
    # A job that ran has days; one that cost nothing and never ran has none, and adds nothing.
    parts = ("compute_nusd", "warm_pool_nusd", "storage_nusd")
    costs = connection.execute(select(*(func.coalesce(func.sum(jobs.c[name]), 0) for name in parts))).one()
    return found + [
        f"{name} of jobs is {amount}, the job-days say {truth[name]}"
        for name, amount in zip(parts, costs, strict=True)
        if int(amount) != truth[name]
    ]


def _amounts(connection: Connection, table: Table) -> dict[str, int]:

    row = connection.execute(select(*(func.coalesce(func.sum(table.c[name]), 0) for name in AMOUNTS))).one()
    return dict(zip(AMOUNTS, map(int, row), strict=True))
