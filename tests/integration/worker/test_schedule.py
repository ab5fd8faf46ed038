"""When what runs: all scopes at once, none waiting for another, and a clean end."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select

import worker.schedule
from aws.errors import CredentialsUnusable
from storage.schema import leases
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import Watched, plan
from worker.catalog import COLLECTORS
from worker.schedule import run_forever, run_once

ROOT = Path(__file__).parents[3]
TWO_ACCOUNTS: dict[str, Any] = {
    "accounts": [
        {"id": "222222222222", "name": "theirs", "role_arn": "arn:aws:iam::222222222222:role/reader"},
        {"id": "123456789012", "name": "ours"},
    ]
}
FOREVER = """
import sys
from settings import Settings
from storage.engine import open_engine
from worker.schedule import run_forever
run_forever(open_engine(sys.argv[1]), Settings())
"""


def _until(condition: Any, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_a_full_pass_reports_every_scope_and_collector(watch: Watch) -> None:
    account = watch([plan("ours"), plan("theirs", account="222222222222")], aws=TWO_ACCOUNTS)
    reports = run_once(account.engine, account.settings, None, account.clock.now)
    assert {(report.scope.name, report.collector, report.outcome) for report in reports} == {
        (name, collector, "ok") for name in ("ours", "theirs") for collector in COLLECTORS
    }
    assert account.names() == {"ours": 1, "theirs": 1}


def test_only_the_collectors_named_run(watch: Watch) -> None:
    account = watch([plan("ours")])
    reports = run_once(account.engine, account.settings, frozenset({"jobs"}), account.clock.now)
    assert [report.collector for report in reports] == ["jobs"]
    assert account.aws.calls["GetProducts"] == 0


def test_one_scope_that_fails_leaves_the_other_alone(watch: Watch) -> None:
    account = watch([plan("ours"), plan("theirs", account="222222222222")], aws=TWO_ACCOUNTS)
    account.aws.faults.deny("AssumeRole")
    reports = run_once(account.engine, account.settings, None, account.clock.now)
    assert {(report.scope.name, report.outcome) for report in reports} == {("ours", "ok"), ("theirs", "failed")}
    assert account.names() == {"ours": 1}


def test_one_scope_that_is_slow_does_not_delay_the_other(watch: Watch) -> None:
    account = watch([plan("ours"), plan("theirs", account="222222222222")], aws=TWO_ACCOUNTS)
    account.aws.faults.slow("AssumeRole", 4)
    stopping = Event()
    thread = Thread(target=run_forever, args=(account.engine, account.settings, account.clock.now, stopping))
    thread.start()
    try:
        assert _until(lambda: account.names() == {"ours": 1}, 3.5)
    finally:
        account.aws.faults.clear()
        stopping.set()
        thread.join(20)
    assert not thread.is_alive()


def test_without_accounts_to_watch_yet_it_says_so_in_one_line_and_tries_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    account = watch([plan("ours")])
    monkeypatch.setattr(worker.schedule, "TARGETS_AGAIN_SECONDS", 0.1)
    account.aws.faults.expire_credentials()
    stopping = Event()
    thread = Thread(target=run_forever, args=(account.engine, account.settings, account.clock.now, stopping))
    with caplog.at_level(logging.ERROR):
        thread.start()
        assert _until(lambda: caplog.records)
        account.aws.faults.clear()
        assert _until(lambda: account.names() == {"ours": 1})
        stopping.set()
        thread.join(20)
    first = caplog.records[0].getMessage()
    assert "have expired: run 'aws sso login'" in first
    assert "\n" not in first


def test_a_full_pass_without_credentials_raises_what_to_do(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(CredentialsUnusable, match="no AWS credentials found"):
        run_once(account.engine, account.settings)


@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(one: signal.Signals, watch: Watch) -> None:
    account = watch([plan("ours")])
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", FOREVER, str(account.engine.url)], cwd=ROOT, env=environment)
    assert _until(lambda: _is_done(account))
    process.send_signal(one)
    assert process.wait(20) == 0
    assert account.rows(select(leases)) == []


def _is_done(account: Watched) -> bool:
    return [row.outcome for row in account.runs()] == ["ok"] and [row.outcome for row in account.runs("prices")] == ["ok"]
