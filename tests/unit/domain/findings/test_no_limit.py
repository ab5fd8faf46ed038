"""No limit: a long run on a time limit that nobody chose, or on none to speak of."""

import pytest

from domain.findings import no_limit
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ended, finding, live, seen

DAY = 86_400


def ran(hours: float, limit: int | None = DAY) -> Situation:
    return seen(live(StoppingCondition={} if limit is None else {"MaxRuntimeInSeconds": limit}), now=at(hours))


def test_fourteen_hours_on_the_default_limit_are_without_a_limit() -> None:
    found = finding(no_limit.judge(FIRING["no_limit"]().situation, LIMITS))
    assert (found.severity, found.since, found.wasted_nusd) == ("info", at(12), 0)
    assert found.evidence == "Time limit of 24 h 00, left at the default; it has run for 14 h 00."


def test_six_days_are_as_good_as_no_limit() -> None:
    found = finding(no_limit.judge(ran(13, 6 * DAY), LIMITS))
    assert "6 d 0 h, as good as none" in found.evidence


def test_five_days_are_a_limit_and_a_second_more_is_none() -> None:
    assert no_limit.judge(ran(13, 5 * DAY), LIMITS) is None
    finding(no_limit.judge(ran(13, 5 * DAY + 1), LIMITS))


def test_any_limit_that_is_not_the_default_was_set_on_purpose() -> None:
    assert no_limit.judge(ran(13, DAY + 1), LIMITS) is None


def test_twelve_hours_are_not_yet_long() -> None:
    assert no_limit.judge(ran(12), LIMITS) is None
    finding(no_limit.judge(ran(12.001), LIMITS))


def test_a_limit_that_is_not_known_is_no_evidence() -> None:
    assert no_limit.judge(ran(100, None), LIMITS) is None


def test_only_time_on_instances_counts() -> None:
    steps = (("Training", 0), ("Interrupted", 2), ("Downloading", 8), ("Training", 8.5))
    assert no_limit.judge(seen(live(*steps, spot=True), now=at(14)), LIMITS) is None
    assert finding(no_limit.judge(seen(live(*steps, spot=True), now=at(19)), LIMITS)).since == at(18)


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(status: str) -> None:
    assert no_limit.judge(ended(ran(14), status), LIMITS) is None


def test_other_thresholds_judge_otherwise() -> None:
    assert no_limit.judge(ran(14), Thresholds(no_limit_hours=14)) is None
    assert no_limit.judge(ran(13, 6 * DAY), Thresholds(no_limit_days=6)) is None
    finding(no_limit.judge(ran(2, 2 * DAY), Thresholds(no_limit_hours=1.5, no_limit_days=1.5)))
