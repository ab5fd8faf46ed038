"""Runs that end before they are done: nothing is lost and nothing counted twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

import worker.run
from demo.workload import bulk
from storage.schema import leases
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, NOW, Watched, plan

ROOT = Path(__file__).parents[3]
ONE_RUN = """
import sys
from datetime import datetime, UTC
from settings import Settings
from storage.engine import open_engine
from worker.schedule import run_once
run_once(open_engine(sys.argv[1]), Settings(), frozenset({"jobs"}), lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
"""


class Killed(BaseException):
    """Stands for the end of the process: nobody catches it, so nothing is tidied up."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, where: str, turn: int) -> None:
    """From now on the `turn`-th call of a writer of a run ends the process, inside its transaction or (`after`) past it."""
    real, turns = getattr(worker.run, where), iter(range(1, 1000))

    def dying(*arguments: Any) -> Any:
        if next(turns) == turn:
            raise Killed
        return real(*arguments)

    monkeypatch.setattr(worker.run, where, dying)


@pytest.mark.parametrize("where", ["write_watermark", "note_progress"])
def test_killed_inside_each_transaction_in_turn_nothing_is_lost_or_twice(
    where: str, watch: Watch, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = watch(bulk(1200, NOW, 100), engine)
    deaths = (1, 2, 1, 2, 3, 2, 4)  # in which of its transactions each run dies; the first of each is a look at what changed
    for turn in deaths:
        with monkeypatch.context() as patch:
            _kill_at(patch, where, turn)
            with pytest.raises(Killed):
                account.run()
        account.clock.advance(HOUR / 12)  # this very process held the lease, and lives: it must run out
    assert 200 < account.names().total() < 1200
    assert account.run().outcome == "ok"
    assert account.watermark()["descent"] is None
    assert len(account.names()) == 1200
    assert set(account.names().values()) == {1}
    _assert_sums_hold(account)
    assert [row.outcome for row in account.runs()] == ["abandoned"] * len(deaths) + ["ok"]


def _assert_sums_hold(account: Watched) -> None:
    count, cost, _, by_day, by_team = account.totals()
    assert count == account.names().total()
    assert cost >= by_day > 0
    assert by_day == by_team


def test_a_killed_process_is_followed_at_once_by_another_that_finishes_its_work(watch: Watch, tmp_path: Path) -> None:
    account = watch(bulk(2500, NOW, 100))
    account.aws.faults.slow("Search", 0.15)
    process = subprocess.Popen(
        [sys.executable, "-c", ONE_RUN, str(account.engine.url)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    deadline = time.monotonic() + 30
    while account.names().total() < 100 and time.monotonic() < deadline:
        time.sleep(0.05)
    held = account.run()
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = account.names().total()
    assert held.outcome == "held"
    assert "another process" in held.message
    assert len(account.runs()) == 1
    assert 0 < kept < 2500

    account.aws.faults.clear()
    assert account.run().outcome == "ok"
    assert len(account.names()) == account.names().total() == 2500
    assert [row.outcome for row in account.runs()] == ["abandoned", "ok"]
    _assert_sums_hold(account)


def test_a_run_whose_lease_was_taken_over_records_no_success(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch([plan("one"), plan("two", created=DAY)])
    real = worker.run.upsert_descriptions

    def robbed(connection: Any, *arguments: Any) -> Any:
        connection.execute(leases.update().values(holder="elsewhere:1:2"))
        return real(connection, *arguments)

    monkeypatch.setattr(worker.run, "upsert_descriptions", robbed)
    report = account.run()
    assert report.outcome == "lost"
    assert [row.outcome for row in account.runs()] == ["running"]  # whoever took over calls it abandoned
    assert [row.holder for row in account.rows(select(leases))] == ["elsewhere:1:2"]


def test_what_is_modified_during_a_long_back_fill_is_found_after_it(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch([*bulk(700, NOW, 100), plan("edited", created=99 * DAY)])
    with monkeypatch.context() as patch:
        _kill_at(patch, "write_watermark", 2)
        with pytest.raises(Killed):
            account.run()
    account.aws.add(plan("born-meanwhile", created=-HOUR))
    account.clock.advance(2 * HOUR)
    assert account.run().outcome == "ok"
    assert account.names()["born-meanwhile"] == 1
    assert len(account.names()) == 702
