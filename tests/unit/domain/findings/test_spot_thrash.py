"""Spot thrash: a job is interrupted again and again, or waits more than it works."""

import pytest

from domain.findings import spot_thrash
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, THRASHED, ended, finding, live, seen

LONG = (("Downloading", 0), ("Training", 0.5), ("Interrupted", 2), ("Starting", 2.1))


def test_three_interruptions_are_thrashing() -> None:
    found = finding(spot_thrash.judge(FIRING["spot_thrash"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", at(3))
    assert found.evidence == "3 interruptions; it has waited 18 min and run 5 h 42."


def test_downloading_again_is_what_thrashing_wastes() -> None:
    found = finding(spot_thrash.judge(FIRING["spot_thrash"]().situation, LIMITS))
    assert found.wasted_nusd == nusd("1.5")  # three times a quarter of an hour at $2; the first time was needed


def test_what_is_wasted_is_at_the_billable_share() -> None:
    assert finding(spot_thrash.judge(seen(live(*THRASHED, spot=True), share=0.3), LIMITS)).wasted_nusd == nusd("0.45")


def test_a_download_that_lasts_wastes_up_to_now() -> None:
    found = finding(spot_thrash.judge(seen(live(*LONG, ("Downloading", 5.5), spot=True)), LIMITS))
    assert found.wasted_nusd == nusd("1")


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    assert finding(spot_thrash.judge(seen(live(*THRASHED, spot=True), rate_usd=None), LIMITS)).wasted_nusd is None


def test_two_interruptions_are_luck() -> None:
    assert spot_thrash.judge(seen(live(*THRASHED[:8], spot=True)), LIMITS) is None


def test_more_time_waiting_than_working_is_thrashing() -> None:
    found = finding(spot_thrash.judge(seen(live(*LONG, spot=True)), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(2), 0)
    assert found.evidence == "1 interruption; it has waited 4 h 00 and run 2 h 00."


def test_as_much_waiting_as_working_is_not() -> None:
    assert spot_thrash.judge(seen(live(*LONG, spot=True), now=at(4)), LIMITS) is None
    finding(spot_thrash.judge(seen(live(*LONG, spot=True), now=at(4.01)), LIMITS))


def test_a_job_that_has_just_begun_may_wait_longer_than_it_worked() -> None:
    steps = (("Training", 0), ("Interrupted", 0.1), ("Starting", 0.11))
    assert spot_thrash.judge(seen(live(*steps, spot=True), now=at(0.59)), LIMITS) is None
    finding(spot_thrash.judge(seen(live(*steps, spot=True), now=at(0.6)), LIMITS))


def test_the_wait_for_the_first_instance_costs_nothing_and_does_not_count() -> None:
    assert spot_thrash.judge(seen(live(("Starting", -0.1), started=None, spot=True)), LIMITS) is None
    assert spot_thrash.judge(seen(live(("Starting", -0.1), ("Training", 5), started=5, spot=True)), LIMITS) is None


def test_a_job_on_demand_is_never_thrashing() -> None:
    assert spot_thrash.judge(seen(live(*THRASHED)), LIMITS) is None


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert spot_thrash.judge(ended(seen(live(*THRASHED, spot=True)), status), LIMITS) is None


def test_another_threshold_judges_otherwise() -> None:
    situation = seen(live(*THRASHED, spot=True))
    assert spot_thrash.judge(situation, Thresholds(thrash_interruptions=4)) is None
    assert finding(spot_thrash.judge(situation, Thresholds(thrash_interruptions=1))).since == at(1)
