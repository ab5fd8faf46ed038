"""What live jobs accrue and burn, and on which days."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.job_days import day_weights, job_days
from domain.money import NANO, nusd
from domain.running import SpotHistory, accrual, accrual_days, billable_share, waited_seconds
from domain.training_job import Interval, training_job_from
from tests.descriptions import at, description
from tests.unit.domain.test_cost import BOOK, RULES, SCOPE, cost_breakdown


def rows(*steps: tuple[str, float]) -> list[dict[str, Any]]:
    ends = [start for _, start in steps[1:]] + [None]
    return [
        {"Status": status, "StartTime": at(start), "EndTime": None if end is None else at(end), "StatusMessage": ""}
        for (status, start), end in zip(steps, ends, strict=True)
    ]


def test_the_wait_after_an_interruption_is_not_time_on_instances() -> None:
    steps = rows(
        ("Starting", 0),
        ("Downloading", 1),
        ("Training", 2),
        ("Interrupted", 5),
        ("Starting", 6),
        ("Downloading", 7),
        ("Training", 8),
    )
    job = training_job_from(description(ran=None, waited=1, SecondaryStatusTransitions=steps))
    assert job.running_intervals(at(10)) == [Interval(at(1), at(5)), Interval(at(7), at(10))]
    assert not job.is_waiting


def test_a_job_that_waits_after_an_interruption_burns_nothing() -> None:
    steps = rows(("Downloading", 1), ("Training", 2), ("Interrupted", 5), ("Starting", 6))
    job = training_job_from(description(ran=None, waited=1, SecondaryStatusTransitions=steps))
    estimate = accrual(job.running_intervals(at(10)), "spot", nusd("2"), 1.0, waiting=job.is_waiting)
    assert (estimate.accruing_nusd, estimate.burn_nusd_per_hour) == (8 * NANO, 0)


def test_a_spot_estimate_is_multiplied_by_the_billable_share() -> None:
    estimate = accrual([Interval(at(0), at(2))], "spot", nusd("10"), 0.35, waiting=False)
    assert (estimate.accruing_nusd, estimate.burn_nusd_per_hour) == (nusd("7"), nusd("3.5"))


def test_a_running_job_without_a_price_burns_an_unknown_amount() -> None:
    estimate = accrual([Interval(at(0), at(2))], "on_demand", None, 1.0, waiting=False)
    assert (estimate.accruing_nusd, estimate.burn_nusd_per_hour) == (None, None)


def test_under_a_training_plan_nothing_accrues_and_the_covered_hours_are_shown() -> None:
    estimate = accrual([Interval(at(0), at(2))], "plan", nusd("10"), 1.0, waiting=False)
    assert (estimate.accruing_nusd, estimate.burn_nusd_per_hour, estimate.plan_covered_nusd) == (0, 0, nusd("20"))


def test_the_billable_share_is_the_teams_own_from_three_jobs_on() -> None:
    history = [SpotHistory("rc", "g5", 3, 30, 100), SpotHistory("nlp", "g5", 2, 10, 100)]
    assert billable_share(history, "rc", "g5") == 0.3
    assert billable_share(history, "nlp", "g5") == 0.2  # everyone's: 40 of 200
    assert billable_share(history, "rc", "p3") == 1.0


def test_a_job_from_friday_to_monday_shows_on_four_days() -> None:
    job = training_job_from(description(created=0, ran=66))  # Friday 20 November, noon
    days = job_days(job, cost_breakdown(job, SCOPE, BOOK, RULES))
    assert [day.day for day in days] == [date(2026, 11, 20) + timedelta(days=offset) for offset in range(4)]


def test_warm_pool_money_falls_on_the_day_of_the_end() -> None:
    pool = {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 3600}
    job = training_job_from(description(created=0, ran=20, WarmPoolStatus=pool))
    days = job_days(job, cost_breakdown(job, SCOPE, BOOK, RULES))
    assert [day.warm_pool_nusd for day in days] == [0, nusd("1.515")]


def test_a_heterogeneous_job_has_a_row_per_instance_type_and_one_that_counts_it() -> None:
    groups = [{"InstanceType": "ml.g5.2xlarge", "InstanceCount": 1}, {"InstanceType": "ml.m5.xlarge", "InstanceCount": 4}]
    job = training_job_from(description(ResourceConfig={"InstanceGroups": groups}))
    days = job_days(job, cost_breakdown(job, SCOPE, BOOK, RULES))
    assert [(day.instance_type, day.primary) for day in days] == [("ml.g5.2xlarge", True), ("ml.m5.xlarge", False)]


stretches = st.lists(st.tuples(st.floats(0, 50), st.floats(0.001, 60)), min_size=1, max_size=8)


@given(stretches, st.integers(0, 10**14))
def test_accruing_money_adds_up_over_its_days(gaps: list[tuple[float, float]], amount: int) -> None:
    moment, intervals = 0.0, []
    for gap, length in gaps:
        intervals.append(Interval(at(moment + gap), at(moment + gap + length)))
        moment += gap + length
    assert sum(accrual_days(intervals, amount).values()) == amount


@given(st.floats(-1000, 1000), st.floats(0, 500), st.floats(0, 500))
def test_time_split_anywhere_weighs_the_same_per_day(start: float, first: float, second: float) -> None:
    middle, end = at(start + first), at(start + first + second)
    whole = day_weights([Interval(at(start), end)])
    parts = day_weights([Interval(at(start), middle), Interval(middle, end)])
    assert abs(sum(whole.values()) - sum(parts.values())) <= 1  # a millisecond may be cut by the split itself
    assert whole.keys() == parts.keys() or first == 0 or second == 0


def test_waited_time_is_what_is_left_of_the_time_since_the_start() -> None:
    assert waited_seconds(at(0), at(10), [Interval(at(0), at(4)), Interval(at(7), at(10))]) == 3 * 3600
