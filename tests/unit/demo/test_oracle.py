"""The oracle at its thresholds: a minute too early, well past, and where it is a matter of minutes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from demo.oracle import borderline, expected, expected_all
from demo.plan import Behaviour, Checkpoints, Cluster, Interruption, JobPlan, Limits, Phases, WarmPool
from demo.staged import saved, spot, staged
from demo.surroundings import Context, context_at, family_of, team_of
from demo.timeline import life

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
TRAINS_AT = timedelta(minutes=3)
"""How long after its creation a staged job begins to train."""
ON_INSTANCES_AT = timedelta(minutes=2)
LONG = Phases(0, 120, 60, 10_000_000, 30)


def plan(cluster: Cluster | None = None, behaviour: Behaviour = "working", **changes: object) -> JobPlan:
    made = staged("rc/fraud/gnn", "ml.g5.2xlarge", AT, 0.0)
    made = replace(made, cluster=cluster or made.cluster, behaviour=behaviour, phases=LONG, limits=Limits(400_000))
    return replace(made, **changes)  # type: ignore[arg-type] # the fields of a plan, put together by name


def truth(one: JobPlan, after: timedelta, context: Context | None = None) -> set[str]:
    return set(expected(one, life(one), one.created_at + after, context))


def close(one: JobPlan, after: timedelta, context: Context | None = None) -> set[str]:
    return set(borderline(one, life(one), one.created_at + after, context))


FOUR_GPUS = Cluster.of("ml.g5.12xlarge")
TWO_HOSTS = Cluster.of("ml.g5.2xlarge", 2)
CPU = Cluster.of("ml.m5.xlarge")
BAD = ON_INSTANCES_AT + timedelta(hours=1)
"""When a job that turns bad does so."""

THREE = tuple(Interruption(hour * 3600, 60) for hour in (1, 2, 3))

ONSETS: list[tuple[str, JobPlan, timedelta]] = [
    ("idle_gpu", plan(behaviour="idle"), BAD + timedelta(minutes=30)),
    ("idle_gpu", plan(FOUR_GPUS, "idle"), BAD + timedelta(minutes=30)),
    ("idle_cpu", plan(CPU, "idle"), BAD + timedelta(minutes=30)),
    ("hung", plan(behaviour="hung"), BAD + timedelta(minutes=90)),
    ("slow_gpu", plan(behaviour="slow"), TRAINS_AT + timedelta(minutes=60)),
    ("slow_gpu", plan(Cluster.of("ml.p3.16xlarge"), "slow"), TRAINS_AT + timedelta(minutes=60)),
    ("unused_gpus", plan(FOUR_GPUS, "slow"), TRAINS_AT + timedelta(minutes=60)),
    ("unused_gpus", plan(FOUR_GPUS, "one_gpu"), TRAINS_AT + timedelta(minutes=60)),
    ("straggler", plan(TWO_HOSTS, "straggler"), BAD + timedelta(minutes=30)),
    ("diverged", plan(behaviour="diverged"), BAD + timedelta(minutes=30)),
    ("near_limit", plan(limits=Limits(36_000)), ON_INSTANCES_AT + timedelta(hours=9)),
    ("near_limit", plan(limits=Limits(400_000, 36_000), spot=True), timedelta(hours=9)),
    ("no_limit", plan(limits=Limits()), ON_INSTANCES_AT + timedelta(hours=12)),
    ("no_limit", plan(limits=Limits(432_001)), ON_INSTANCES_AT + timedelta(hours=12)),
    ("stuck", plan(phases=Phases(10_000)), timedelta(minutes=120)),
    ("stuck", plan(phases=Phases(0, 10_000)), timedelta(minutes=30)),
    ("stuck", plan(phases=Phases(0, 120, 10_000)), timedelta(minutes=62)),
    ("stuck", plan(phases=Phases(0, 120, 60, 60, 10_000)), timedelta(minutes=64)),
    ("stuck", plan(stop_requested_at=AT + timedelta(minutes=5), stop_takes_seconds=9000.0), timedelta(minutes=35)),
    ("spot_thrash", plan(spot=True, interruptions=THREE), timedelta(hours=3, minutes=7)),
    ("spot_thrash", plan(spot=True, interruptions=(Interruption(4500, 9000),)), timedelta(minutes=3 + 75 + 75)),
    ("over_budget", plan(Cluster.of("ml.p3.16xlarge")), ON_INSTANCES_AT + timedelta(hours=1200 / 28.152)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "one", "onset"), ONSETS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_begins_at_its_threshold(rule: str, one: JobPlan, onset: timedelta) -> None:
    assert rule not in truth(one, onset - timedelta(minutes=1))
    assert truth(one, onset + timedelta(minutes=1)) == {rule}


@pytest.mark.parametrize(("rule", "one", "onset"), ONSETS, ids=lambda value: value if isinstance(value, str) else "")
def test_ten_minutes_before_and_after_it_is_a_matter_of_minutes(rule: str, one: JobPlan, onset: timedelta) -> None:
    # Of money it is a matter of two percent more, for the volume.
    some = timedelta(minutes=72 if rule == "over_budget" else 12)
    assert [rule in close(one, onset + by) for by in (-some, -some * 0.7, some * 0.7, some)] == [False, True, True, False]


def test_a_loss_is_flat_after_a_day_and_open_to_argument_after_half_of_one() -> None:
    one = plan(behaviour="plateau")
    assert [truth(one, BAD + timedelta(hours=hours)) for hours in (11, 13, 23, 25)] == [set(), set(), set(), {"diverged"}]
    assert [close(one, BAD + timedelta(hours=hours)) for hours in (11, 13, 23, 25)] == [set(), {"diverged"}, {"diverged"}, set()]


@pytest.mark.parametrize("behaviour", ["working", "silent", "saturated", "creeping", "warming_up"])
@pytest.mark.parametrize("cluster", [FOUR_GPUS, TWO_HOSTS, CPU])
def test_a_job_that_only_looks_like_trouble_is_in_none(behaviour: Behaviour, cluster: Cluster) -> None:
    one = plan(cluster, behaviour)
    for minutes in range(0, 1500, 30):
        assert truth(one, timedelta(minutes=minutes)) == close(one, timedelta(minutes=minutes)) == set()


@pytest.mark.parametrize(("behaviour", "cluster"), [("hung", CPU), ("slow", CPU), ("one_gpu", TWO_HOSTS), ("straggler", FOUR_GPUS)])
def test_what_a_cluster_cannot_show_is_no_trouble(behaviour: Behaviour, cluster: Cluster) -> None:
    assert truth(plan(cluster, behaviour), timedelta(hours=10)) == set()


def test_only_what_moved_before_can_be_said_to_have_stopped() -> None:
    assert truth(plan(behaviour="hung", turns_bad_after_seconds=0.0), timedelta(hours=9)) == set()


def test_a_window_begins_anew_after_an_interruption() -> None:
    one = plan(behaviour="idle", spot=True, interruptions=(Interruption(4 * 3600, 1200),))
    again = timedelta(minutes=3 + 240 + 20 + 1)
    assert truth(one, again - timedelta(minutes=25)) == {"idle_gpu"}
    assert truth(one, again - timedelta(minutes=5)) == set()
    assert truth(one, again + timedelta(minutes=29)) == set()
    assert close(one, again + timedelta(minutes=5)) == {"idle_gpu"}
    assert truth(one, again + timedelta(minutes=31)) == {"idle_gpu"}
    assert close(one, again + timedelta(minutes=41)) == set()


def test_a_wait_for_spot_capacity_is_not_stuck_and_no_time_on_instances() -> None:
    one = plan(spot=True, limits=Limits(36_000, 4_000_000), interruptions=(Interruption(5 * 3600, 4 * 3600),))
    assert truth(one, timedelta(hours=8)) == set()
    assert truth(one, timedelta(hours=12)) == set()
    assert truth(one, timedelta(hours=13, minutes=10)) == {"near_limit"}


def test_a_limit_nearly_reached_silences_one_that_is_too_long() -> None:
    assert truth(plan(limits=Limits()), timedelta(hours=13)) == {"no_limit"}
    assert truth(plan(limits=Limits()), timedelta(hours=22)) == {"near_limit"}
    assert close(plan(limits=Limits()), timedelta(hours=21, minutes=35)) == {"near_limit", "no_limit"}


RUNS = [3000, 3100, 3200, 3300, 3600]


@pytest.mark.parametrize(("runs", "hours", "found"), [(RUNS, 1.5, False), (RUNS, 2.3, True), (RUNS[:4], 9.0, False), ([], 9.0, False)])
def test_a_run_is_too_long_by_five_completed_runs_of_its_family(runs: list[int], hours: float, found: bool) -> None:
    one = plan()
    family = family_of(one)
    assert family == ("rc", "fraud", "gnn", "ml.g5.2xlarge")
    assert truth(one, timedelta(hours=hours), Context(runs={family: runs})) == ({"over_runtime"} if found else set())


def test_where_two_ways_to_take_a_percentile_differ_it_is_open_to_argument() -> None:
    one = plan()
    family = family_of(one)
    assert family is not None
    context = Context(runs={family: [3600, 3600, 3600, 3600, 36_000]})
    assert close(one, timedelta(hours=17), context) == {"over_runtime"}
    assert close(one, timedelta(hours=15), context) == set()


def test_a_family_is_known_by_the_runs_that_completed() -> None:
    runs = [replace(plan(phases=Phases(0, 120, 60, 3600)), name=f"rc-fraud-gnn-20261119-0{n}0000") for n in range(5)]
    ended = [replace(one, created_at=AT - timedelta(days=1, hours=number)) for number, one in enumerate(runs)]
    jobs = [(one, life(one)) for one in [*ended, replace(plan(), phases=LONG)]]
    assert {name.model_type: len(seconds) for name, seconds in context_at(jobs, AT).runs.items()} == {"gnn": 5}
    assert context_at(jobs, AT - timedelta(days=2)).runs == {}


@pytest.mark.parametrize(
    ("name", "tags", "team"),
    [
        ("algo-project-x-cnn-20240101-130000", {}, "algo"),
        ("rc-fraud-gnn-20240101-130000", {"team": "Vision"}, "vision"),
        ("pytorch-training-2024-01-01-13-00-00-001", {}, None),
    ],
)
def test_a_team_is_known_by_its_tag_and_else_by_the_name(name: str, tags: dict[str, str], team: str | None) -> None:
    one = replace(plan(), name=name, tags=tags)
    assert team_of(one) == team
    family = family_of(replace(one, tags={}))
    assert family is None or family.project in ("project-x", "fraud")


def test_a_job_without_a_price_or_paid_for_beforehand_passes_no_cap() -> None:
    far = timedelta(days=40)
    limits = Limits(400_000_000)
    assert "over_budget" in truth(plan(limits=limits, cluster=FOUR_GPUS), far)
    assert "over_budget" not in truth(plan(limits=limits, cluster=Cluster.of("ml.p9.48xlarge")), far)
    assert "over_budget" not in truth(plan(limits=limits, cluster=FOUR_GPUS, training_plan_arn="arn"), far)
    assert "over_budget" not in truth(plan(limits=limits, cluster=FOUR_GPUS), far, Context(caps_usd={"rc": Decimal(10**6)}))


def test_a_spot_jobs_cost_is_open_to_argument_until_its_share_is_known() -> None:
    one = replace(plan(FOUR_GPUS, spot=True), billable_share=0.34, limits=Limits(4_000_000))
    assert "over_budget" in close(one, timedelta(hours=200))
    assert "over_budget" not in truth(one, timedelta(hours=200))
    assert "over_budget" in truth(one, timedelta(hours=500))


def writer(stops_after: float | None = None, **changes: object) -> JobPlan:
    one = spot(plan())
    return replace(one, limits=Limits(4_000_000), checkpoints=saved(one, stops_after), **changes)  # type: ignore[arg-type] # as in plan


def test_checkpoints_have_stopped_after_twice_their_rhythm() -> None:
    one = writer(3700.0)
    last = TRAINS_AT + timedelta(hours=1)
    assert truth(one, last + timedelta(minutes=39)) == set()
    assert truth(one, last + timedelta(minutes=41)) == {"checkpoint_stopped"}
    assert close(one, last + timedelta(minutes=35)) == {"checkpoint_stopped"}
    assert close(one, last + timedelta(minutes=55)) == set()


def test_a_hung_spot_job_has_stopped_its_checkpoints_too() -> None:
    assert truth(writer(behaviour="hung"), timedelta(hours=5)) == {"hung", "checkpoint_stopped"}


def test_a_wait_for_capacity_is_no_stop_of_the_checkpoints_but_looks_like_one() -> None:
    one = writer(interruptions=(Interruption(3 * 3600, 3600),))
    waiting = TRAINS_AT + timedelta(hours=3, minutes=50)
    assert truth(one, waiting) == set()
    assert close(one, waiting) == {"checkpoint_stopped"}


def test_two_live_jobs_on_one_prefix_overwrite_each_other_whatever_the_last_slash() -> None:
    first = replace(plan(), checkpoints=Checkpoints("s3://bucket/x/"))
    second = replace(first, name="rc-fraud-gnn-20261120-100000", checkpoints=Checkpoints("s3://bucket/x"))
    ended = replace(first, name="rc-fraud-gnn-20261101-100000", created_at=AT - timedelta(days=9), phases=Phases())
    now = AT + timedelta(hours=1)
    assert set(expected_all([first, second], now).values()) == {frozenset({"checkpoint_shared"})}
    assert set(expected_all([first, ended], now).values()) == {frozenset()}


def test_a_warm_pool_is_idle_after_a_quarter_of_an_hour_until_it_is_taken_or_released() -> None:
    one = replace(plan(), phases=Phases(), warm_pool=WarmPool(3600, 3600))
    end = life(one).ended_at - AT
    found = [truth(one, end + timedelta(minutes=minutes)) for minutes in (-1, 14, 16, 59, 61)]
    assert found == [set(), set(), {"idle_warm_pool"}, {"idle_warm_pool"}, set()]


def test_only_live_jobs_and_open_pools_are_told_of() -> None:
    pooled = replace(plan(), phases=Phases(), warm_pool=WarmPool(3600, 3600))
    over = replace(plan(), name="over", phases=Phases())
    later = replace(plan(), name="later", created_at=AT + timedelta(days=1))
    deleted = replace(plan(), name="deleted", deleted_at=AT + timedelta(minutes=30))
    now = life(pooled).ended_at + timedelta(minutes=1)
    assert [name for _, _, name in expected_all([pooled, over, later, deleted, replace(plan(), name="live")], now)] == [pooled.name, "live"]


def test_a_stop_already_asked_for_ends_what_was_said_of_the_training() -> None:
    one = plan(behaviour="idle", stop_requested_at=AT + timedelta(hours=3), stop_takes_seconds=600.0)
    assert truth(one, timedelta(hours=2, minutes=59)) == {"idle_gpu"}
    assert truth(one, timedelta(hours=3, minutes=5)) == set()
