"""How long the views behind the pages take on a large database."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from statistics import median

from domain.period import Period, period_named
from storage.engine import Connection, Engine, reading
from storage.views.joblist import JobFilter, filter_values, job_rows, jobs_named, list_jobs
from storage.views.live import live_jobs
from storage.views.spend import dearest_jobs, spend_by, total_spend

ROUNDS = 20
MODEL = ("team", "project", "model_type")
Question = tuple[str, str, Callable[[Connection], object]]  # limit's name, what is asked, how


def p95(ask: Callable[[Connection], object], engine: Engine, rounds: int = ROUNDS) -> float:
    """The 95th percentile of so many askings, in milliseconds; the first, which warms caches, is left out."""
    return sorted(_timed(ask, engine, rounds))[int(rounds * 0.95) - 1]


def typical(ask: Callable[[Connection], object], engine: Engine, rounds: int = ROUNDS) -> float:
    """The median of so many askings, in milliseconds: what to compare by, since it forgives a noisy neighbour."""
    return median(_timed(ask, engine, rounds))


def _timed(ask: Callable[[Connection], object], engine: Engine, rounds: int) -> list[float]:
    times = []
    for _ in range(rounds + 1):
        with reading(engine) as connection:
            started = time.perf_counter()
            ask(connection)
            times.append((time.perf_counter() - started) * 1000)
    return times[1:]


def by_team_and_day(now: datetime) -> Callable[[Connection], object]:
    """The one that must not grow with the number of jobs."""
    period = period_named("month", now.date())
    return lambda connection: spend_by(connection, ("team", "day"), period)


def questions(now: datetime) -> Iterator[Question]:
    """Every view behind Overview and Team cost, for their default periods and for two years; the list and a job."""
    today = now.date()
    two_years = Period(today - timedelta(days=729), today + timedelta(days=1))
    for limit, period in (("default", period_named("month", today)), ("two years", two_years)):
        for name, by in (
            ("by team and day", ("team", "day")), ("by team", ("team",)), ("by team and capacity", ("team", "capacity")),
            ("by team, project, model type", MODEL),
        ):  # fmt: skip
            yield limit, name, lambda connection, by=by, period=period: spend_by(connection, by, period)  # type: ignore[misc]
        yield limit, "total", lambda connection, period=period: total_spend(connection, period)  # type: ignore[misc]
        yield limit, "before", lambda connection, period=period: total_spend(connection, period.before())  # type: ignore[misc]
        yield limit, "dearest jobs", lambda connection, period=period: dearest_jobs(connection, period)  # type: ignore[misc]
        yield limit, "dearest jobs of a team", lambda connection, period=period: dearest_jobs(connection, period, ["team03"], 50)  # type: ignore[misc]
    yield (
        "default",
        "14 days by team and day",
        lambda connection: spend_by(connection, ("team", "day"), period_named("14d", today)),
    )
    yield "default", "live jobs", live_jobs
    since = now - timedelta(days=30)
    for name, wanted, sort, offset in (
        ("list: newest, 30 days", JobFilter(since=since), "newest", 0),
        ("list: newest, all time", JobFilter(), "newest", 0),
        ("list: a team's failures, 30 days", JobFilter(teams=("team03",), statuses=("Failed",), since=since), "newest", 0),
        ("list: a team's failures, all time", JobFilter(teams=("team03",), statuses=("Failed",)), "newest", 0),
        ("list: a project, 30 days, page 3", JobFilter(projects=("alpha",), since=since), "newest", 100),
        ("list: part of a name, 30 days", JobFilter(text="000017", since=since), "newest", 0),
        ("list: dearest, 30 days", JobFilter(since=since), "dearest", 0),
        ("list: dearest, all time", JobFilter(), "dearest", 0),
        (
            "list: spot on one type, 30 days",
            JobFilter(capacities=("spot",), instance_types=("ml.g5.2xlarge",), since=since),
            "newest",
            0,
        ),
    ):
        yield "list", name, lambda connection, w=wanted, s=sort, o=offset: list_jobs(connection, w, s, 50, o)  # type: ignore[misc, arg-type]
    yield "list", "filter values", filter_values


def opening_a_job(engine: Engine) -> Callable[[Connection], object]:
    """Everything about one job, found by its name."""
    with reading(engine) as connection:
        name = next(iter(job_rows(connection, [1]).values())).name
    return lambda connection: jobs_named(connection, name)
