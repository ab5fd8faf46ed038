"""How fast a clean deletes beside a bare loop over as many keys, and what a look at the checkpoints of live jobs takes."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from actions.cleaning import CleanReport, apply_plan
from actions.planning import make_plan
from actions.reach import Reach
from aws.session import Clients, watched
from demo.plan import Checkpoints, JobPlan, Paths
from demo.seeding import Seed
from demo.workload import live, workload
from domain.access import Person
from tests.bench.runaway import NOW, account
from worker.schedule import run_once

KEYS = 4_000
LIVE_JOBS = 500
WHO = Person("bench", "admin", via="bench")
Row = tuple[str, str, str, bool]


def sweep_and_deletes(folder: Path) -> list[Row]:
    """List calls per live job with up to 1,000 objects each, and our deletes against delete_objects alone, in one run."""
    return [_sweep(folder / "sweep.db"), _deletes(folder / "deletes.db")]


def _sweep(path: Path) -> Row:
    plans = [
        replace(plan, checkpoints=Checkpoints(f"s3://{_bucket(number)}/checkpoints/{plan.name}/"))
        for number, plan in enumerate(live(LIVE_JOBS, NOW))
    ]
    with account(plans, path) as (aws, clock, engine, settings):
        run_once(engine, settings, frozenset({"prices", "jobs"}), clock.now)
        for number, plan in enumerate(plans):
            prefix = f"checkpoints/{plan.name}/"
            saved = (Seed(f"{prefix}step-{step:05}", 1_000_000, NOW - timedelta(hours=1)) for step in range(2 * number % 950))
            aws.seed(_bucket(number), saved)
        aws.calls.clear()
        run_once(engine, settings, frozenset({"checkpoints"}), clock.now)
        calls = aws.calls["ListObjectsV2"]
    ratio = calls / LIVE_JOBS
    return f"List calls per live job of a checkpoint sweep, {LIVE_JOBS} jobs", f"{ratio:.2f} ({calls} calls)", "≤ 1.2", 0 < ratio <= 1.2


def _bucket(number: int) -> str:
    """The simulated S3 orders a whole bucket for each page: so many small ones."""
    return f"acme-sm-bench-{number % 50:02}"


def _deletes(path: Path) -> Row:
    ended = next(
        plan for plan in workload(1, 300, NOW) if plan.name.startswith("rc-") and plan.created_at < NOW - timedelta(days=40)
    )  # fmt: skip
    name, bucket = "rc-fraud-bench", "acme-sm-rc-fraud"
    job: JobPlan = replace(
        ended, name=name, checkpoints=None, registered=(), created_at=NOW - timedelta(days=60),
        paths=Paths(f"s3://{bucket}/models/artifacts/", intermediates_prefix=f"s3://{bucket}/models/training/{name}/output/"),
    )  # fmt: skip
    with account([job], path) as (aws, clock, engine, settings):
        run_once(engine, settings, frozenset({"prices", "jobs"}), clock.now)
        aws.seed(bucket, _seeds(f"models/training/{name}/output/"))
        aws.seed(bucket, _seeds("bare/"))
        run_once(engine, settings, frozenset({"models", "leftovers"}), clock.now)
        reach = Reach(settings)
        plan_id = make_plan(engine, settings, reach, WHO, clock.now())
        began = time.perf_counter()
        report = apply_plan(engine, settings, reach, WHO, plan_id, clock.now)
        ours = time.perf_counter() - began
        assert isinstance(report, CleanReport), report
        s3: Any = Clients(watched(settings)[0]).s3
        began = time.perf_counter()
        for start in range(0, KEYS, 1000):
            wanted = [{"Key": f"bare/part-{number:06}"} for number in range(start, start + 1000)]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
        bare = time.perf_counter() - began
    ratio = (report.deleted_objects / ours) / (KEYS / bare)
    words = f"{ratio:.2f} ({report.deleted_objects / ours:,.0f} ÷ {KEYS / bare:,.0f} keys/s)"
    return "Keys a second of a clean, every key listed and judged again ÷ bare delete_objects", words, "≥ 0.8", ratio >= 0.8


def _seeds(prefix: str) -> Iterable[Seed]:
    return (Seed(f"{prefix}part-{number:06}", 1_000_000, NOW - timedelta(days=50)) for number in range(KEYS))
