"""What was spent in a period, by whatever people ask: ended jobs from the rollups, live jobs worked out and added."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)

from domain.instants import day_number
from domain.job_days import day_weights
from domain.money import shares
from domain.period import Period, first_of_next_month
from domain.running import accrual_days
from storage.rollups import FLAG_PRIMARY, FLAG_STARTED, FLAG_UNPRICED
from storage.schema import (
    AMOUNTS,
    job_days,
    jobs,
    rollup_days,
    rollup_model_days,
    rollup_model_months,
    rollup_team_days,
    scopes,
)
from storage.views.live import LiveJob, live_jobs

DIMENSIONS = (
    "team", "project", "model_type", "instance_type", "capacity", "status", "mode", "account", "region", "day", "month",
)  # fmt: skip
UNKNOWN_MODEL = ""


class Spend(NamedTuple):
    """Sums of one row. `cost_nusd` is what ended jobs cost; `accruing_nusd` the estimate for live ones, kept apart.

    `jobs` counts jobs with any time in the period, with or without a price; seconds are instance seconds of all of them.
    """

    jobs: int = 0
    unpriced_jobs: int = 0
    instance_seconds: int = 0
    compute_nusd: int = 0
    warm_pool_nusd: int = 0
    storage_nusd: int = 0
    spot_savings_nusd: int = 0
    plan_covered_nusd: int = 0
    effective_nusd: int = 0
    accruing_nusd: int = 0

    @property
    def cost_nusd(self) -> int:
        """Compute, warm pool and storage of what has ended."""
        return self.compute_nusd + self.warm_pool_nusd + self.storage_nusd

    @property
    def list_nusd(self) -> int:
        """What ended jobs' compute would have cost without spot."""
        return self.compute_nusd + self.spot_savings_nusd

    def __add__(self, other: "Spend") -> "Spend":  # type: ignore[override] # adding up is what + means here, not joining tuples
        """The sums of both."""
        return Spend(*(one + another for one, another in zip(self, other, strict=True)))


NOTHING = Spend()
Key = tuple[Any, ...]


def spend_by(connection: Connection, by: Sequence[str], period: Period, teams: Sequence[str] | None = None) -> dict[Key, Spend]:
    """Spending in the period by the dimensions, keyed by their values in order (days and months are dates).

    A job of several instance types counts once in each row when asked by instance type; `total_spend` counts it once.
    Raises ValueError for a dimension that is not in `DIMENSIONS`.
    """
    unknown = [name for name in by if name not in DIMENSIONS]
    if unknown:
        raise ValueError(f"cannot group by {unknown[0]!r}; choose from {', '.join(DIMENSIONS)}")
    found = {key: spend for key, spend in _ended(connection, by, period, teams).items() if spend != NOTHING}
    _add(found, _live(live_jobs(connection, teams), by, period))
    return found


def _add(sums: dict[Key, Spend], more: Mapping[Key, Spend]) -> None:
    for key, spend in more.items():
        known = sums.get(key)
        sums[key] = spend if known is None else known + spend


def total_spend(connection: Connection, period: Period, teams: Sequence[str] | None = None) -> Spend:
    """All spending in the period, each job counted once."""
    return spend_by(connection, (), period, teams).get((), NOTHING)


def _ended(connection: Connection, by: Sequence[str], period: Period, teams: Sequence[str] | None) -> dict[Key, Spend]:
    names = set(by)
    if names <= {"team", "capacity", "day", "month", "account", "region"}:
        statement = _from_rollup(rollup_team_days, by, period, teams, "primary_")
    elif names <= {"team", "project", "model_type", "day"}:
        return _by_model(connection, by, period, teams)
    elif names <= {"team", "project", "instance_type", "capacity", "status", "day", "month", "account", "region"}:
        statement = _from_rollup(rollup_days, by, period, teams, "" if "instance_type" in names else "primary_")
    else:
        statement = _from_jobs(by, period, teams)
    return _keyed(connection, statement, by)


