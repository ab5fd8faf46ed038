"""The rollups: sums of job-days at the grains that pages ask for, kept by adding what changed.

Everything in them is a whole number, so adding differences gives exactly what summing from scratch gives.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam

from domain.instances import family
from domain.job_days import JobDay
from storage.bulk import add_rows
from storage.schema import (
    AMOUNTS,
    COUNTS,
    PRIMARY_COUNTS,
    clues,
    job_kinds,
    rollup_days,
    rollup_model_days,
    rollup_model_months,
    rollup_team_days,
    spot_days,
)

FLAG_PRIMARY, FLAG_STARTED, FLAG_UNPRICED = 1, 2, 4

# The columns of each table that add up, in the order in which vectors hold them.
_SUMS: dict[Table, tuple[str, ...]] = {
    rollup_days: (*COUNTS, *PRIMARY_COUNTS, *AMOUNTS),
    rollup_team_days: (*PRIMARY_COUNTS, *AMOUNTS),
    rollup_model_days: (*PRIMARY_COUNTS, *AMOUNTS),
    rollup_model_months: (*PRIMARY_COUNTS, *AMOUNTS),
    spot_days: ("jobs", "billed_nusd", "list_nusd"),
    job_kinds: ("jobs",),
    clues: ("jobs",),
}


def flags_of(row: JobDay) -> int:
    """A job-day's marks as one small number."""
    return row.primary * FLAG_PRIMARY + row.started * FLAG_STARTED + row.unpriced * FLAG_UNPRICED


class Changes:
    """What a batch of jobs adds to the rollups, and takes away."""

    def __init__(self) -> None:
        self._sums: dict[Table, dict[tuple[Any, ...], list[int]]] = {table: {} for table in _SUMS}
        self._takes_away = False

    def count(self, job: Mapping[str, Any], days: Iterable[Sequence[Any]], sign: int) -> None:
        """Adds (sign 1) or takes away (sign −1) one job: its row in `jobs` and its rows in `job_days` as
        (day, instance type, flags, then the amounts)."""
        self._takes_away = self._takes_away or sign < 0
        team, project, model = job["team"], job["project"], job["model_type"] or ""
        capacity, status, scope = job["capacity"], job["status"], job["scope_id"]
        for day, instance_type, flags, *amounts in days:
            started, unpriced = flags & FLAG_STARTED > 0, flags & FLAG_UNPRICED > 0
            counts = [1, started, unpriced, started and unpriced]
            primary = counts if flags & FLAG_PRIMARY else [0, 0, 0, 0]
            fine = [sign * value for value in (*counts, *primary, *amounts)]
            coarse = fine[4:]
            self._add(rollup_days, (day, team, project, instance_type, capacity, status, scope), fine)
            self._add(rollup_team_days, (day, team, capacity, scope), coarse)
            self._add(rollup_model_days, (day, team, project, model), coarse)
            self._add(rollup_model_months, (day.replace(day=1), team, project, model), coarse)
        kind = (team, project, job["instance_type"] or "", capacity, status, job["mode"])
        self._add(job_kinds, kind, [sign])
        self._count_spot(job, sign)
        self._count_clues(job, sign)

    def _count_spot(self, job: Mapping[str, Any], sign: int) -> None:
        if job["capacity"] != "spot" or not job["compute_nusd"] or job["spot_savings_nusd"] is None or job["ended_at"] is None:
            return
        billed, saved = job["compute_nusd"], job["spot_savings_nusd"]
        key = (job["ended_at"].date(), job["team"], family(job["instance_type"] or ""))
        self._add(spot_days, key, [sign, sign * billed, sign * (billed + saved)])

    def _count_clues(self, job: Mapping[str, Any], sign: int) -> None:
        for kind in ("tag", "role", "bucket"):
            if job[f"{kind}_clue"]:
                self._add(clues, (kind, job[f"{kind}_clue"]), [sign])

    def _add(self, table: Table, key: tuple[Any, ...], vector: list[int]) -> None:
        sums = self._sums[table]
        known = sums.get(key)
        if known is None:
            sums[key] = vector
        else:
            sums[key] = [one + other for one, other in zip(known, vector, strict=True)]

    def apply(self, connection: Connection) -> None:
        """Writes the sums, table by table and in order of keys so that two writers never wait for each other in a ring."""
        for table, sums in self._sums.items():
            keys = sorted(key for key, vector in sums.items() if any(vector))
            grain = tuple(column.name for column in table.primary_key)
            add_rows(connection, table, grain, _SUMS[table], [(*key, *sums[key]) for key in keys])
            if self._takes_away:
                self._drop_empty(connection, table, grain, keys)

    def _drop_empty(self, connection: Connection, table: Table, grain: tuple[str, ...], keys: list[tuple[Any, ...]]) -> None:
        if not keys:
            return
        empty = [table.c[name] == 0 for name in _SUMS[table]]
        here = [table.c[name] == bindparam(f"at_{name}") for name in grain]
        places = [{f"at_{name}": part for name, part in zip(grain, key, strict=True)} for key in keys]
        connection.execute(table.delete().where(*here, *empty), places)
