"""Stops over HTTP, on both databases: exactly what was meant, written down first, and told as it went."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from demo.call import Call
from demo.errors import invalid
from demo.plan import DEFAULT_ACCOUNT, JobPlan
from domain.access import Refusal
from domain.stopping import StopPlan, StopTarget, plan_stop
from storage.engine import reading
from storage.views.audit import StopsSummary, stops_since
from tests.integration.actions.conftest import (
    LIMITS,
    NAME,
    OPERATOR,
    OTHER_ACCOUNT,
    OTHER_REGION,
    TWO_ACCOUNTS,
    WHY,
    Sit,
    neighbours,
    running,
)
from tests.integration.collectors.watching import HOUR, MINUTE, NOW, lasting, plan

SECOND = timedelta(seconds=1)


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
    assert "AWS no longer lists it" in result.words
    assert desk.asked() == 0
    assert desk.statuses() == before


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
    assert desk.statuses() == before


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
    assert desk.statuses() == before


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