def _keyed(connection: Connection, statement: Select[Any], by: Sequence[str]) -> dict[Key, Spend]:
    width = len(by)
    months = [position for position, name in enumerate(by) if name == "month"]
    found: dict[Key, Spend] = {}
    for row in connection.execute(statement):
        if row[width] is None:  # a sum over no rows at all
            continue
        if not months:
            found[tuple(row[:width])] = Spend(*row[width:])
            continue
        key = tuple(part.replace(day=1) if place in months else part for place, part in enumerate(row[:width]))
        _add(found, {key: Spend(*row[width:])})
    return found


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A sum as a whole number, also where the database would answer with a decimal."""
    return cast(func.sum(column), BigInteger)


def _column(table: Table, name: str) -> ColumnElement[Any]:
    if name in ("account", "region"):
        return scopes.c[name]
    return table.c["day" if name == "month" else name]


def _is_first(day: ColumnElement[Any], by: Sequence[str], period: Period) -> ColumnElement[bool]:
    """Whether a day is the first of what one row stands for: the period, or the day or month it is asked by."""
    if "day" in by:
        return true()
    if "month" in by:
        return day.in_([period.start, *(one for one in period.days if one.day == 1)])
    return day == period.start


def _sums(table: Table, by: Sequence[str], period: Period, prefix: str) -> list[ColumnElement[Any]]:
    """The columns of `Spend` in order: jobs with time on the first day and jobs that started later, then amounts."""
    first = _is_first(table.c.day, by, period)
    counts = [
        _sum(case((first, table.c[f"{prefix}{present}"]), else_=table.c[f"{prefix}{started}"]))
        for present, started in (("present", "started"), ("unpriced_present", "unpriced_started"))
    ]
    return [*counts, *(_sum(table.c[name]) for name in AMOUNTS)]


def _from_rollup(table: Table, by: Sequence[str], period: Period, teams: Sequence[str] | None, prefix: str) -> Select[Any]:
    keys = [_column(table, name) for name in by]
    statement = select(*keys, *_sums(table, by, period, prefix)).where(table.c.day >= period.start, table.c.day < period.end)
    if {"account", "region"} & set(by):
        statement = statement.join(scopes, scopes.c.id == table.c.scope_id)
    if teams:
        statement = statement.where(table.c.team.in_(teams))
    return statement.group_by(*keys) if keys else statement


def _by_model(connection: Connection, by: Sequence[str], period: Period, teams: Sequence[str] | None) -> dict[Key, Spend]:
    """By model type and what lies above it: whole months from the months' grain, the days around them from the days'."""
    inner = _whole_months(period) if "day" not in by else None
    if inner is None:
        return _keyed(connection, _from_rollup(rollup_model_days, by, period, teams, "primary_"), by)
    table = rollup_model_months
    keys = [table.c[name] for name in by]
    started = [_sum(table.c.primary_started), _sum(table.c.primary_unpriced_started)]
    months = select(*keys, *started, *(_sum(table.c[name]) for name in AMOUNTS))
    months = months.where(table.c.month >= inner.start, table.c.month < inner.end)
    if teams:
        months = months.where(table.c.team.in_(teams))
    found = _keyed(connection, months.group_by(*keys), by)
    days = rollup_model_days
    outside = or_(and_(days.c.day >= period.start, days.c.day < inner.start), and_(days.c.day >= inner.end, days.c.day < period.end))
    edges = _from_rollup(days, by, period, teams, "primary_").where(outside)
    parts = [_keyed(connection, edges, by)]
    if inner.start == period.start:
        parts.append(_keyed(connection, _carried_over(by, period, teams), by))
    for part in parts:
        _add(found, part)
    return found


def _carried_over(by: Sequence[str], period: Period, teams: Sequence[str] | None) -> Select[Any]:
    """Jobs with time on the first day that started before it: the months' grain counts only those that started within."""
    table = rollup_model_days
    keys = [table.c[name] for name in by]
    carried = [
        _sum(table.c.primary_present - table.c.primary_started),
        _sum(table.c.primary_unpriced_present - table.c.primary_unpriced_started),
    ]
    statement = select(*keys, *carried, *(literal(0) for _ in AMOUNTS)).where(table.c.day == period.start)
    if teams:
        statement = statement.where(table.c.team.in_(teams))
    return statement.group_by(*keys)


def _whole_months(period: Period) -> Period | None:
    """The whole months in the period; None when there is none."""
    start = period.start if period.start.day == 1 else first_of_next_month(period.start)
    end = period.end.replace(day=1)
    return Period(start, end) if start < end else None


def _from_jobs(by: Sequence[str], period: Period, teams: Sequence[str] | None) -> Select[Any]:
    """By dimensions that no rollup has together: from the job-days themselves, exact and slower."""
    days = job_days.c
    keys = [_job_column(name) for name in by]
    primary = days.flags.op("&")(FLAG_PRIMARY) > 0 if "instance_type" not in by else days.flags >= 0
    counted = and_(primary, or_(_is_first(days.day, by, period), days.flags.op("&")(FLAG_STARTED) > 0))
    counts = [
        _sum(case((counted, 1), else_=0)),
        _sum(case((and_(counted, days.flags.op("&")(FLAG_UNPRICED) > 0), 1), else_=0)),
    ]
    statement = (
        select(*keys, *counts, *(_sum(days[name]) for name in AMOUNTS))
        .join(jobs, jobs.c.id == days.job_id)
        .join(scopes, scopes.c.id == jobs.c.scope_id)
        .where(days.day >= period.start, days.day < period.end)
    )
    if teams:
        statement = statement.where(jobs.c.team.in_(teams))
    return statement.group_by(*keys)


