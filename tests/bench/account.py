"""Collecting a large simulated account: calls, time against a loop that throws everything away, and memory.

The account is served by a process of its own, as AWS would be; its answers are rendered before anything is timed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import boto3

from derivations.keep import Keeper
from settings import Settings
from storage import migrate
from storage.engine import open_engine
from tests.bench.memory import peak_bytes
from worker.schedule import run_once

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = 300
SLICE_DAYS = 30  # the bare loop asks in slices of creation time, since one query stops at 10 000 jobs
SERVE = """
import sys, time
from datetime import datetime, UTC
from demo import server
from demo.clock import SetClock
from demo.workload import bulk
now = datetime.fromisoformat(sys.argv[2])
with server.start(bulk(int(sys.argv[1]), now, int(sys.argv[3])), SetClock(now)) as aws:
    aws.warm()
    print(aws.url, flush=True)
    sys.stdin.read()
"""
COLLECT = "import sys; from tests.bench.account import collect_and_measure; collect_and_measure(sys.argv[1])"
SETTINGS = {
    "conventions": {"company": "acme"},
    "teams": [{"id": f"team{number:02}", "projects": ["alpha", "beta", "gamma", "delta"]} for number in range(1, 13)],
}


@contextmanager
def served(jobs: int) -> Iterator[None]:
    """A simulated account of so many ended jobs, reached through the environment."""
    command = [sys.executable, "-c", SERVE, str(jobs), NOW.isoformat(), str(DAYS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip() if process.stdout else ""
        os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        os.environ |= {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        try:
            yield
        finally:
            process.terminate()


def bare_loop() -> tuple[int, float]:
    """Jobs and seconds of boto3's own search paginator with everything thrown away."""
    client = boto3.client("sagemaker")
    seen, started = 0, time.perf_counter()
    start = NOW - timedelta(days=DAYS + 1)
    while start < NOW:
        end = start + timedelta(days=SLICE_DAYS)
        filters = [
            {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": f"{start:%Y-%m-%dT%H:%M:%S}"},
            {"Name": "CreationTime", "Operator": "LessThan", "Value": f"{end:%Y-%m-%dT%H:%M:%S}"},
        ]
        pages = client.get_paginator("search").paginate(
            Resource="TrainingJob", SearchExpression={"Filters": filters}, PaginationConfig={"PageSize": 100}
        )
        seen += sum(len(page["Results"]) for page in pages)
        start = end
    return seen, time.perf_counter() - started


def collect_and_measure(path: str) -> None:
    """One full pass into a new database; prints rows, calls, seconds and the peak of memory as JSON."""
    settings = Settings.model_validate(SETTINGS | {"database": {"url": f"sqlite:///{path}"}})
    engine = open_engine(settings.database.url)
    migrate.upgrade(engine)
    run_once(engine, settings, frozenset({"prices"}), lambda: NOW)
    started = time.perf_counter()
    (report,) = run_once(engine, settings, frozenset({"jobs"}), lambda: NOW)
    seconds = time.perf_counter() - started
    assert Keeper(engine, settings).finish() == 0, "something was left to derive"
    peak = peak_bytes()
    print(json.dumps({"rows": report.rows, "calls": report.calls, "seconds": seconds, "peak_bytes": peak, "outcome": report.outcome}))


def collected(folder: Path) -> dict[str, float]:
    """A full pass in a process of its own."""
    path = folder / f"{time.time_ns()}.db"
    done = subprocess.run([sys.executable, "-c", COLLECT, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    for file in folder.glob(f"{path.name}*"):
        file.unlink()
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ingest(folder: Path, jobs: int = 20_000, rounds: int = 3) -> list[tuple[str, str, str, bool]]:
    """Rows for the table: calls, and time as a ratio, each the median of alternating rounds."""
    with served(jobs):
        pairs = [(bare_loop(), collected(folder)) for _ in range(rounds)]
    bare, ours = median(seconds for (_, seconds), _ in pairs), median(one["seconds"] for _, one in pairs)
    assert all(one["rows"] >= seen for (seen, _), one in pairs), "not every job was collected"
    calls = max(int(one["calls"]) for _, one in pairs)
    return [
        (f"SageMaker calls for {jobs:,} finished jobs", f"{calls}", f"≤ {jobs // 100 + 10}", calls <= jobs // 100 + 10),
        (
            f"Ingest of {jobs:,} jobs ÷ bare paginator loop",
            f"{ours / bare:.2f} ({ours:.1f} s ÷ {bare:.1f} s)",
            "≤ 1.00",
            ours <= bare,
        ),
    ]


def memory(folder: Path, jobs: int = 100_000) -> list[tuple[str, str, str, bool]]:
    """Rows for the table: the collector's peak of memory during a back-fill."""
    with served(jobs):
        one = collected(folder)
    assert one["rows"] >= jobs, "not every job was collected"
    peak = one["peak_bytes"] / 1e6
    return [(f"Collector's peak memory, back-fill of {jobs:,} jobs", f"{peak:.0f} MB", "≤ 400 MB", peak <= 400)]
