"""Over budget: a job costs more than its team lets one job cost."""

import pytest

from domain.findings import over_budget
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ended, finding, live, no_verdict, seen


def cap(amount: str) -> Thresholds:
    return Thresholds(max_job_nusd=nusd(amount))


def test_twelve_dollars_are_over_a_cap_of_ten() -> None:
    found = finding(over_budget.judge(*FIRING["over_budget"]()))
    assert (found.severity, found.since) == ("critical", at(5))
    assert found.evidence == "$12.00 accrued, over the team's $10.00 for one job."
    assert found.wasted_nusd == nusd("2")


def test_the_cap_itself_may_be_spent() -> None:
    assert over_budget.judge(seen(), cap("12")) is None
    finding(over_budget.judge(seen(), cap("11.99")))


def test_without_a_cap_there_is_nothing_to_pass() -> None:
    assert over_budget.judge(seen(), LIMITS) is None


def test_a_cap_of_nothing_is_passed_by_the_first_cent() -> None:
    assert finding(over_budget.judge(seen(), cap("0"))).since == at(0)


def test_spot_is_held_against_the_cap_at_its_billable_share() -> None:
    situation = seen(live(spot=True), share=0.5)
    assert over_budget.judge(situation, cap("6")) is None
    found = finding(over_budget.judge(situation, cap("5")))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("1"))


def test_under_a_training_plan_nothing_accrues() -> None:
    resources = {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1, "TrainingPlanArn": "arn:aws:sagemaker:us-east-1:1:training-plan/one"}
    assert over_budget.judge(seen(live(ResourceConfig=resources)), cap("0")) is None


def test_a_job_without_a_price_cannot_be_held_against_a_cap() -> None:
    assert "there is no price" in no_verdict(over_budget.judge(seen(rate_usd=None), cap("10")))


def test_a_job_without_a_price_has_nothing_to_be_held_against_where_there_is_no_cap() -> None:
    assert over_budget.judge(seen(rate_usd=None), LIMITS) is None


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert over_budget.judge(ended(seen(), status), cap("10")) is None


def test_a_cap_that_was_passed_before_a_wait_was_passed_then() -> None:
    steps = (("Training", 0), ("Interrupted", 3), ("Starting", 3.1))
    found = finding(over_budget.judge(seen(live(*steps, spot=True)), cap("4")))  # six dollars until three o'clock
    assert (found.since, found.wasted_nusd) == (at(2), nusd("2"))