def _job_column(name: str) -> ColumnElement[Any]:
    if name in ("instance_type", "day", "month"):
        return _column(job_days, name)
    if name == "model_type":
        return func.coalesce(jobs.c.model_type, UNKNOWN_MODEL)
    return _column(jobs, name)


_OF_LIVE: Mapping[str, Callable[[LiveJob], Any]] = {
    "team": lambda job: job.team,
    "project": lambda job: job.project,
    "model_type": lambda job: job.model_type or UNKNOWN_MODEL,
    "capacity": lambda job: job.capacity,
    "status": lambda job: job.status,
    "mode": lambda job: job.mode,
    "account": lambda job: job.account,
    "region": lambda job: job.region,
}


def _live(found: Sequence[LiveJob], by: Sequence[str], period: Period) -> dict[Key, Spend]:
    """What live jobs add: the part of each that falls into the period, on its days, split by instance type when asked."""
    sums: dict[Key, Spend] = {}
    for job in found:
        counted: set[Key] = set()
        money, time = accrual_days(job.intervals, job.accrual.accruing_nusd or 0), day_weights(job.intervals)
        for day in (day for day in time if period.start <= day < period.end):
            for instance_type, count, amount in _by_type(job, money[day]) if "instance_type" in by else [(None, 0, money[day])]:
                instances = count or job.instance_count
                key = tuple(_live_value(job, name, day, instance_type) for name in by)
                first = 0 if key in counted else 1
                counted.add(key)
                unpriced = first if job.accrual.accruing_nusd is None else 0
                new = Spend(first, unpriced, time[day] // 1000 * instances, accruing_nusd=amount)
                _add(sums, {key: new})
    return sums


def _by_type(job: LiveJob, amount: int) -> list[tuple[str, int, int]]:
    """A live job's amount by instance type, in proportion to what each costs per hour; by instances where that is not known."""
    weights = [(rate or 0) * count for _, count, rate in job.instances]
    if not any(weights):
        weights = [count for _, count, _ in job.instances]
    parts = shares(amount, weights) if any(weights) else [0 for _ in weights]
    return [(kind, count, part) for (kind, count, _), part in zip(job.instances, parts, strict=True)]


def _live_value(job: LiveJob, name: str, day: date, instance_type: str | None) -> Any:
    if name == "day":
        return day
    if name == "month":
        return day.replace(day=1)
    return instance_type if name == "instance_type" else _OF_LIVE[name](job)


@dataclass(frozen=True, slots=True)
class DearJob:
    """An ended job and what it cost within a period."""

    job_id: int
    team: str
    project: str
    model_type: str | None
    cost_nusd: int


def dearest_jobs(connection: Connection, period: Period, teams: Sequence[str] | None = None, limit: int = 100) -> list[DearJob]:
    """The ended jobs that cost most within the period, dearest first.

    A job costs at least as much in all as within the period, so jobs are taken in order of their whole cost until none of
    the rest can be among the dearest.
    """
    best: list[DearJob] = []
    offset, chunk = 0, max(4 * limit, 100)
    while True:
        candidates = connection.execute(_candidates(period, teams).limit(chunk).offset(offset)).all()
        best += _within(connection, period, candidates)
        best.sort(key=lambda job: (-job.cost_nusd, job.job_id))
        best = best[:limit]
        if len(candidates) < chunk or (len(best) == limit and candidates[-1].cost_nusd <= best[-1].cost_nusd):
            return best
        offset += chunk


def _candidates(period: Period, teams: Sequence[str] | None) -> Select[Any]:
    """Jobs whose instances ran in the period, dearest in all first."""
    start, end = day_number(period.start) * 86_400_000, day_number(period.end) * 86_400_000
    table = jobs.c
    statement = (
        select(table.id, table.team, table.project, table.model_type, table.cost_nusd)
        .where(table.cost_nusd > 0)
        .where(_millis(table.ended_at) >= start, _millis(table.started_at) < end)
        .order_by(table.cost_nusd.desc())
    )
    return statement.where(table.team.in_(teams)) if teams else statement


def _millis(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger())


def _within(connection: Connection, period: Period, candidates: Sequence[Any]) -> list[DearJob]:
    if not candidates:
        return []
    days = job_days.c
    cost = _sum(days.compute_nusd + days.warm_pool_nusd + days.storage_nusd)
    statement = (
        select(days.job_id, cost)
        .where(days.job_id.in_([row.id for row in candidates]), days.day >= period.start, days.day < period.end)
        .group_by(days.job_id)
    )
    costs = {job_id: int(amount) for job_id, amount in connection.execute(statement)}
    return [DearJob(row.id, row.team, row.project, row.model_type, costs[row.id]) for row in candidates if row.id in costs]
