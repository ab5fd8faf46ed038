"""Large databases for benchmarks: plain ended jobs through the product's own writers, in this process."""

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from demo.lifecycle import describe
from demo.workload import bulk
from derivations.keep import Keeper
from domain.scope import Scope
from settings import Settings
from storage import migrate
from storage.engine import Engine, open_engine, writing
from storage.facts import scope_id, upsert_descriptions
from storage.runs import finish_run, start_run

SCOPE = Scope("123456789012", "us-east-1", "bench")
BATCH = 1000


def settings_of(plans: list[Any]) -> Settings:
    """Settings that list the teams and projects of the plans."""
    owners: dict[str, set[str]] = {}
    for plan in plans:
        owners.setdefault(plan.tags["Team"], set()).add(plan.tags["Project"])
    teams = [{"id": team, "projects": sorted(projects)} for team, projects in sorted(owners.items())]
    return Settings.model_validate({"conventions": {"company": "acme"}, "teams": teams})


def described(plans: list[Any], now: datetime) -> Iterator[dict[str, Any]]:
    """What AWS would say of the plans, with tags as Search has them."""
    for plan in plans:
        yield {**describe(plan, now), "Tags": [{"Key": key, "Value": value} for key, value in plan.tags.items()]}


def build(path: Path, jobs: int, days: int, now: datetime) -> tuple[Engine, Settings]:
    """A SQLite database of so many ended jobs over so many days."""
    started = time.perf_counter()
    plans = bulk(jobs, now, days)
    settings = settings_of(plans)
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    keeper = Keeper(engine, settings)
    keeper.refresh()
    found = described(plans, now)
    done = 0
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        run = start_run(connection, row, "jobs", "bench", now)
    while batch := list(islice(found, BATCH)):
        with writing(engine) as connection:
            keeper.derive(connection, upsert_descriptions(connection, SCOPE, row, batch, now).changed)
        done += len(batch)
        if done % 50_000 == 0:
            print(f"  built {done:,} of {jobs:,} jobs, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    with writing(engine) as connection:
        finish_run(connection, run, now, "ok", "bench", done, 0, 0)
    keeper.finish()
    return engine, settings
