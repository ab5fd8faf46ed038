"""The jobs in trouble: each deserves its own rule and no other, and the innocent deserve none."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from demo.curves import training_samples
from demo.hosts import gpus, host_samples, hosts, training_minutes, vcpus
from demo.innocents import innocents
from demo.lifecycle import describe, ended
from demo.oracle import RULES, borderline_all, expected_all
from demo.plan import JobPlan
from demo.surroundings import family_of
from demo.timeline import life
from demo.troubles import TROUBLES, full_hour, troubles
from demo.workload import ordinary, workload

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)
BASE = full_hour(NOW)
PLANS = workload(1, 1500, NOW)
MINUTES = [0, 20, 50, 110, 200, 310, 410, *(pytest.param(minute, marks=pytest.mark.long) for minute in range(5, 420, 10))]
MOMENTS = [BASE, NOW, BASE + timedelta(minutes=59, seconds=59), BASE + timedelta(hours=3), BASE + timedelta(hours=5)]


def key(plan: JobPlan) -> tuple[str, str, str]:
    return plan.account, plan.region, plan.name


@cache
def truth_at(now: datetime) -> dict[tuple[str, str, str], set[str]]:
    """What every job deserves at an instant."""
    return expected_all(PLANS, now)


@cache
def close_at(now: datetime) -> dict[tuple[str, str, str], set[str]]:
    """What every job nearly deserves at an instant."""
    return borderline_all(PLANS, now)


def live_at(plans: list[JobPlan], now: datetime) -> list[JobPlan]:
    def until(plan: JobPlan) -> datetime:
        return ended(plan).ended_at + timedelta(seconds=ended(plan).warm_pool_seconds)

    return [plan for plan in plans if plan.created_at <= now < until(plan)]


def test_every_rule_has_a_job_in_trouble() -> None:
    assert set(TROUBLES) == set(RULES)


@pytest.mark.parametrize("now", MOMENTS, ids=str)
@pytest.mark.parametrize("rule", TROUBLES)
def test_a_job_made_for_a_rule_deserves_it_and_no_other_for_hours(rule: str, now: datetime) -> None:
    truth, close = truth_at(now), close_at(now)
    made = live_at(TROUBLES[rule](BASE), now)
    assert made
    for plan in made:
        assert truth[key(plan)] == {rule}, plan.name
        assert close[key(plan)] == set(), plan.name


@pytest.mark.parametrize("rule", sorted(set(TROUBLES) - {"idle_warm_pool"}))
def test_trouble_lasts_six_hours_from_whenever_one_looks(rule: str) -> None:
    last = BASE + timedelta(hours=7)
    truth = truth_at(last)
    assert all(truth[key(plan)] == {rule} for plan in live_at(TROUBLES[rule](BASE), BASE))


@pytest.mark.parametrize("minutes", MINUTES)
def test_the_innocent_deserve_no_rule_and_are_no_matter_of_minutes(minutes: int) -> None:
    now = BASE + timedelta(minutes=minutes)
    jobs = live_at(innocents(BASE), now)
    truth, close = expected_all(PLANS, now), borderline_all(PLANS, now)
    assert len(jobs) >= 11
    assert {plan.name: truth[key(plan)] | close[key(plan)] for plan in jobs if truth[key(plan)] or close[key(plan)]} == {}


@pytest.mark.parametrize("minute", range(0, 60, 5))
def test_at_any_moment_of_the_hour_a_job_has_just_begun_and_is_idle(minute: int) -> None:
    now = BASE + timedelta(minutes=minute)
    beginners = [plan for plan in live_at(innocents(BASE), now) if plan.behaviour == "warming_up"]
    since = [now - started for plan in beginners if (started := ended(plan).started_at) is not None]
    assert any(age < timedelta(minutes=20) for age in since)


def test_names_and_families_are_not_those_of_the_ordinary_workload() -> None:
    everyday = ordinary(1, 1500, NOW)
    mine = troubles(NOW)
    assert len({plan.name for plan in mine}) == len(mine)
    assert not {plan.name for plan in mine} & {plan.name for plan in everyday}
    families = {family_of(plan) for plan in mine}
    assert None not in families
    assert not families & {family_of(plan) for plan in everyday}


def test_the_jobs_are_the_same_all_through_the_hour() -> None:
    assert troubles(BASE) == troubles(NOW) == troubles(BASE + timedelta(minutes=59))
    assert troubles(BASE + timedelta(hours=1)) != troubles(BASE)


def test_each_control_has_its_fault() -> None:
    faults = [fault for plan in innocents(BASE) for fault in plan.metric_faults]
    assert sorted(faults) == ["duplicated", "late", "missing", "nan", "out_of_order"]


def seen(plan: JobPlan, metric: str, host: int = 1, minutes: int = 30) -> list[float]:
    """Percent of the host's capacity in the last minutes."""
    kind = hosts(plan)[host - 1]
    parts = {"CPUUtilization": vcpus(kind), "GPUUtilization": gpus(kind)}[metric]
    one = life(plan)
    found = host_samples(plan, one, host, metric, training_minutes(one, NOW - timedelta(minutes=minutes), NOW))
    assert len(found) >= minutes - 1
    return [value / parts for value in found]


