"""`make bench`: speed and size as a Markdown table of figures and ratios measured in this one run.

Figures are of a shared, noisy machine: what compares is measured side by side. Nothing here fails a build.
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from storage.engine import Engine
from tests.bench.account import ingest, memory
from tests.bench.build import build
from tests.bench.cleaning import sweep_and_deletes
from tests.bench.first_load import first_load
from tests.bench.objects import listing_memory
from tests.bench.runaway import accuracy, thousand
from tests.bench.scripts import page_scripts
from tests.bench.views import by_team_and_day, opening_a_job, p95, questions, typical
from tests.bench.worker import worker_memory
from ui import heap

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = 730
LIMITS_MS = {"default": 50, "two years": 150, "list": 50}
TITLES = {
    "default": "Slowest view behind Overview and Team cost, default period",
    "two years": "Slowest of them over two years",
    "list": "Slowest page of the Jobs list",
}
Row = tuple[str, str, str, bool]


def slowest_views(engine: Engine) -> list[Row]:
    """The slowest view of each kind, at the 95th percentile."""
    heap.settle()  # as the server does
    slowest: dict[str, tuple[float, str]] = {}
    for kind, name, ask in questions(NOW):
        took = p95(ask, engine)
        print(f"  {kind:10} {name:36} {took:7.1f} ms", file=sys.stderr)
        slowest[kind] = max(slowest.get(kind, (0.0, "")), (took, name))
    rows = [
        (TITLES[kind], f"{took:.1f} ms ({name})", f"≤ {LIMITS_MS[kind]} ms", took <= LIMITS_MS[kind])
        for kind, (took, name) in slowest.items()
    ]
    opening = p95(opening_a_job(engine), engine)
    return [*rows, ("Opening a job", f"{opening:.1f} ms", "≤ 50 ms", opening <= 50)]


def growth(small: Engine, large: Engine) -> Row:
    """By team and day at a million jobs against a hundred thousand, asked in turns."""
    ask = by_team_and_day(NOW)
    ratio = median(typical(ask, large) / typical(ask, small) for _ in range(9))
    return "By team and day, 1,000,000 jobs ÷ 100,000 jobs", f"{ratio:.2f}", "≤ 1.50", ratio <= 1.5


def measured(folder: Path, jobs: int) -> list[Row]:
    """Every row of the table."""
    rows = ingest(folder) + memory(folder) + worker_memory(folder) + first_load(folder)
    small, _ = build(folder / "small.db", jobs // 10, DAYS, NOW)
    large, settings = build(folder / "large.db", jobs, DAYS, NOW)
    size = (folder / "large.db").stat().st_size / 1e9
    rows += slowest_views(large)
    rows.append(growth(small, large))
    rows.append((f"Database of {jobs:,} jobs", f"{size:.2f} GB", "≤ 1.5 GB", size <= 1.5))
    rows += page_scripts(folder / "large.db", settings)
    return rows + accuracy(folder) + thousand(folder) + listing_memory() + sweep_and_deletes(folder)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs in the large database")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trainwatch-bench-") as folder:
        rows = measured(Path(folder), arguments.jobs)
    print(f"| measured on {datetime.now(UTC):%Y-%m-%d} | figure | goal | |\n| --- | --- | --- | --- |")
    for what, figure, goal, reached in rows:
        print(f"| {what} | {figure} | {goal} | {'✓' if reached else '✗'} |")


if __name__ == "__main__":
    main()
