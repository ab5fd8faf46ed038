"""Idle warm pool: instances kept after a job's end that nobody has used again."""

from datetime import timedelta

import pytest

from domain.findings import idle_warm_pool
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from domain.training_job import training_job_from
from tests.descriptions import at, description
from tests.situations import FIRING, LIMITS, ago, finding, live, seen


def pool(minutes: float, status: str = "Available", billable_minutes: int = 0, rate_usd: str | None = "2") -> Situation:
    """A job that ended at five, and its pool so many minutes later."""
    facts = {"Status": status, "ResourceRetainedBillableTimeInSeconds": 60 * billable_minutes}
    job = training_job_from(description(created=0, waited=0, ran=5, WarmPoolStatus=facts))
    return seen(job, now=at(5) + timedelta(minutes=minutes), rate_usd=rate_usd)


def test_an_hour_without_a_job_is_an_hour_wasted() -> None:
    found = finding(idle_warm_pool.judge(FIRING["idle_warm_pool"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", at(5))
    assert "kept for 1 h 00" in found.evidence
    assert found.wasted_nusd == nusd("2")  # one hour at $2


def test_fifteen_minutes_are_what_a_pool_is_for() -> None:
    assert idle_warm_pool.judge(pool(15), LIMITS) is None
    finding(idle_warm_pool.judge(pool(16), LIMITS))


def test_what_aws_has_billed_counts_where_it_is_more() -> None:
    found = finding(idle_warm_pool.judge(pool(10, billable_minutes=30), LIMITS))
    assert "30 min" in found.evidence
    assert found.wasted_nusd == nusd("1")


def test_time_that_aws_has_not_billed_yet_counts_too() -> None:
    assert finding(idle_warm_pool.judge(pool(90, billable_minutes=10), LIMITS)).wasted_nusd == nusd("3")


@pytest.mark.parametrize("status", ["InUse", "Reused", "Terminated", "SomethingNew"])
def test_a_pool_that_is_used_or_gone_is_not_idle(status: str) -> None:
    assert idle_warm_pool.judge(pool(60, status), LIMITS) is None


def test_a_job_without_a_pool_keeps_nothing() -> None:
    assert idle_warm_pool.judge(seen(training_job_from(description(created=0, waited=0, ran=5))), LIMITS) is None


def test_a_pool_is_idle_only_after_its_job() -> None:
    job = live(WarmPoolStatus={"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0})
    assert idle_warm_pool.judge(seen(job), LIMITS) is None


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    assert finding(idle_warm_pool.judge(pool(60, rate_usd=None), LIMITS)).wasted_nusd is None


def test_another_threshold_judges_otherwise() -> None:
    assert idle_warm_pool.judge(pool(60), Thresholds(warm_pool_minutes=60)) is None
    assert finding(idle_warm_pool.judge(pool(60), Thresholds(warm_pool_minutes=5))).since == ago(60)
