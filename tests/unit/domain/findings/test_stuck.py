"""Stuck: a job does not get on to its next state."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.findings import stuck
from domain.findings.finding import Finding
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, NOW, ended, finding, live, moved_to, seen

MINUTES = {"Starting": 30, "Pending": 120, "Downloading": 60, "Uploading": 60}
BILLED = ("Downloading", "Uploading")


def standing(status: str, minutes: float, **facts: Any) -> Situation:
    """A job that has been in a status for so long."""
    since = 6 - minutes / 60
    before = (("Starting", -0.1), ("Training", 0)) if status == "Uploading" else (("Starting", -0.1),)
    started = 0 if status == "Uploading" else since if status in BILLED else None
    steps = (*before, (status, since)) if status != "Starting" else ((status, since),)
    return seen(live(*steps, started=started), **facts)


def stopping(minutes: float) -> Situation:
    """A job that was asked to stop so long ago, and uploads what it has."""
    asked, uploads = 6 - minutes / 60, 6 - minutes / 120
    situation = seen(live(("Training", 0), ("Stopping", asked), ("Uploading", uploads)))
    return replace(situation, job=replace(situation.job, status="Stopping"))


def test_six_hours_of_downloading_are_five_too_many() -> None:
    found = finding(stuck.judge(FIRING["stuck"]().situation, LIMITS))
    assert (found.severity, found.since) == ("critical", at(1))
    assert found.evidence == "Downloading for 6 h 00; 1 h 00 is the most it should take."
    assert found.wasted_nusd == nusd("10")  # five hours at $2


@pytest.mark.parametrize(("status", "minutes"), MINUTES.items())
def test_a_state_may_last_as_long_as_its_limit_and_no_longer(status: str, minutes: int) -> None:
    assert stuck.judge(standing(status, minutes), LIMITS) is None
    found = finding(stuck.judge(standing(status, minutes + 1), LIMITS))
    assert found.evidence.startswith(f"{status} for ")
    assert NOW - found.since == timedelta(minutes=1)


@pytest.mark.parametrize("status", MINUTES)
def test_a_wait_that_nobody_pays_for_is_a_warning(status: str) -> None:
    found = finding(stuck.judge(standing(status, 180), LIMITS))
    assert found.severity == ("critical" if status in BILLED else "warning")
    assert (found.wasted_nusd == 0) == (status not in BILLED)


@pytest.mark.parametrize("status", ["LaunchingMLInstances", "PreparingTrainingStack"])
def test_the_older_words_for_starting_are_starting(status: str) -> None:
    job = live((status, 5), started=None)
    assert finding(stuck.judge(seen(job), LIMITS)).evidence.startswith("Starting for 1 h 00")


def test_downloading_the_image_is_downloading() -> None:
    assert finding(stuck.judge(seen(live(("DownloadingTrainingImage", 0))), LIMITS)).evidence.startswith("Downloading for 6 h 00")


def test_a_stop_may_take_half_an_hour_from_when_it_was_asked_for() -> None:
    assert stuck.judge(stopping(30), LIMITS) is None
    found = finding(stuck.judge(stopping(90), LIMITS))
    assert (found.severity, found.since, found.wasted_nusd) == ("critical", at(5), nusd("2"))
    assert found.evidence == "Stopping for 1 h 30; 30 min is the most it should take."


@pytest.mark.parametrize("status", ["Training", "Interrupted", "Updating", "Restarting", "SomethingNew"])
def test_other_states_have_no_limit(status: str) -> None:
    assert stuck.judge(seen(live((status, -90))), LIMITS) is None


def test_a_wait_for_spot_is_not_stuck() -> None:
    steps = (("Downloading", 0), ("Training", 0.5), ("Interrupted", 1), ("Starting", 1.1))
    assert stuck.judge(seen(live(*steps, spot=True)), LIMITS) is None


def test_downloading_after_an_interruption_is_judged_again() -> None:
    steps = (("Downloading", 0), ("Training", 0.5), ("Interrupted", 1), ("Starting", 1.1), ("Downloading", 4))
    assert finding(stuck.judge(seen(live(*steps, spot=True)), LIMITS)).since == at(5)


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    situation = ended(FIRING["stuck"]().situation, status)
    assert stuck.judge(situation, LIMITS) is None
    assert stuck.judge(replace(situation, job=replace(situation.job, secondary_status="Downloading")), LIMITS) is None


def test_under_a_training_plan_nothing_is_billed_for_it() -> None:
    resources = {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1, "TrainingPlanArn": "arn:aws:sagemaker:us-east-1:1:training-plan/one"}
    found = finding(stuck.judge(seen(live(("Downloading", 0), ResourceConfig=resources)), LIMITS))
    assert (found.severity, found.wasted_nusd) == ("warning", 0)


def test_instances_without_a_price_are_billed_all_the_same() -> None:
    found = finding(stuck.judge(standing("Downloading", 90, rate_usd=None), LIMITS))
    assert (found.severity, found.wasted_nusd) == ("critical", None)


def test_a_state_whose_beginning_nobody_knows_is_no_evidence() -> None:
    assert stuck.judge(seen(live(SecondaryStatus="Downloading", SecondaryStatusTransitions=[])), LIMITS) is None
    missing = live(("Starting", 0), SecondaryStatus="Downloading")
    assert not isinstance(stuck.judge(seen(missing), LIMITS), Finding)


def test_a_stop_whose_beginning_nobody_knows_is_no_evidence() -> None:
    situation = seen()
    job = replace(situation.job, status="Stopping", secondary_status="Stopping")  # its last transition is still to Training
    assert not isinstance(stuck.judge(replace(situation, job=job), LIMITS), Finding)


def test_a_stop_that_has_just_been_asked_for_is_not_stuck() -> None:
    assert stuck.judge(moved_to(seen(), "Stopping", status="Stopping"), LIMITS) is None


@pytest.mark.parametrize("status", MINUTES)
def test_each_state_has_a_threshold_of_its_own(status: str) -> None:
    limits = Thresholds(**{f"stuck_{status.lower()}_minutes": 10})
    finding(stuck.judge(standing(status, 11), limits))
    assert all(stuck.judge(standing(other, 11), limits) is None for other in MINUTES if other != status)


def test_stopping_has_a_threshold_of_its_own() -> None:
    finding(stuck.judge(stopping(11), Thresholds(stuck_stopping_minutes=10)))
    assert stuck.judge(stopping(90), Thresholds(stuck_stopping_minutes=90)) is None
