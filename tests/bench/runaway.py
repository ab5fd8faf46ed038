"""How sure and how quick the runaway rules are: against what is truly wrong in the simulated account, and for a thousand live jobs."""

import os
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import demo
from demo.clock import SetClock
from demo.oracle import borderline_all, expected_all
from demo.plan import JobPlan
from demo.server import Server, start
from demo.workload import live, workload
from domain.findings.judge import RULES
from settings import Settings
from storage import migrate
from storage.engine import Engine, open_engine, reading
from storage.facts import all_scopes
from storage.views.findings import open_findings
from worker.judging import judge_scope
from worker.schedule import run_once

NOW = datetime(2026, 11, 22, 12, 20, tzinfo=UTC)
MOMENTS = (timedelta(0), timedelta(minutes=20), timedelta(hours=2), timedelta(hours=5))
LIVE_JOBS = 1000
ROUNDS = 5
Row = tuple[str, str, str, bool]


@contextmanager
def account(plans: list[JobPlan], path: Path) -> Iterator[tuple[Server, SetClock, Engine, Settings]]:
    """A simulated account in this process, with an empty database for it."""
    clock = SetClock(NOW)
    with start(plans, clock) as aws:
        os.environ |= {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        os.environ |= {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        settings = Settings.model_validate(tomllib.loads(f'[database]\nurl = "sqlite:///{path}"\n{demo.settings_text()}'))
        engine = open_engine(settings.database.url)
        migrate.upgrade(engine)
        yield aws, clock, engine, settings
        engine.dispose()


def accuracy(folder: Path) -> list[Row]:
    """Precision and recall over the seeded workload at some moments, matters of minutes left out; every rule has to have spoken."""
    right, wrong, missed = 0, 0, 0
    spoke: set[str] = set()
    with account(workload(1, 1500, NOW), folder / "accuracy.db") as (aws, clock, engine, settings):
        for moment in MOMENTS:
            clock.set(NOW + moment)
            run_once(engine, settings, None, clock.now)
            truth, close = expected_all(aws.plans, clock.now()), borderline_all(aws.plans, clock.now())
            with reading(engine) as connection:
                found = {(row.account, row.region, row.job, row.rule) for row in open_findings(connection)}
            true = {(*key, rule) for key, rules in truth.items() for rule in rules}
            doubtful = {(*key, rule) for key, rules in close.items() for rule in rules}
            right += len((found & true) - doubtful)
            wrong += len(found - true - doubtful)
            missed += len(true - found - doubtful)
            spoke |= {rule for *_, rule in found & true}
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    detail = f"{right} findings of {len(spoke)} of {len(RULES)} rules"
    return [
        ("Precision of the runaway rules, seeded workload", f"{precision:.3f} ({detail}, {wrong} wrong)", "1.0", precision == 1.0),
        ("Recall of the runaway rules, seeded workload", f"{recall:.3f} ({missed} missed)", "1.0", recall == 1.0 and spoke == set(RULES)),
    ]


def thousand(folder: Path) -> list[Row]:
    """The rules for a thousand live jobs, and how many calls a look at their metrics takes."""
    with account(live(LIVE_JOBS, NOW), folder / "thousand.db") as (aws, clock, engine, settings):
        run_once(engine, settings, frozenset({"prices", "jobs"}), clock.now)
        calls = []
        for _ in range(2):
            aws.calls.clear()
            run_once(engine, settings, frozenset({"metrics", "logs"}), clock.now)
            calls.append(aws.calls["GetMetricData"])
            clock.advance(timedelta(minutes=5))
            run_once(engine, settings, frozenset({"jobs"}), clock.now)
        with reading(engine) as connection:
            (scope_row,) = all_scopes(connection)
        took = [_timed(engine, settings, scope_row, clock.now()) for _ in range(ROUNDS)]
    seconds, most = median(took), max(calls)
    return [
        (f"Rules for {LIVE_JOBS:,} live jobs, read, judged and recorded", f"{seconds:.2f} s", "< 1 s", seconds < 1),
        (f"GetMetricData calls for {LIVE_JOBS:,} live jobs: first look, later ones", f"{calls[0]}, {calls[1]}", "≤ 20", most <= 20),
    ]


def _timed(engine: Engine, settings: Settings, scope_row: int, now: datetime) -> float:
    started = time.perf_counter()
    judge_scope(engine, settings, scope_row, now)
    return time.perf_counter() - started
