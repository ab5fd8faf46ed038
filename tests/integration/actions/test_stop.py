"""Stops over HTTP, on both databases: exactly what was meant, once, written down first, and told as it went."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

import aws.session
from actions.reach import Reach
from actions.stopping import StopResult, refuse
from aws.session import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS, Clients, watched
from demo.call import Call
from demo.errors import invalid
from demo.faults import EXPIRED
from demo.plan import DEFAULT_ACCOUNT, JobPlan
from domain.access import Person, Refusal
from domain.stopping import StopPlan, StopTarget, plan_stop
from settings import Settings
from storage.engine import reading, writing
from storage.schema_operations import stops
from storage.stops import CLAIM_HOLDS, Claim, OpenStop, advance, claim
from storage.views.audit import StopsSummary, stops_since
from tests.integration.actions.conftest import (
    ADMIN,
    LIMITS,
    NAME,
    OPERATOR,
    OTHER_ACCOUNT,
    OTHER_REGION,
    TWO_ACCOUNTS,
    WHY,
    Desk,
    Sit,
    neighbours,
    running,
)
from tests.integration.collectors.watching import HOUR, MINUTE, NOW, lasting, plan

ROOT = Path(__file__).parents[3]
SECOND = timedelta(seconds=1)

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


def _untouched(desk: Desk, before: dict[Any, Any]) -> None:
    """Nobody was asked to stop, and nothing has changed."""
    assert desk.statuses() == before


# Exactly what was meant


def test_a_stop_stops_exactly_that_job_and_touches_no_other(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    before = desk.statuses()
    result = desk.stop()
    after = desk.statuses()
    assert (result.outcome, result.before, result.after, result.is_done) == ("stopping", "InProgress", "Stopping", True)
    assert desk.asked() == desk.aws.calls["StopTrainingJob"] == 1
    (changed,) = [key for key in before if before[key] != after[key]]
    assert changed[:3] == (DEFAULT_ACCOUNT, "us-east-1", NAME)
    assert after.keys() == before.keys()
    assert desk.events() == ["asked", "stopping: AWS was asked and stops it"]


def test_who_asks_for_what_and_why_is_written_down_before_aws_is_asked(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    seen: list[Any] = []
    desk.before("StopTrainingJob", lambda _: seen.extend(desk.audit()))
    desk.stop()
    (row,) = seen
    assert (row.by, row.via, row.role, row.action, row.reason, row.outcome) == (
        "olga@example.com", "sign-in", "operator", "stop", WHY, "asked",
    )  # fmt: skip
    assert (row.account, row.region, row.team) == (DEFAULT_ACCOUNT, "us-east-1", "rc")
    assert row.target == f"arn:aws:sagemaker:us-east-1:{DEFAULT_ACCOUNT}:training-job/{NAME}"
    assert row.caller.startswith("arn:aws:")
    assert f":{DEFAULT_ACCOUNT}:" in row.caller
    assert row.before == {"status": "InProgress", "secondary_status": "Training"}
    assert row.after is None
    assert desk.audit()[0].after == {"status": "Stopping", "secondary_status": "Stopping"}


def test_a_namesake_in_another_account_or_region_is_left_alone(sit: Sit, engine: Engine) -> None:
    accounts = [{**account, "regions": ["us-east-1", OTHER_REGION]} for account in TWO_ACCOUNTS["accounts"]]
    desk = sit(engine=engine, aws={"accounts": accounts})
    before = desk.statuses()
    result = desk.stop(desk.target(account=OTHER_ACCOUNT))
    changed = [key for key, status in desk.statuses().items() if status != before[key]]
    assert result.outcome == "stopping"
    assert [key[:3] for key in changed] == [(OTHER_ACCOUNT, "us-east-1", NAME)]
    desk.stop(desk.target(account=DEFAULT_ACCOUNT, region=OTHER_REGION))
    assert desk.status(account=DEFAULT_ACCOUNT, region=OTHER_REGION) == "Stopping"
    assert desk.status() == "InProgress"
    assert desk.asked() == 2


def test_several_are_stopped_each_by_itself_and_one_failure_ends_only_that_one(sit: Sit, engine: Engine) -> None:
    names = [f"rc-fraud-{letter}" for letter in "abc"]
    desk = sit([*(running(name) for name in names), running("rc-fraud-d")], engine)
    before = desk.statuses()

    def not_b(call: Call) -> None:
        if call.text("TrainingJobName") == "rc-fraud-b":
            raise invalid("not this one")

    desk.before("StopTrainingJob", not_b)
    results = desk.execute(desk.plan(*(desk.target(name) for name in names)))
    assert [result.outcome for result in results] == ["stopping", "failed", "stopping"]
    assert [desk.status(name) for name in names] == ["Stopping", "InProgress", "Stopping"]
    assert {key[2] for key, status in desk.statuses().items() if status != before[key]} == {"rc-fraud-a", "rc-fraud-c"}
    assert len({result.audit_id for result in results}) == 3


def test_the_same_job_named_twice_is_stopped_once(sit: Sit) -> None:
    desk = sit()
    results = desk.execute(desk.plan(desk.target(), desk.target()))
    assert [result.outcome for result in results] == ["stopping", "already_stopping"]
    assert desk.asked() == 1


# What AWS answers


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
    _untouched(desk, before)

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
    _untouched(desk, before)
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


# Whether it is still the job that was meant


def test_a_job_that_ended_meanwhile_is_no_error_and_aws_is_not_asked(sit: Sit, engine: Engine) -> None:
    desk = sit([running(phases=lasting(3)), *neighbours()], engine)
    made = desk.plan()
    desk.clock.advance(2 * HOUR)
    result = desk.execute(made)[0]
    assert (result.outcome, result.is_done, result.after) == ("already_ended", True, "Completed")
    assert result.words == "it had ended meanwhile (Completed)"
    assert desk.asked() == 0
    assert desk.events() == ["already_ended: it had ended meanwhile (Completed)"]
    assert desk.open_stops() == []


def test_a_job_that_ends_between_the_look_and_the_request_is_no_error(sit: Sit, engine: Engine) -> None:
    desk = sit([running(phases=lasting(3))], engine)
    desk.before("StopTrainingJob", lambda _: desk.clock.advance(2 * HOUR))
    result = desk.stop()
    assert desk.asked() == 1
    assert (result.outcome, result.is_done, result.before, result.after) == ("already_ended", True, "InProgress", "Completed")
    assert desk.events() == ["asked", "already_ended: it had ended meanwhile"]
    assert desk.open_stops() == []
    with reading(engine) as connection:  # what ended by itself saved nobody anything
        assert stops_since(connection, NOW - HOUR) == StopsSummary(0, 0)


def test_a_job_that_was_deleted_meanwhile_leaves_nothing_to_stop(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made = desk.plan()
    desk.entry().deleted_at = desk.clock.now()
    before = desk.statuses()
    result = desk.execute(made)[0]
    assert (result.outcome, result.is_done, result.after) == ("already_ended", True, None)
    assert "AWS knows it no more" in result.words
    assert desk.asked() == 0
    _untouched(desk, before)


def test_a_job_that_is_deleted_between_the_look_and_the_request_is_no_error(sit: Sit) -> None:
    desk = sit()
    desk.before("StopTrainingJob", lambda _: setattr(desk.entry(), "deleted_at", desk.clock.now()))
    assert desk.stop().outcome == "already_ended"
    assert desk.open_stops() == []


@pytest.mark.parametrize("later", [SECOND, MINUTE, 5 * HOUR])
def test_a_new_job_under_the_old_name_is_not_the_one_that_was_meant(later: timedelta, sit: Sit, engine: Engine) -> None:
    desk = sit([running(created=timedelta(seconds=30)), *neighbours()], engine)
    made = desk.plan()
    desk.entry().deleted_at = desk.clock.now()
    desk.clock.advance(later)
    desk.aws.add(running(created=30 * SECOND - 30 * SECOND - later))
    before = desk.statuses()
    result = desk.execute(made)[0]
    assert desk.status() == "InProgress"
    assert (result.outcome, result.is_done) == ("refused", False)
    assert "another job has this name now" in result.words
    assert desk.events() == [f"refused: {result.words}"]
    assert desk.asked() == 0
    _untouched(desk, before)


def test_a_creation_time_that_aws_does_not_tell_is_no_match(sit: Sit) -> None:
    desk = sit()
    desk.entry().plan = replace(desk.entry().plan, overrides={"CreationTime": None})
    assert desk.stop().outcome == "refused"
    assert desk.asked() == 0


def test_a_state_that_is_not_known_here_is_left_alone(sit: Sit) -> None:
    desk = sit([running(overrides={"TrainingJobStatus": "Paused"})])
    made = replace(desk.plan(replace(desk.target(), status="InProgress")))
    result = desk.execute(made)[0]
    assert result.outcome == "refused"
    assert "not known here (Paused)" in result.words
    assert desk.asked() == 0


def test_a_job_that_somebody_else_stops_already_is_not_asked_again_and_is_followed(sit: Sit) -> None:
    desk = sit()
    before = desk.statuses()
    result = desk.stop(desk.target("rc-fraud-stopping"))
    assert (result.outcome, result.is_done, result.words) == ("already_stopping", True, "it was stopping already")
    assert desk.asked() == 0
    assert [one.state for one in desk.open_stops()] == ["stopping"]
    _untouched(desk, before)


# Who may


@pytest.mark.parametrize(
    "person",
    [
        Person("olga@example.com", "operator", frozenset({"nlp"}), "sign-in"),
        Person("olga@example.com", "operator", frozenset(), "sign-in"),
        Person("olga@example.com", "viewer", frozenset({"rc"}), "sign-in"),
        Person("visitor", "none"),
    ],
)
def test_who_lost_the_role_since_the_plan_was_made_is_refused_by_the_action_itself(person: Person, sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made, before = replace(desk.plan(), person=person), desk.statuses()
    result = desk.execute(made)[0]
    assert (result.outcome, result.is_done) == ("refused", False)
    row = desk.audit()[0]
    assert (row.by, row.role, row.outcome, row.reason) == (person.name, person.role, f"refused: {result.words}", WHY)
    assert desk.asked() == 0
    assert desk.aws.calls.total() == 0
    _untouched(desk, before)


def test_of_several_targets_only_those_of_own_teams_are_stopped_even_by_a_plan_that_should_not_be(sit: Sit) -> None:
    desk = sit()
    made = desk.plan(desk.target("nlp-llm-sft-20261120-100000"), desk.target(), person=ADMIN)
    results = desk.execute(replace(made, person=OPERATOR))
    assert [result.outcome for result in results] == ["refused", "stopping"]
    assert desk.status("nlp-llm-sft-20261120-100000") == "InProgress"


def test_a_plan_that_is_refused_is_written_down_with_its_reason(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    target = desk.target("nlp-llm-sft-20261120-100000")
    refusal = plan_stop([target], OPERATOR, WHY, LIMITS, NOW)
    assert isinstance(refusal, Refusal)
    refuse(engine, OPERATOR, target.arn, WHY, refusal, NOW, target)
    row = desk.audit()[0]
    assert (row.outcome, row.after, row.team, row.by) == (f"refused: {refusal.why}", {"refused": "other_team"}, "nlp", "olga@example.com")
    assert desk.asked() == 0


# Through which credentials


def test_the_role_for_actions_is_assumed_for_the_stop_and_not_for_reading(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine, aws=TWO_ACCOUNTS)
    callers = {target.scope.account: Clients(target).caller() for target in watched(desk.settings)}
    assert "assumed-role/trainwatch-reader/" in callers[OTHER_ACCOUNT]
    seen: list[tuple[str, str]] = []
    desk.before("StopTrainingJob", lambda call: seen.append((call.account, call.region)))
    result = desk.stop(desk.target(account=OTHER_ACCOUNT))
    assert result.outcome == "stopping"
    assert seen == [(OTHER_ACCOUNT, "us-east-1")]
    caller = desk.audit()[0].caller
    assert caller is not None
    assert caller.startswith(f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/trainwatch-operator/")
    assert desk.status() == "InProgress"
    assert desk.status(account=OTHER_ACCOUNT) == "Stopping"


def test_to_look_at_tags_first_the_role_for_reading_serves(sit: Sit) -> None:
    desk = sit([], aws=TWO_ACCOUNTS)
    for clients, role in ((desk.reach.reading, "trainwatch-reader"), (desk.reach.of, "trainwatch-operator")):
        assert f"assumed-role/{role}/" in clients(OTHER_ACCOUNT, "us-east-1").caller()


def test_without_a_role_for_actions_the_one_for_reading_serves(sit: Sit) -> None:
    accounts = [{name: value for name, value in account.items() if name != "action_role_arn"} for account in TWO_ACCOUNTS["accounts"]]
    desk = sit(aws={"regions": ["us-east-1"], "accounts": accounts})
    desk.stop(desk.target(account=OTHER_ACCOUNT))
    assert "assumed-role/trainwatch-reader/" in str(desk.audit()[0].caller)


def test_a_role_that_may_not_be_assumed_stops_nothing(sit: Sit) -> None:
    desk = sit(aws=TWO_ACCOUNTS)
    desk.aws.faults.deny("AssumeRole")
    result = desk.stop(desk.target(account=OTHER_ACCOUNT))
    assert result.outcome == "refused"
    assert "sts:AssumeRole is denied" in result.words
    assert desk.asked() == 0


def test_credentials_of_another_account_stop_nothing_there(sit: Sit, engine: Engine) -> None:
    desk = sit([running(), running(account=OTHER_ACCOUNT)], engine)
    made = desk.plan(replace(desk.target(), account=OTHER_ACCOUNT))
    before = desk.statuses()
    desk.reach = Reach(Settings.model_validate({"aws": {"regions": ["us-east-1"], "accounts": [{"id": OTHER_ACCOUNT}]}}))
    result = desk.execute(made)[0]
    assert result.outcome == "refused"
    assert f"the credentials belong to account {DEFAULT_ACCOUNT}" in result.words
    assert desk.asked() == 0
    _untouched(desk, before)


@pytest.mark.parametrize("elsewhere", [{"account": OTHER_ACCOUNT}, {"region": OTHER_REGION}])
def test_an_account_or_region_that_is_not_watched_is_out_of_reach(elsewhere: dict[str, str], sit: Sit) -> None:
    desk = sit()
    result = desk.stop(replace(desk.target(), **elsewhere))
    assert result.outcome == "refused"
    assert "the settings do not watch this account and region" in result.words
    assert desk.asked() == 0


# Once


def test_the_same_plan_twice_asks_aws_once(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made = desk.plan()
    first, second = desk.execute(made)[0], desk.execute(replace(made, person=ADMIN))[0]
    assert (first.outcome, second.outcome) == ("stopping", "already_stopping")
    assert second.words == "olga@example.com asked at 12:00 UTC already, and it is stopping"
    assert desk.asked() == 1
    assert desk.events() == ["asked", f"joined: {second.words}"]
    desk.clock.advance(HOUR)
    assert desk.execute(made)[0].outcome == "already_ended"
    assert desk.asked() == 1


def test_a_stop_that_takes_long_stays_that_of_whoever_asked_first(sit: Sit, engine: Engine) -> None:
    desk = sit([running(stop_takes_seconds=36_000)], engine)
    desk.stop()
    desk.clock.advance(5 * HOUR)
    result = desk.stop(person=ADMIN)
    assert result.outcome == "already_stopping"
    assert result.words == "olga@example.com asked at 12:00 UTC already, and it is stopping"
    assert [one.by for one in desk.open_stops()] == ["olga@example.com"]
    assert desk.asked() == 1


def _at_once(*acts: Callable[[], StopResult]) -> list[StopResult]:
    """Threads that begin together."""
    barrier, found = Barrier(len(acts)), dict[int, StopResult]()

    def run(number: int, act: Callable[[], StopResult]) -> None:
        barrier.wait()
        found[number] = act()

    threads = [Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[number] for number in range(len(acts))]


def test_of_threads_at_once_one_asks_aws_and_the_others_are_told_who_did(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.slow("StopTrainingJob", 0.3)
    plans = [desk.plan(person=Person(f"person-{number}", "admin")) for number in range(4)]
    results = _at_once(*(lambda made=made: desk.execute(made)[0] for made in plans))  # type: ignore[misc] # bound early
    assert desk.asked() == 1
    assert sorted(result.outcome for result in results) == ["already_stopping"] * 3 + ["stopping"]
    winner = next(made.person.name for made, result in zip(plans, results, strict=True) if result.outcome == "stopping")
    assert all(result.words.startswith(f"{winner} asked at 12:00 UTC") for result in results if result.outcome == "already_stopping")
    assert len(desk.audit()) == 4
    assert len(desk.open_stops()) == 1


ONE_STOP = """
import json, os, signal, sys, time
from datetime import UTC, datetime
import actions.stopping
from actions.reach import Reach
from domain.access import Person
from domain.stopping import StopLimits, plan_stop
from settings import Settings
from storage.engine import open_engine, reading
from storage.views.targets import job_targets

