"""The seeded workload: the same on every start, of the promised size, with every oddity."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from demo import TEAMS, settings_text
from demo.hosts import host_samples, training_minutes
from demo.lifecycle import describe, ended
from demo.plan import ABSENT, JobPlan
from demo.prices import rates, shipped
from demo.surroundings import team_of
from demo.timeline import life
from demo.troubles import troubles
from demo.workload import bulk, live, ordinary, workload

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)
PLANS = workload(1, 1500, NOW)
PAST = [plan for plan in PLANS if plan.created_at <= NOW]
KNOWN = rates(shipped())
SHAPES = ("InProgress", "Stopping", "Completed", "Failed", "Stopped")


def some(test: Callable[[JobPlan], bool]) -> list[JobPlan]:
    return [plan for plan in PAST if test(plan)]


def test_the_same_seed_makes_the_same_jobs() -> None:
    assert workload(1, 1500, NOW) == PLANS
    assert workload(2, 1500, NOW) != PLANS


def test_a_restart_days_later_keeps_the_history() -> None:
    later = {(plan.name, plan.created_at): plan for plan in workload(1, 1500, NOW + timedelta(days=3, hours=5))}
    since = NOW - timedelta(days=80)
    for plan in ordinary(1, 1500, NOW):
        if plan.created_at >= since:
            assert later[plan.name, plan.created_at] == plan


def test_a_restart_within_the_hour_keeps_the_jobs_in_trouble() -> None:
    assert workload(1, 1500, NOW + timedelta(minutes=27)) == PLANS
    assert {plan.name for plan in troubles(NOW)} <= {plan.name for plan in PLANS}


def test_there_are_about_as_many_jobs_as_asked_for() -> None:
    assert 1400 <= len(PAST) <= 1650
    assert 250 <= sum(plan.created_at <= NOW for plan in ordinary(1, 300, NOW)) <= 400


def test_jobs_of_the_coming_week_are_planned() -> None:
    assert max(plan.created_at for plan in PLANS) > NOW + timedelta(days=6)


@pytest.mark.parametrize("seed", [1, 7])
def test_about_25_ordinary_jobs_are_alive_at_any_moment(seed: int) -> None:
    lives = [(plan.created_at, ended(plan).ended_at) for plan in ordinary(seed, 1500, NOW)]
    hours = [NOW - timedelta(hours=hour) for hour in range(24 * 80)]
    alive = [sum(start <= at < end for start, end in lives) for at in hours]
    assert 22 <= sum(alive) / len(alive) <= 28
    assert sum(18 <= count <= 32 for count in alive) / len(alive) > 0.98
    assert 15 <= min(alive) <= max(alive) <= 36


def test_a_month_costs_about_40_000_dollars() -> None:
    begin, total = NOW - timedelta(days=35), 0.0
    for plan in PAST:
        facts = ended(plan)
        if begin <= facts.ended_at < begin + timedelta(days=30) and facts.billable_seconds and not plan.training_plan_arn:
            for group in plan.cluster.groups:
                rate = KNOWN.get((group.instance_type, plan.region), 0)
                total += float(rate) * group.count * facts.billable_seconds / 3600
    assert 34_000 <= total <= 46_000


def test_fewer_jobs_start_on_a_weekend() -> None:
    by_day = [0] * 7
    for plan in PAST:
        by_day[plan.created_at.weekday()] += 1
    assert max(by_day[5:]) < min(by_day[:5])


def test_every_instance_type_has_a_price_but_the_invented_one() -> None:
    types = {(group.instance_type, plan.region) for plan in PLANS for group in plan.cluster.groups}
    assert {instance_type for instance_type, region in types if (instance_type, region) not in KNOWN} == {"ml.p9.48xlarge"}


def test_a_name_is_in_use_by_one_job_at_a_time() -> None:
    in_use: set[str] = set()
    for plan in PLANS:
        assert plan.name not in in_use
        if plan.deleted_at is None:
            in_use.add(plan.name)


ODDITIES: dict[str, Callable[[JobPlan], bool]] = {
    "a heterogeneous cluster": lambda plan: plan.cluster.expressed == "groups",
    "instance preferences": lambda plan: plan.cluster.expressed == "preferences",
    "a serverless job": lambda plan: plan.serverless_tokens is not None,
    "a training plan": lambda plan: plan.training_plan_arn is not None,
    "an available warm pool": lambda plan: "Available" in str(describe(plan, NOW).get("WarmPoolStatus")),
    "a reused warm pool": lambda plan: "Reused" in str(describe(plan, NOW).get("WarmPoolStatus")),
    "a terminated warm pool": lambda plan: "Terminated" in str(describe(plan, NOW).get("WarmPoolStatus")),
    "a failure before the start": lambda plan: plan.ending.status == "Failed" and not plan.ending.started,
    "a failure": lambda plan: plan.ending.status == "Failed" and plan.ending.started,
    "a stopped job": lambda plan: plan.ending.secondary_status == "Stopped",
    "a job at its time limit": lambda plan: plan.ending.secondary_status == "MaxRuntimeExceeded",
    "spot that never launched": lambda plan: plan.spot and not plan.ending.started,
    "spot with many interruptions": lambda plan: len(plan.interruptions) >= 3,
    "an end without billable time": lambda plan: plan.overrides.get("BillableTimeInSeconds") is ABSENT,
    "an instance type without a price": lambda plan: any(g.instance_type == "ml.p9.48xlarge" for g in plan.cluster.groups),
    "an unknown status": lambda plan: plan.overrides.get("TrainingJobStatus") not in (None, *SHAPES),
    "an unknown member": lambda plan: "QuantumConfig" in plan.overrides,
    "a null member": lambda plan: None in plan.overrides.values(),
    "a deleted job": lambda plan: plan.deleted_at is not None,
    "a tag that disagrees with the name": lambda plan: plan.tags.get("team") == "Vision" and plan.name.startswith("rc-"),
    "an unknown team in a tag": lambda plan: plan.tags.get("Team") == "research",
    "no attribution at all": lambda plan: plan.name.startswith("pytorch-training-") and not plan.tags,
    "a tuning job's child": lambda plan: plan.tuning_job is not None and plan.name[len(plan.tuning_job) :].startswith("-001-"),
    "a pipeline's job": lambda plan: plan.name.startswith("pipelines-"),
    "a lower-cased ARN": lambda plan: plan.lower_case_arn and plan.name not in plan.arn,
    "a secret in a hyperparameter": lambda plan: "db_password" in plan.hyperparameters,
    "a secret in the environment": lambda plan: "HF_TOKEN" in plan.environment,
    "hostile text": lambda plan: "\x00" in "".join(plan.tags.values()),
    "a long name": lambda plan: len(plan.name) == 63,
    "a hyphenated project": lambda plan: plan.tags.get("Project") == "project-x",
    "two jobs on one checkpoint prefix": lambda plan: plan.checkpoints is not None and plan.name not in plan.checkpoints.uri,
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_each_oddity_is_there(oddity: str) -> None:
    assert some(ODDITIES[oddity])


@pytest.mark.parametrize("days_on", range(0, 45, 5))
def test_each_planned_oddity_is_there_whenever_one_looks(days_on: int) -> None:
    now = NOW + timedelta(days=days_on)
    plans = [plan for plan in workload(1, 1500, now) if plan.created_at <= now]
    planned = {name: test for name, test in ODDITIES.items() if "warm pool" not in name}
    assert [name for name, test in planned.items() if not any(map(test, plans))] == []


def test_the_reused_warm_pool_was_kept_until_the_next_job_began() -> None:
    by_name = {plan.name: plan for plan in PLANS}
    reused = [plan for plan in PAST if plan.warm_pool is not None and plan.warm_pool.reused_by]
    for plan in reused:
        assert plan.warm_pool is not None
        taken_at = ended(plan).ended_at + timedelta(seconds=plan.warm_pool.retained_seconds)
        assert abs(by_name[plan.warm_pool.reused_by or ""].created_at - taken_at) < timedelta(seconds=1)


def test_the_settings_name_every_team() -> None:
    settings = tomllib.loads(settings_text())
    assert [team["id"] for team in settings["teams"]] == [team.id for team in TEAMS]
    assert [team["max_job_usd"] for team in settings["teams"]] == [team.max_job_usd for team in TEAMS]
    assert settings["conventions"]["bucket"] == "{company}-sm-{team}-{project}"


def test_bulk_jobs_are_all_over_and_all_different() -> None:
    plans = bulk(2000, NOW, 90)
    assert len({plan.name for plan in plans}) == 2000
    assert all(ended(plan).ended_at <= NOW for plan in plans)
    assert len({plan.tags["Team"] for plan in plans}) == 12


def test_live_jobs_are_all_alive_for_two_days_and_of_every_kind() -> None:
    plans = live(480, NOW)
    assert len({plan.name for plan in plans}) == 480
    assert all(plan.created_at < NOW and ended(plan).ended_at > NOW + timedelta(days=1, hours=23) for plan in plans)
    kinds = {(plan.cluster, plan.behaviour) for plan in plans}
    assert len({cluster for cluster, _ in kinds}) == 9
    assert len({behaviour for _, behaviour in kinds}) == 12
    assert all(plan.algorithm.metrics for plan in plans)
    assert sum(plan.spot and plan.checkpoints is not None for plan in plans) == 240


@pytest.mark.parametrize("seed", [1, 7])
def test_no_ordinary_job_costs_more_than_its_team_allows_even_without_what_spot_saves(seed: int) -> None:
    caps = {team.id: team.max_job_usd for team in TEAMS}
    for plan in ordinary(seed, 1500, NOW):
        hours = (ended(plan).training_seconds or 0) / 3600
        hourly = sum(float(KNOWN.get((group.instance_type, plan.region), 0)) * group.count for group in plan.cluster.groups)
        cap = caps.get(team_of(plan) or "")
        assert cap is None or plan.training_plan_arn or hours * hourly < cap, plan.name


def test_the_jobs_in_trouble_cost_little() -> None:
    total = 0.0
    for plan in troubles(NOW):
        hourly = sum(float(KNOWN[group.instance_type, plan.region]) * group.count for group in plan.cluster.groups)
        total += hourly * (ended(plan).billable_seconds or 0) / 3600
    assert total < 1500


def test_a_host_reports_the_same_sample_whenever_it_is_asked() -> None:
    plan = next(plan for plan in PAST if plan.behaviour == "idle")
    one = life(plan)
    minutes = training_minutes(one, one.steps[0].start, one.ended_at)
    assert all(later > earlier for earlier, later in pairwise(minutes))
    whole = host_samples(plan, one, 1, "GPUUtilization", minutes)
    assert host_samples(plan, one, 1, "GPUUtilization", minutes[5:7]) == whole[5:7]
    assert whole[5] > 50
    assert max(whole[90:]) < 8 * plan.cluster.instance_count
