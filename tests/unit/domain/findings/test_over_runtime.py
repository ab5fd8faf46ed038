"""Over runtime: a job runs far longer than its like ever did."""

import pytest

from domain.findings import over_runtime
from domain.findings.finding import Finding
from domain.findings.over_runtime import ran_until
from domain.findings.situation import Family
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, NOW, ended, finding, live, moved_to, no_verdict, seen

TWICE_INTERRUPTED = (("Downloading", 0), ("Training", 0.5), ("Interrupted", 2), ("Downloading", 4), ("Training", 4.5))


def test_six_hours_are_too_long_where_the_family_needs_two() -> None:
    found = finding(over_runtime.judge(FIRING["over_runtime"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", at(4))
    assert "Running 6 h 00" in found.evidence
    assert "95% of the last 7 successful runs of its family ended within 2 h 00" in found.evidence
    assert found.wasted_nusd == nusd("4")  # two hours more than twice two, at $2


def test_exactly_twice_is_not_too_long() -> None:
    assert over_runtime.judge(seen(family=Family(7, 3 * 3600)), LIMITS) is None
    finding(over_runtime.judge(seen(family=Family(7, 3 * 3600 - 1)), LIMITS))


def test_only_time_on_instances_counts() -> None:
    job = live(*TWICE_INTERRUPTED, spot=True)  # four of six hours
    assert over_runtime.judge(seen(job, family=Family(7, 2 * 3600)), LIMITS) is None
    found = finding(over_runtime.judge(seen(job, family=Family(7, 5400)), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("2"))


def test_what_passed_its_time_before_a_wait_passed_it_then() -> None:
    found = finding(over_runtime.judge(seen(live(*TWICE_INTERRUPTED, spot=True), family=Family(7, 1800)), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(1), nusd("6"))


def test_four_runs_are_too_few_to_judge_by() -> None:
    assert no_verdict(over_runtime.judge(seen(family=Family(4, 60)), LIMITS)) == "only 4 successful runs of its family are known"
    finding(over_runtime.judge(seen(family=Family(5, 60)), LIMITS))


def test_a_job_without_a_family_is_not_judged() -> None:
    assert over_runtime.judge(seen(), LIMITS) is None


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert over_runtime.judge(ended(seen(family=Family(7, 60)), status), LIMITS) is None


def test_a_job_that_has_not_started_is_not_judged() -> None:
    assert over_runtime.judge(seen(live(("Starting", 0), started=None), family=Family(7, 60)), LIMITS) is None


def test_a_job_that_uploads_still_runs() -> None:
    finding(over_runtime.judge(moved_to(seen(family=Family(7, 60)), "Uploading"), LIMITS))


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    assert finding(over_runtime.judge(seen(rate_usd=None, family=Family(7, 60)), LIMITS)).wasted_nusd is None


def test_other_thresholds_judge_otherwise() -> None:
    situation = seen(family=Family(5, 2 * 3600))
    finding(over_runtime.judge(situation, LIMITS))
    assert over_runtime.judge(situation, Thresholds(over_runtime_factor=3)) is None
    assert not isinstance(over_runtime.judge(situation, Thresholds(over_runtime_jobs=6)), Finding)


def test_the_instant_of_so_many_seconds_on_instances_skips_the_waits() -> None:
    situation = seen(live(*TWICE_INTERRUPTED, spot=True))
    assert [ran_until(situation, hours * 3600) for hours in (1, 2, 3, 99)] == [at(1), at(2), at(5), NOW]