def only(rule: str) -> JobPlan:
    return TROUBLES[rule](BASE)[0]


def test_what_the_hosts_report_bears_the_oracle_out() -> None:
    assert all(max(seen(only("idle_gpu"), "GPUUtilization", host)) < 5 for host in (1, 2))
    assert set(seen(only("hung"), "GPUUtilization", minutes=90)) == {100.0}
    assert 9 <= min(seen(only("slow_gpu"), "GPUUtilization")) <= max(seen(only("slow_gpu"), "GPUUtilization")) <= 14
    assert max(seen(only("unused_gpus"), "GPUUtilization")) <= 25
    assert max(seen(only("straggler"), "GPUUtilization", 2)) < 5 < 70 < min(seen(only("straggler"), "GPUUtilization", 1))
    assert 1 <= min(seen(only("idle_cpu"), "CPUUtilization")) <= max(seen(only("idle_cpu"), "CPUUtilization")) <= 2


def loss(plan: JobPlan, start: timedelta, end: timedelta) -> list[float]:
    one = life(plan)
    minutes = training_minutes(one, NOW + start, NOW + end)
    return training_samples(plan, one, plan.algorithm.metrics[0][0], minutes)[1]


def test_what_the_losses_say_bears_the_oracle_out() -> None:
    half_day = timedelta(hours=12)
    exploding, flat = TROUBLES["diverged"](BASE)
    assert min(loss(exploding, timedelta(minutes=-30), timedelta(0))) > 1e6
    assert min(loss(flat, -half_day, timedelta(0))) >= min(loss(flat, -2 * half_day, -half_day))
    for plan in innocents(BASE):
        if plan.behaviour == "creeping":
            assert min(loss(plan, -half_day, timedelta(0))) < 0.97 * min(loss(plan, -2 * half_day, -half_day))


def test_an_ordinary_loss_still_falls_after_four_days() -> None:
    half_day = timedelta(hours=12)
    plan = TROUBLES["near_limit"](BASE)[0]
    assert min(loss(plan, -half_day, timedelta(0))) < 0.98 * min(loss(plan, -2 * half_day, -half_day))


def test_the_descriptions_bear_the_oracle_out() -> None:
    phases = [describe(plan, NOW)["SecondaryStatus"] for plan in TROUBLES["stuck"](BASE)]
    assert phases == ["Pending", "Starting", "Downloading", "Uploading", "Stopping"]
    often, long = (describe(plan, NOW)["SecondaryStatusTransitions"] for plan in TROUBLES["spot_thrash"](BASE))
    assert [sum(row["Status"] == "Interrupted" for row in rows) for rows in (often, long)] == [4, 1]  # type: ignore[attr-defined] # lists
    pool = describe(only("idle_warm_pool"), NOW)["WarmPoolStatus"]
    assert pool == {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": (50 + 32) * 60}
