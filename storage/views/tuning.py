"""Tuning jobs with what their children cost and reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, cast

import orjson
from sqlalchemy import Connection, select

from domain.attribution import UNATTRIBUTED
from domain.tuning import TuningJob
from storage.schema import jobs, scopes, training_jobs
from storage.schema_operations import tuning_children, tuning_jobs
from storage.tuning import tuning_job_of
from storage.views.live import live_jobs


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A child of a tuning job: what it reached and cost, in nano-dollars; None where that is not known, or not yet."""

    name: str
    status: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    objective: float | None
    parameters: Mapping[str, str]
    cost_nusd: int | None
    accruing_nusd: int | None
    burn_nusd: int | None


@dataclass(frozen=True, slots=True)
class TuningRow:
    """A tuning job, whose it is, and its children, oldest first. `known` is how many of them are in our books."""

    tuning_id: int
    job: TuningJob
    account: str
    region: str
    team: str
    observed_at: datetime
    children: tuple[ChildRow, ...]
    known: int

    @property
    def cost_nusd(self) -> int:
        """What its ended children cost, of those whose cost is known."""
        return sum(child.cost_nusd or 0 for child in self.children)

    @property
    def accruing_nusd(self) -> int:
        """What its running children have accrued, an estimate."""
        return sum(child.accruing_nusd or 0 for child in self.children)

    @property
    def burn_nusd(self) -> int:
        """What it burns per hour."""
        return sum(child.burn_nusd or 0 for child in self.children)

    @property
    def unpriced(self) -> int:
        """Children whose cost is not known: without a price, or not in our books."""
        return sum(child.cost_nusd is None and child.accruing_nusd is None for child in self.children)

    @property
    def stopped_early(self) -> int:
        """Children that were stopped and yet reached a value: that is what early stopping does."""
        return sum(child.status == "Stopped" and child.objective is not None for child in self.children)


def tuning_rows(connection: Connection, teams: Sequence[str] = (), limit: int = 200) -> list[TuningRow]:
    """Tuning jobs (of the teams), live ones first, then newest first."""
    table, found = tuning_jobs.c, list[TuningRow]()
    statement = (
        select(tuning_jobs, scopes.c.account, scopes.c.region)
        .join(scopes, scopes.c.id == table.scope_id)
        .order_by(table.watched.desc(), table.created_second.desc(), table.id)
        .limit(limit)
    )
    for offset in count(0, limit):  # whose a tuning job is, its children say
        rows = connection.execute(statement.offset(offset)).all()
        children = _children(connection, [row.id for row in rows])
        found += [one for row in rows if (one := _row(row, children.get(row.id, []))).team in teams or not teams]
        if len(found) >= limit or len(rows) < limit:
            break
    return found[:limit]


def _children(connection: Connection, ids: Sequence[int]) -> dict[int, list[tuple[ChildRow, str | None]]]:
    """The children of these tuning jobs, each with its team where it is in our books."""
    live = {one.job_id: one for one in live_jobs(connection)}
    table, facts, derived = tuning_children.c, training_jobs.c, jobs.c
    statement = (
        select(
            tuning_children, derived.id.label("job_id"), derived.team, derived.status.label("known_status"), derived.started_at,
            derived.ended_at, derived.cost_nusd,
        )
        .join(tuning_jobs, tuning_jobs.c.id == table.tuning_id)
        .outerjoin(training_jobs, (facts.scope_id == tuning_jobs.c.scope_id) & (facts.name == table.name))
        .outerjoin(jobs, derived.id == facts.id)
        .where(table.tuning_id.in_(ids))
        .order_by(table.created_at, table.name)
    )  # fmt: skip
    found: dict[int, list[tuple[ChildRow, str | None]]] = {}
    for row in connection.execute(statement):
        one = live.get(row.job_id)
        child = ChildRow(
            row.name, row.known_status or row.status, row.created_at, row.started_at, row.ended_at, row.objective,
            cast(dict[str, str], orjson.loads(row.parameters)), row.cost_nusd, one.accrual.accruing_nusd if one else None,
            one.accrual.burn_nusd_per_hour if one else None,
        )  # fmt: skip
        found.setdefault(row.tuning_id, []).append((child, row.team))
    return found


def _row(row: Any, children: Sequence[tuple[ChildRow, str | None]]) -> TuningRow:
    teams = [team for _, team in children if team]
    return TuningRow(
        row.id, tuning_job_of(row), row.account, row.region, teams[-1] if teams else UNATTRIBUTED, row.observed_at,
        tuple(child for child, _ in children), len(teams),
    )  # fmt: skip
