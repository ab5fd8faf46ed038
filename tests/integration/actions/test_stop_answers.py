"""What AWS answers to a stop, and what is made of it: refused, throttled, lost, or never said."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

import aws.session
from demo.call import Call
from demo.errors import invalid
from demo.faults import EXPIRED
from demo.plan import DEFAULT_ACCOUNT
from tests.integration.actions.conftest import (
    Desk,
    Sit,
)

Break = Callable[[Desk], None]

REFUSING: dict[str, tuple[Break, str]] = {
    "denied": (
        lambda desk: desk.aws.faults.deny("StopTrainingJob"),
        "sagemaker:StopTrainingJob is denied: add sagemaker:StopTrainingJob to arn:aws:iam::123456789012:user/demo",
    ),
    "denied by a guard rail": (
        lambda desk: desk.aws.faults.deny(
            "StopTrainingJob",
            "User: arn:aws:iam::1:user/x is not authorized to perform: sagemaker:StopTrainingJob with an explicit deny in a service "
            "control policy",
        ),
        "service control policy denies it explicitly to arn:aws:iam::1:user/x; take that denial away",
    ),
    "throttled": (lambda desk: desk.aws.faults.throttle("StopTrainingJob"), "StopTrainingJob was throttled even after retries"),
    "failing": (lambda desk: desk.aws.faults.fail("StopTrainingJob", 500), "StopTrainingJob failed inside AWS"),
    "out of service": (lambda desk: desk.aws.faults.fail("StopTrainingJob", 503), "StopTrainingJob failed inside AWS"),
    "refused": (lambda desk: desk.before("StopTrainingJob", _says_no), "StopTrainingJob was refused (ValidationException): not today"),
    "expired meanwhile": (lambda desk: desk.before("StopTrainingJob", _says_expired), "have expired: run 'aws sso login'"),
}


def _says_no(_: Call) -> None:
    raise invalid("not today")


def _says_expired(_: Call) -> None:
    raise EXPIRED


@pytest.mark.parametrize("how", REFUSING)
def test_what_aws_refuses_is_told_in_words_leaves_the_job_running_and_can_be_asked_again(how: str, sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    before = desk.statuses()
    operations = dict(desk.aws._gateway.operations)
    breaks, words = REFUSING[how]
    breaks(desk)
    result = desk.stop()
    assert (result.outcome, result.is_done, result.before, result.after) == ("failed", False, "InProgress", "InProgress")
    assert words in result.words
    assert "123456789012 · us-east-1" in result.words
    assert "next run" not in result.words  # nobody would ask again by itself
    assert desk.events() == ["asked", f"failed: {result.words}"]
    assert desk.audit()[0].after == {"status": "InProgress", "secondary_status": "Training"}
    assert desk.open_stops() == []
    assert desk.statuses() == before

    desk.aws.faults.clear()
    desk.aws._gateway.operations.update(operations)
    assert desk.stop().outcome == "stopping"
    assert desk.status() == "Stopping"
    assert len(desk.audit()) == 2


@pytest.mark.parametrize("reset", [True, False])
def test_an_answer_that_is_lost_is_looked_for_in_what_the_job_does(reset: bool, sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.cut("StopTrainingJob", reset=reset)
    result = desk.stop()
    assert desk.status() == "Stopping"
    assert (result.outcome, result.after) == ("stopping", "Stopping")
    assert "the connection to AWS broke" in result.words
    assert [one.state for one in desk.open_stops()] == ["stopping"]


def test_where_nobody_knows_whether_aws_got_the_request_that_is_what_is_said(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws.session, "READ_SECONDS", 0.3)
    desk = sit()
    desk.aws.faults.slow("StopTrainingJob", 1.0)
    result = desk.stop()
    assert result.outcome == "failed"
    assert "AWS did not answer in time" in result.words
    assert "whether AWS got the request is not known" in result.words
    desk.aws.faults.clear()
    deadline = time.monotonic() + 10
    while desk.status() != "Stopping" and time.monotonic() < deadline:
        time.sleep(0.05)
    asked = desk.asked()
    assert desk.stop().outcome == "already_stopping"
    assert desk.asked() == asked


def test_a_refusal_after_which_nobody_can_look_is_not_taken_for_the_end_of_the_job(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)

    def no_and_blind(_: Call) -> None:
        desk.aws.faults.deny("DescribeTrainingJob")
        raise invalid("not today")

    desk.before("StopTrainingJob", no_and_blind)
    result = desk.stop()
    assert (result.outcome, result.after, result.is_done) == ("failed", None, False)
    assert "not today" in result.words
    assert desk.status() == "InProgress"
    assert desk.audit()[0].after is None


def test_that_nobody_can_look_after_the_request_changes_nothing_about_it(sit: Sit) -> None:
    desk = sit()
    desk.before("StopTrainingJob", lambda _: desk.aws.faults.deny("DescribeTrainingJob"))
    result = desk.stop()
    assert (result.outcome, result.before, result.after) == ("stopping", "InProgress", None)
    assert desk.status() == "Stopping"


@pytest.mark.parametrize("how", ["denied", "throttled", "failing", "cut", "expired"])
def test_a_job_that_cannot_be_looked_at_again_is_not_stopped(how: str, sit: Sit) -> None:
    desk = sit()
    faults, operation = desk.aws.faults, "DescribeTrainingJob"
    before = desk.statuses()
    {
        "denied": lambda: faults.deny(operation),
        "throttled": lambda: faults.throttle(operation),
        "failing": lambda: faults.fail(operation),
        "cut": lambda: faults.cut(operation),
        "expired": faults.expire_credentials,
    }[how]()
    result = desk.stop()
    assert result.outcome == "refused"
    assert result.words.startswith("it could not be looked at again, so nothing was done: ")
    assert ("have expired: run 'aws sso login'" in result.words) is (how == "expired")
    assert ("add sagemaker:DescribeTrainingJob to" in result.words) is (how == "denied")
    assert desk.events() == [f"refused: {result.words}"]
    assert desk.asked() == 0
    assert desk.statuses() == before
    faults.clear()
    assert desk.stop().outcome == "stopping"


def test_credentials_that_are_renewed_are_taken_up_without_a_restart(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, file = sit(aws={"regions": ["us-east-1"], "accounts": [{"id": DEFAULT_ACCOUNT}]}), tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    used: list[str] = []
    whose = desk.aws._gateway._account_of

    def noting(key: str) -> str:
        used.append(key)
        return whose(key)

    monkeypatch.setattr(desk.aws._gateway, "_account_of", noting)
    for key, outcome in (("AKIAOLD", "refused"), ("AKIANEW", "stopping")):
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = demo\n")
        if outcome == "refused":
            desk.aws.faults.expire_credentials()
        assert desk.stop().outcome == outcome
        desk.aws.faults.clear()
    assert used[-1] == "AKIANEW"
