"""Writers of derived rows: each job's old rows are taken out of the sums and its new ones put in, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from domain.oddities import Oddity
from storage.bulk import insert_rows
from storage.rollups import Changes
from storage.schema import AMOUNTS, DERIVED_TABLES, clues, job_days, jobs, oddities, training_jobs

_DAY_COLUMNS = ("day", "instance_type", "flags", *AMOUNTS)
_JOB_COLUMNS = tuple(column.name for column in jobs.columns)
_CHUNK = 500  # parameters of one IN list


class DerivedJob(NamedTuple):
    """One job's derived rows: its row in `jobs`, its job-days as (day, instance type, flags, amounts…), its oddities."""

    row: Mapping[str, Any]
    days: Sequence[Sequence[Any]]
    oddities: Sequence[Oddity]


def replace_derived(connection: Connection, derived: Sequence[DerivedJob]) -> Changes:
    """Puts the jobs' derived rows in place of what was there and brings the rollups up to date; returns what changed there."""
    changes = Changes()
    _take_out(connection, [one.row["id"] for one in derived], changes)
    for one in derived:
        changes.count(one.row, one.days, 1)
    insert_rows(connection, jobs, _JOB_COLUMNS, [[one.row[name] for name in _JOB_COLUMNS] for one in derived])
    days = [(one.row["id"], *day) for one in derived for day in one.days]
    insert_rows(connection, job_days, ("job_id", *_DAY_COLUMNS), days)
    notes = [(one.row["id"], position, *note) for one in derived for position, note in enumerate(one.oddities)]
    insert_rows(connection, oddities, ("job_id", "position", *Oddity._fields), notes)
    changes.apply(connection)
    return changes


def _take_out(connection: Connection, job_ids: Sequence[int], changes: Changes) -> None:
    for start in range(0, len(job_ids), _CHUNK):
        ids = job_ids[start : start + _CHUNK]
        old = connection.execute(select(jobs).where(jobs.c.id.in_(ids))).mappings().all()
        if not old:
            continue
        days: dict[int, list[Sequence[Any]]] = {}
        columns = [job_days.c[name] for name in _DAY_COLUMNS]
        for job_id, *day in connection.execute(select(job_days.c.job_id, *columns).where(job_days.c.job_id.in_(ids))):
            days.setdefault(job_id, []).append(day)
        for row in old:
            changes.count(dict(row), days.get(row["id"], ()), -1)
        connection.execute(delete(job_days).where(job_days.c.job_id.in_(ids)))
        connection.execute(delete(oddities).where(oddities.c.job_id.in_(ids)))
        connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))


def clear_derived(connection: Connection) -> None:
    """Empties every derived table; nobody else derives before the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE training_jobs, derived_state IN EXCLUSIVE MODE")
    for table in DERIVED_TABLES:
        connection.execute(delete(table))


def found_clues(connection: Connection) -> list[tuple[str, str]]:
    """The distinct texts that tell of teams and projects, as (kind, value)."""
    return [(row.kind, row.value) for row in connection.execute(select(clues.c.kind, clues.c.value))]


def jobs_speaking_of(connection: Connection, teams: Iterable[str]) -> list[int]:
    """Ids of the jobs of which a text that attribution reads speaks of any of the teams."""
    found: set[int] = set()
    for team in teams:
        texts = (training_jobs.c.name, jobs.c.tuning_job, jobs.c.pipeline, jobs.c.role_clue, jobs.c.bucket_clue, jobs.c.tag_clue)
        speaks = [column.icontains(team, autoescape=True) for column in texts]
        joined = select(jobs.c.id).join(training_jobs, training_jobs.c.id == jobs.c.id)
        for condition in speaks:
            found.update(connection.scalars(joined.where(condition)))
    return sorted(found)
