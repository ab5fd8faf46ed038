"""What the worker holds in memory for four scopes, each with all of its collectors and their clients."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from demo.clock import SetClock
from demo.server import start
from demo.workload import workload
from tests.bench.memory import peak_bytes

GOAL_MB = 150
ACCOUNTS = ("123456789012", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def worker_memory(folder: Path) -> list[tuple[str, str, str, bool]]:
    """A row for the table: how much more the worker holds after a full pass over four scopes than before."""
    with start(workload(1, 300, NOW), SetClock(NOW)) as aws:
        environment = os.environ | {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": REGIONS[0],
        }
        command = [sys.executable, "-m", "tests.bench.worker", str(folder / "scopes.db")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    before, after, seconds = json.loads(done.stdout)
    more = (after - before) / 1e6
    return [
        (
            "Memory of the worker with 4 scopes, above an idle one",
            f"{more:.0f} MB ({after / 1e6:.0f} MB in all, {seconds:.1f} s CPU)",
            f"≤ {GOAL_MB} MB",
            more <= GOAL_MB,
        )
    ]


def _collect(database: str) -> None:
    """A full pass in this process; prints the peak before and after it, and the CPU seconds it took."""
    import time

    from settings import Settings
    from storage import migrate
    from storage.engine import open_engine
    from worker.schedule import run_once

    accounts = [{"id": account, "role_arn": f"arn:aws:iam::{account}:role/trainwatch-reader"} for account in ACCOUNTS]
    settings = Settings.model_validate({"aws": {"regions": list(REGIONS), "accounts": accounts}})
    engine = open_engine(f"sqlite:///{database}")
    migrate.upgrade(engine)
    before, started = peak_bytes(), time.process_time()
    reports = run_once(engine, settings, None, lambda: NOW)
    assert {report.outcome for report in reports} <= {"ok", "partial"}, reports
    print(json.dumps([before, peak_bytes(), time.process_time() - started]))


if __name__ == "__main__":
    _collect(sys.argv[1])
