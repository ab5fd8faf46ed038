"""Unused GPUs: a host has several, of which no more than one works."""

import pytest

from domain.findings import unused_gpus
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ago, finding, levels, live, on_hosts, seen

FOUR = "ml.g5.12xlarge"


def used(*pieces: tuple[float, int], instance_type: str = FOUR) -> Situation:
    return seen(live(instance_type=instance_type), series=on_hosts(levels(*pieces)))


def test_four_gpus_that_never_do_more_than_one_could_are_three_too_many() -> None:
    found = finding(unused_gpus.judge(FIRING["unused_gpus"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", at(4))
    assert "4 GPUs did the work of one" in found.evidence
    assert "never over 90% of one GPU in 2 h 00" in found.evidence
    assert found.wasted_nusd == nusd("3")  # three quarters of two hours at $2


def test_one_gpus_worth_is_the_most_and_one_sample_above_it_is_more() -> None:
    finding(unused_gpus.judge(used((100, 90)), LIMITS))
    assert unused_gpus.judge(used((100, 45), (101, 1), (100, 44)), LIMITS) is None


def test_what_was_before_the_window_does_not_count() -> None:
    assert finding(unused_gpus.judge(used((350, 100), (100, 61)), LIMITS)).since == at(5)


@pytest.mark.parametrize(("instance_type", "wasted"), [("ml.g7.12xlarge", "1"), (FOUR, "1.5"), ("ml.p3.16xlarge", "1.75")])
def test_all_gpus_but_one_are_wasted(instance_type: str, wasted: str) -> None:
    situation = used((350, 100), (100, 61), instance_type=instance_type)
    if instance_type == "ml.g7.12xlarge":
        situation = used((150, 100), (100, 61), instance_type=instance_type)
    assert finding(unused_gpus.judge(situation, LIMITS)).wasted_nusd == nusd(wasted)  # of one hour at $2


def test_a_host_with_one_gpu_uses_it_or_is_idle() -> None:
    assert unused_gpus.judge(used((60, 90), instance_type="ml.g5.2xlarge"), LIMITS) is None


def test_a_cpu_job_has_no_gpus_to_be_unused() -> None:
    assert unused_gpus.judge(seen(live(instance_type="ml.m5.xlarge")), LIMITS) is None


def test_one_host_of_two_wastes_its_own_gpus_alone() -> None:
    job = live(instance_type=FOUR, count=2)
    found = finding(unused_gpus.judge(seen(job, series=on_hosts(levels((380, 200)), levels((380, 100), (90, 61)))), LIMITS))
    assert "4 GPUs of algo-2 did the work of one" in found.evidence
    assert found.wasted_nusd == nusd("0.75")  # three of eight GPUs, one hour at $2


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    situation = seen(live(instance_type=FOUR), rate_usd=None, series=on_hosts(levels((90, 90))))
    assert finding(unused_gpus.judge(situation, LIMITS)).wasted_nusd is None


def test_another_window_judges_otherwise() -> None:
    situation = used((350, 100), (90, 61))
    finding(unused_gpus.judge(situation, LIMITS))
    assert unused_gpus.judge(situation, Thresholds(slow_minutes=61)) is None
    finding(unused_gpus.judge(used((350, 100), (90, 31)), Thresholds(slow_minutes=30)))


def test_a_host_that_has_begun_to_use_all_is_not_judged_by_the_late_samples_of_another() -> None:
    back, late = levels((90, 120), (380, 10)), levels((380, 120), until=ago(12))
    assert unused_gpus.judge(seen(live(instance_type=FOUR, count=2), series=on_hosts(back, late)), LIMITS) is None


def test_gpus_are_not_unused_while_the_job_still_downloads() -> None:
    job = live(("Downloading", 0), ("Training", 4), instance_type=FOUR)
    found = finding(unused_gpus.judge(seen(job, series=on_hosts(levels((0, 200), (90, 121)))), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(4), nusd("3"))
