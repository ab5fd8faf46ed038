"""Whatever goes wrong with AWS becomes a recorded failure in words, and what was collected stays."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

import aws.session
import worker.run
from aws.session import Target
from demo.workload import bulk
from domain.scope import Scope
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import MINUTE, NOW, Watched, plan

Break = Callable[[Watched], None]

FAULTS: dict[str, tuple[Break, str]] = {
    "throttled": (lambda account: account.aws.faults.throttle("Search"), "Search was throttled even after retries"),
    "failing inside AWS": (lambda account: account.aws.faults.fail("Search", 500), "Search failed inside AWS"),
    "out of service": (lambda account: account.aws.faults.fail("Search", 503), "Search failed inside AWS"),
    "cut off": (lambda account: account.aws.faults.cut("Search"), "the connection to AWS broke"),
    "slow": (lambda account: account.aws.faults.slow("Search", 0.6), "AWS did not answer in time"),
    "expired": (lambda account: account.aws.faults.expire_credentials(), "have expired: run 'aws sso login'"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_failure_is_recorded_in_words_and_mends_by_itself(what: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws.session, "READ_SECONDS", 0.3)
    account = watch([plan("kept")])
    assert account.run().outcome == "ok"
    breaks, words = FAULTS[what]
    breaks(account)
    report = account.later(MINUTE)
    assert report.outcome == "failed"
    assert words in report.message
    assert "\n" not in report.message
    recorded = account.runs()[-1]
    assert (recorded.outcome, recorded.message) == ("failed", report.message)
    assert recorded.finished_at is not None
    assert account.names() == {"kept": 1}
    account.aws.faults.clear()
    assert account.later(MINUTE).outcome == "ok"


@pytest.mark.parametrize("fault", ["throttle", "fail", "cut"])
def test_a_single_mishap_is_retried_and_counted(fault: str, watch: Watch) -> None:
    account = watch([plan("kept")])
    getattr(account.aws.faults, fault)("Search", times=1)
    report = account.run()
    assert report.outcome == "ok"
    assert account.counted()["sagemaker:Search"] == (account.aws.calls["Search"], 1)
    assert report.calls == account.aws.calls.total() - 1  # the one that asked whose the credentials are, before the run


def test_a_failure_in_the_middle_keeps_what_came_before(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch(bulk(900, NOW, 50))
    real = worker.run.note_progress

    def then_fail(*arguments: Any) -> None:
        real(*arguments)
        account.aws.faults.fail("Search", 500)

    with monkeypatch.context() as patch:
        patch.setattr(worker.run, "note_progress", then_fail)
        report = account.run()
    assert report.outcome == "failed"
    assert 100 <= account.names().total() < 900
    assert f"{account.names().total()} jobs seen" in report.message
    account.aws.faults.clear()
    assert account.run().outcome == "ok"
    assert len(account.names()) == account.names().total() == 900


def test_without_credentials_the_run_says_what_to_do(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    report = account.run(target=Target(Scope("123456789012", "us-east-1")))
    assert report.outcome == "failed"
    assert "no AWS credentials found: set AWS_PROFILE" in report.message


def test_credentials_that_are_renewed_are_taken_up_without_a_restart(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch([plan("kept")])
    target = Target(Scope("123456789012", "us-east-1"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with monkeypatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        assert account.run(target=target).outcome == "failed"
    assert account.run(target=target).outcome == "ok"


def test_where_nobody_listens_the_run_says_so(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    report = account.run(target=Target(Scope("123456789012", "us-east-1")))
    assert report.outcome == "failed"
    assert "AWS cannot be reached" in report.message
    assert "AWS_ENDPOINT_URL" in report.message


def test_credentials_of_another_account_book_nothing(watch: Watch) -> None:
    account = watch([plan("somebody-elses")])
    report = account.run(target=Target(Scope("999999999999", "us-east-1", "other")))
    assert report.outcome == "failed"
    assert "the credentials belong to account 123456789012" in report.message
    assert not account.names()


def test_a_role_that_may_not_be_assumed_is_named(watch: Watch) -> None:
    account = watch()
    account.aws.faults.deny("AssumeRole")
    target = Target(Scope("222222222222", "us-east-1", "ml-prod"), "arn:aws:iam::222222222222:role/reader", "secret-id")
    report = account.run(target=target)
    assert report.outcome == "failed"
    assert "sts:AssumeRole is denied" in report.message
    assert "trust policy" in report.message


def test_an_assumed_role_sees_its_own_account(watch: Watch) -> None:
    account = watch([plan("ours"), plan("theirs", account="222222222222")])
    target = Target(Scope("222222222222", "us-east-1", "ml-prod"), "arn:aws:iam::222222222222:role/reader")
    assert account.run(target=target).outcome == "ok"
    assert account.names() == {"theirs": 1}


def test_an_unexpected_error_is_a_recorded_failure_too(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = watch([plan("kept")])

    def explode(*_: object) -> None:
        raise ZeroDivisionError("a surprise")

    with monkeypatch.context() as patch:
        patch.setattr("worker.run.upsert_descriptions", explode)
        report = account.run()
    assert report.outcome == "failed"
    assert "ZeroDivisionError: a surprise" in report.message
    assert account.runs()[-1].outcome == "failed"
    assert account.run().outcome == "ok"


def test_a_run_that_is_asked_to_stop_ends_after_its_transaction_and_is_continued(watch: Watch) -> None:
    account = watch(bulk(900, NOW, 50))
    stopping = Event()
    stopping.set()
    report = account.run(stopping=stopping)
    assert report.outcome == "partial"
    assert "the next run goes on from there" in report.message
    assert 0 < account.names().total() < 900
    assert account.run().outcome == "ok"
    assert len(account.names()) == account.names().total() == 900


def test_the_price_of_our_calls_is_kept(watch: Watch) -> None:
    account = watch([plan("kept")])
    account.run()
    assert account.runs()[-1].cost_nusd == 0
    assert account.runs()[-1].calls == account.counted()["sagemaker:Search"][0] + 1
