"""Near limit: a job's own time limit will soon end it."""

from typing import Any

import pytest

from domain.findings import near_limit
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ended, finding, live, seen

WAITED = (("Starting", -0.1), ("Downloading", 2), ("Training", 2.5))


def limited(hours: float, **members: Any) -> Situation:
    return seen(live(StoppingCondition={"MaxRuntimeInSeconds": round(hours * 3600)}, **members))


def waiting(hours: float, *, spot: bool = True) -> Situation:
    """A job that was created at 11:54, and has been on instances for four of 6.1 hours since."""
    stopping = {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": round(hours * 3600)}
    return seen(live(*WAITED, started=2, spot=spot, StoppingCondition=stopping))


def test_six_of_six_and_a_half_hours_are_near_the_limit() -> None:
    found = finding(near_limit.judge(FIRING["near_limit"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", at(5.85))  # 90 % of 6 h 30
    assert "6 h 00 of its limit of 6 h 30" in found.evidence
    assert found.wasted_nusd == 0


def test_nine_tenths_are_near_and_a_second_less_is_not() -> None:
    finding(near_limit.judge(limited(20 / 3), LIMITS))
    assert near_limit.judge(limited(20 / 3 + 2 / 3600), LIMITS) is None


def test_only_time_on_instances_counts_towards_the_runtime() -> None:
    steps = (("Training", 0), ("Interrupted", 2), ("Downloading", 4), ("Training", 4.5))
    stopping = {"MaxRuntimeInSeconds": 4 * 3600}
    assert finding(near_limit.judge(seen(live(*steps, spot=True, StoppingCondition=stopping)), LIMITS)).since == at(5.6)
    assert near_limit.judge(seen(live(*steps, spot=True, StoppingCondition={"MaxRuntimeInSeconds": 5 * 3600})), LIMITS) is None


def test_the_waits_of_spot_count_from_its_creation_towards_its_own_limit() -> None:
    found = finding(near_limit.judge(waiting(6.5), LIMITS))
    assert found.since == at(-0.1 + 0.9 * 6.5)
    assert "6 h 06 of the 6 h 30 that it may take with all its waits" in found.evidence


def test_waits_that_leave_more_than_a_tenth_are_no_matter() -> None:
    assert near_limit.judge(waiting(6.8), LIMITS) is None


def test_a_limit_of_waits_is_none_for_a_job_on_demand() -> None:
    assert near_limit.judge(waiting(6.5, spot=False), LIMITS) is None


def test_spot_that_still_waits_for_its_first_instance_may_be_near_the_end() -> None:
    stopping = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": round(6.2 * 3600)}
    job = live(("Starting", -0.1), started=None, spot=True, StoppingCondition=stopping)
    finding(near_limit.judge(seen(job), LIMITS))


def test_a_job_without_a_limit_is_near_none() -> None:
    assert near_limit.judge(seen(live(StoppingCondition={})), LIMITS) is None


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert near_limit.judge(ended(limited(6.1), status), LIMITS) is None


def test_another_threshold_judges_otherwise() -> None:
    assert near_limit.judge(limited(6.5), Thresholds(near_limit_percent=95)) is None
    assert finding(near_limit.judge(limited(24), Thresholds(near_limit_percent=25))).since == at(6)


def test_nothing_is_known_to_be_wasted_even_without_a_price() -> None:
    stopping = {"MaxRuntimeInSeconds": 23_400}
    assert finding(near_limit.judge(seen(live(StoppingCondition=stopping), rate_usd=None), LIMITS)).wasted_nusd == 0
