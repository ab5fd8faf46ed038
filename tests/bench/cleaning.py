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
from demo.clock import SetClock
from demo.plan import Checkpoints, JobPlan, Paths
from demo.seeding import Seed
from demo.server import Server
from demo.workload import live, workload
from domain.access import Person
from settings import Settings
from storage.engine import Engine
from tests.bench.runaway import NOW, account
from worker.schedule import run_once

BUCKET = "acme-sm-rc-fraud"
KEYS = 20_000
LATENCY = 0.1  # seconds; Source: "roughly 100–200 milliseconds", performance guidelines in the S3 user guide
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
    """At the least latency that S3 lets one expect, and where a call takes no time and only our own work counts."""
    ended = next(
        plan for plan in workload(1, 300, NOW) if plan.name.startswith("rc-") and plan.created_at < NOW - timedelta(days=40)
    )  # fmt: skip
    name = "rc-fraud-bench"
    job: JobPlan = replace(
        ended, name=name, checkpoints=None, registered=(), created_at=NOW - timedelta(days=60),
        paths=Paths(f"s3://{BUCKET}/models/artifacts/", intermediates_prefix=f"s3://{BUCKET}/models/training/{name}/output/"),
    )  # fmt: skip
    with account([job], path) as (aws, clock, engine, settings):
        run_once(engine, settings, frozenset({"prices", "jobs"}), clock.now)
        ratio, words = _against_bare(aws, clock, engine, settings, name)
        for operation in ("ListObjectsV2", "DeleteObjects"):
            aws.faults.slow(operation, LATENCY)
        late_ratio, late_words = _against_bare(aws, clock, engine, settings, name)
        aws.faults.clear()
    figure = f"{late_ratio:.2f} at {1000 * LATENCY:.0f} ms a call ({late_words}); {ratio:.2f} at none ({words})"
    return "Keys a second of a clean, every key listed and judged again ÷ bare delete_objects", figure, "≥ 0.8", late_ratio >= 0.8


def _against_bare(aws: Server, clock: SetClock, engine: Engine, settings: Settings, name: str) -> tuple[float, str]:
    """A clean of so many keys and a bare loop over as many, one after the other."""
    aws.seed(BUCKET, _seeds(f"models/training/{name}/output/"))
    aws.seed(BUCKET, _seeds("bare/"))
    run_once(engine, settings, frozenset({"models", "leftovers"}), clock.now)
    reach = Reach(settings)
    plan_id = make_plan(engine, settings, reach, WHO, clock.now())
    began = time.perf_counter()
    report = apply_plan(engine, settings, reach, WHO, plan_id, clock.now)
    ours = time.perf_counter() - began
    assert isinstance(report, CleanReport), report
    assert report.deleted_objects >= KEYS, report
    s3: Any = Clients(watched(settings)[0]).s3
    began = time.perf_counter()
    for start in range(0, KEYS, 1000):
        wanted = [{"Key": f"bare/part-{number:06}"} for number in range(start, start + 1000)]
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted})
    bare = time.perf_counter() - began
    a_second = report.deleted_objects / ours, KEYS / bare
    return a_second[0] / a_second[1], f"{a_second[0]:,.0f} ÷ {a_second[1]:,.0f} keys/s"


def _seeds(prefix: str) -> Iterable[Seed]:
    return (Seed(f"{prefix}part-{number:06}", 1_000_000, NOW - timedelta(days=50)) for number in range(KEYS))