url, name, who, how = sys.argv[1:]
now = lambda: datetime(2026, 11, 20, 12, tzinfo=UTC)
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if how == "dies before asking":
    actions.stopping.ask_to_stop = die
if how == "dies after asking":
    actions.stopping._Stop._over = die
engine = open_engine(url)
with reading(engine) as connection:
    targets = job_targets(connection, name)
plan = plan_stop(targets, Person(who, "admin", via="shell"), "why not", StopLimits(10, 15), now())
reach = Reach(Settings())
reach.of(targets[0].account, targets[0].region).caller()
print("ready", flush=True)
sys.stdin.readline()
result = actions.stopping.execute(plan, engine, reach, now)[0]
print(json.dumps([result.outcome, result.words]), flush=True)
"""


def another_process(desk: Desk, who: str, how: str = "") -> "subprocess.Popen[str]":
    """A process that is about to stop NAME, and does once it is told to."""
    url = desk.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", ONE_STOP, url, NAME, who, how],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_of_processes_at_once_one_asks_aws_and_the_other_is_told_who_did(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.slow("StopTrainingJob", 0.5)
    processes = [another_process(desk, who) for who in ("ann", "bob", "cat")]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert desk.asked() == 1
    assert sorted(outcome for outcome, _ in said) == ["already_stopping", "already_stopping", "stopping"]
    winner = ("ann", "bob", "cat")[[outcome for outcome, _ in said].index("stopping")]
    assert all(words.startswith(f"{winner} asked at") for outcome, words in said if outcome == "already_stopping")


def killed(desk: Desk, how: str) -> None:
    """A process that stops NAME and is killed in the middle of it."""
    process = another_process(desk, "mallory", how)
    process.communicate("\n", timeout=60)
    assert process.returncode == -9


def test_a_claim_whose_process_was_killed_is_taken_over_once_it_no_longer_holds(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    killed(desk, "dies before asking")
    assert desk.asked() == 0
    assert desk.events() == ["asked"]
    desk.clock.advance(CLAIM_HOLDS)
    held = desk.stop()
    assert (held.outcome, desk.asked()) == ("already_stopping", 0)
    assert held.words.startswith("mallory asked at 12:00 UTC already")
    desk.clock.advance(SECOND)
    taken = desk.stop()
    assert (taken.outcome, desk.asked(), desk.status()) == ("stopping", 1, "Stopping")
    newest, _, abandoned = desk.audit()
    assert (newest.by, newest.outcome) == ("olga@example.com", "stopping: AWS was asked and stops it")
    assert abandoned.by == "mallory"
    assert abandoned.outcome.endswith(f"taken over by entry {newest.audit_id}")
    assert [one.by for one in desk.open_stops()] == ["olga@example.com"]


def test_a_claim_holds_longer_than_all_tries_of_a_request_that_nobody_answers() -> None:
    waits = sum(min(2**number, 20) for number in range(ATTEMPTS - 1))  # Source: botocore, exponential backoff of up to 20 s
    assert timedelta(seconds=ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + waits) < CLAIM_HOLDS


def test_a_stop_that_has_ended_gives_the_right_to_ask_to_whoever_asks_next(engine: Engine, sit: Sit) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.deny("StopTrainingJob")
    audit_id = desk.stop().audit_id
    wanted = Claim(audit_id, 1, "training_job", NAME, int(desk.target().created_at.timestamp()), "x", "rc", None, None)
    with writing(engine) as connection:
        granted = claim(connection, wanted, NOW)
        assert not isinstance(granted, OpenStop)
        assert isinstance(claim(connection, wanted, NOW), OpenStop)
        advance(connection, granted.stop_id, "failed", NOW, ended=True)
        assert not isinstance(claim(connection, wanted, NOW), OpenStop)
    assert len(desk.account.rows(select(stops))) == 3


# A database that fails


@contextmanager
def _away(engine: Engine, table: str) -> Iterator[None]:
    """Without a table, as a database that cannot be written."""
    _run(engine, f"ALTER TABLE {table} RENAME TO {table}_away")
    yield
    _run(engine, f"ALTER TABLE {table}_away RENAME TO {table}")


def _run(engine: Engine, statement: str) -> None:
    with writing(engine) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("table", ["audit", "stops"])
def test_a_database_that_cannot_be_written_leaves_aws_unasked(table: str, sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made, before = desk.plan(), desk.statuses()
    with _away(engine, table), pytest.raises(DBAPIError):
        desk.execute(made)
    assert desk.asked() == 0
    _untouched(desk, before)
    assert desk.audit() == []
    assert desk.execute(made)[0].outcome == "stopping"


def test_a_database_that_is_lost_after_aws_was_asked_keeps_who_asked(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made = desk.plan()
    desk.before("StopTrainingJob", lambda _: _run(engine, "ALTER TABLE stops RENAME TO stops_away"))
    with pytest.raises(DBAPIError):
        desk.execute(made)
    _run(engine, "ALTER TABLE stops_away RENAME TO stops")
    assert (desk.status(), desk.asked()) == ("Stopping", 1)
    assert desk.events() == ["asked"]
    desk.clock.advance(HOUR)
    desk.collect()
    desk.follow()
    assert desk.events() == ["asked", "stopped: it is Stopped"]


# Tuning jobs


def child(number: int, created: timedelta = HOUR, **members: Any) -> JobPlan:
    """A training job that a tuning job launched."""
    return running(f"rc-fraud-hpo-{number:03}-1a2b3c4d", created, tuning_job="rc-fraud-hpo", **members)


CHILD = "rc-fraud-hpo-001-1a2b3c4d"


def _planned(target: StopTarget) -> StopPlan | Refusal:
    return plan_stop([target], OPERATOR, WHY, LIMITS, NOW)


def test_a_tuning_job_is_stopped_as_a_whole_and_nothing_else_is(sit: Sit, engine: Engine) -> None:
    desk = sit([child(1), child(2), child(3, -HOUR), running(), *neighbours()], engine)
    before = desk.statuses()
    result = desk.stop(desk.tuner("rc-fraud-hpo"))
    assert (result.outcome, result.before, result.after) == ("stopping", "InProgress", "Stopping")
    assert (desk.aws.calls["StopHyperParameterTuningJob"], desk.aws.calls["StopTrainingJob"]) == (1, 0)
    assert {key[2] for key, status in desk.statuses().items() if status != before[key]} == {CHILD, CHILD.replace("001", "002")}
    assert desk.audit()[0].action == "stop_tuning"
    assert desk.audit()[0].target.endswith(":hyper-parameter-tuning-job/rc-fraud-hpo")
    assert desk.stop(desk.tuner("rc-fraud-hpo")).outcome == "already_stopping"
    assert desk.aws.calls["StopHyperParameterTuningJob"] == 1


def test_a_denied_stop_of_a_tuning_job_names_its_own_permission(sit: Sit) -> None:
    desk = sit([child(1)])
    desk.aws.faults.deny("StopHyperParameterTuningJob")
    result = desk.stop(desk.tuner("rc-fraud-hpo"))
    assert result.outcome == "failed"
    assert "add sagemaker:StopHyperParameterTuningJob to" in result.words
    assert desk.status(CHILD) == "InProgress"


def test_a_child_of_a_tuning_job_that_lives_is_refused_with_the_tuning_job_to_stop_instead(sit: Sit, engine: Engine) -> None:
    desk = sit([child(1), child(2)], engine)
    refusal = _planned(desk.target(CHILD))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "tuning_child"
    assert "trainwatch stop --tuning rc-fraud-hpo" in refusal.why


def test_a_child_of_a_tuning_job_that_nobody_has_looked_at_is_refused_too(sit: Sit) -> None:
    desk = sit([running("rc-fraud-other")])
    desk.aws.add(child(1, timedelta(0)))
    desk.clock.advance(MINUTE)
    desk.collect("jobs")
    assert desk.target(CHILD).tuner_alive is None
    refusal = _planned(desk.target(CHILD))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "tuning_child"


@pytest.mark.parametrize(("status", "may"), [("Completed", True), ("Failed", True), ("Pausing", False), ("Stopping", False)])
def test_a_child_may_be_stopped_once_its_tuning_job_is_known_to_launch_no_more(
    status: str, may: bool, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.tuner.Tuner.status", property(lambda _: status))
    desk = sit([child(1)])
    assert desk.target(CHILD).tuner_alive is {"Stopping": True, "Pausing": None}.get(status, False)
    assert isinstance(_planned(desk.target(CHILD)), StopPlan) is may


# Pipelines


def test_a_job_of_a_pipeline_is_stopped_and_the_plan_says_that_the_execution_fails(sit: Sit) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:{DEFAULT_ACCOUNT}:pipeline/nightly/execution/abc"
    desk = sit([running(tags={"Team": "rc", "sagemaker:pipeline-execution-arn": arn})])
    made = desk.plan()
    assert made.consequences == (f"{NAME} is a step of pipeline nightly, whose execution fails when it is stopped",)
    assert desk.execute(made)[0].outcome == "stopping"


# What it means


def test_a_plan_says_what_a_stop_avoids_at_most_and_what_it_loses(sit: Sit) -> None:
    desk = sit([running(), plan("rc-fraud-waits", MINUTE)])
    target = desk.target()
    assert target.burn_nusd is not None
    assert target.accruing_nusd is not None
    left = 86_400 - target.ran_seconds
    assert target.avoided_nusd == pytest.approx(target.burn_nusd * left / 3600, rel=1e-6)
    assert (target.work_lost_nusd, target.work_lost) == (target.accruing_nusd, "all 2 h 58: it has no checkpoints")
    assert (desk.target("rc-fraud-waits").work_lost_nusd, desk.target("rc-fraud-waits").work_lost) == (0, "nothing has run yet")
