"""What holds of the rules in any situation, however odd its samples are and however much of it is missing."""

from dataclasses import replace
from datetime import timedelta
from math import inf, nan
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.findings.finding import SEVERITIES, rank
from domain.findings.judge import RULES, judged
from domain.findings.series import NOTHING, Series
from domain.findings.situation import CPU, GPU, Checkpoint, Family, Held, Objective, Signal, Situation, epoch
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from domain.training_job import TrainingJob, training_job_from
from tests.descriptions import at, description
from tests.effort import examples
from tests.situations import FIRING, LIMITS, NOW, SAMPLE_RULES, SAVES, THRASHED, ago, live, seen

STEPS: list[tuple[tuple[str, float], ...]] = [
    (("Starting", -0.1), ("Training", 0)),
    (("Starting", -0.1), ("Downloading", 0), ("Training", 3)),
    (("Starting", -0.1), ("Downloading", 0), ("Training", 5.6)),
    (("Downloading", 0), ("Training", 1), ("Interrupted", 2), ("Starting", 2.1)),
    (("Downloading", 0), ("Training", 1), ("Interrupted", 2), ("Downloading", 3), ("Training", 3.5)),
    (("Training", 0), ("Uploading", 4)),
    (("Training", 0), ("Stopping", 5)),
    (("Pending", -5),),
    THRASHED,
]
TYPES = ["ml.g5.2xlarge", "ml.g5.12xlarge", "ml.m5.xlarge", "ml.trn1.32xlarge", "ml.x9.huge"]
PLAN = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/one"
values = st.sampled_from([0.0, 1.0, 12.0, 19.0, 60.0, 97.0, 100.0, 250.0, 388.0, 400.0, nan, inf, -inf, -1.0])
minutes_ago = st.integers(0, 800)


@st.composite
def sampled(draw: st.DrawFn) -> Series:
    """Samples of the last hours, with gaps, late or up to five minutes early, some of them no numbers."""
    moment, times, found = epoch(NOW) + draw(st.sampled_from([300, 60, 0, -60, -840, -960, -2400])), [], []
    for value, count, step, gap in draw(
        st.lists(st.tuples(values, st.integers(1, 140), st.sampled_from([60, 300, 3600]), st.sampled_from([0, 600, 900])), max_size=4)
    ):
        for _ in range(count):
            times.append(moment)
            found.append(value)
            moment -= step
        moment -= gap
    return Series(times[::-1], found[::-1])


def resources(draw: st.DrawFn) -> dict[str, Any]:
    one = {"InstanceType": draw(st.sampled_from(TYPES)), "InstanceCount": draw(st.integers(1, 3))}
    return draw(
        st.sampled_from([one, one, one, one | {"TrainingPlanArn": PLAN}, {"InstanceGroups": [one, one | {"InstanceType": TYPES[2]}]}, {}])
    )


@st.composite
def jobs(draw: st.DrawFn) -> TrainingJob:
    steps, cluster = draw(st.sampled_from(STEPS)), resources(draw)
    if draw(st.integers(0, 9)) == 0:
        pool = {"Status": draw(st.sampled_from(["Available", "Reused"])), "ResourceRetainedBillableTimeInSeconds": 60}
        return training_job_from(description(created=0, waited=0, ran=5, ResourceConfig=cluster, WarmPoolStatus=pool))
    limits = {"MaxRuntimeInSeconds": draw(st.sampled_from([3600, 23_000, 86_400, 600_000])), "MaxWaitTimeInSeconds": 24_000}
    return (
        live(
            *steps,
            started=None if steps[0][0] == "Pending" else 0,
            spot=draw(st.booleans()),
            TrainingJobStatus="Stopping" if steps[-1][0] == "Stopping" else draw(st.sampled_from(["InProgress", "InProgress", "New"])),
            ResourceConfig=cluster,
            StoppingCondition=draw(st.sampled_from([limits, {}])),
            CheckpointConfig=draw(st.sampled_from([SAVES, None])),
            SecondaryStatusTransitions=draw(st.sampled_from([None, None, []])) if steps is STEPS[0] else None,
        )
        if draw(st.booleans())
        else live(*steps, started=None if steps[0][0] == "Pending" else 0, ResourceConfig=cluster)
    )


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    return Signal(draw(st.none() | minutes_ago.map(ago)), ago(draw(st.sampled_from([-1, 0, 29, 45]))))


@st.composite
def checkpoints(draw: st.DrawFn) -> Checkpoint:
    rhythm = draw(st.none() | st.integers(1, 4000))
    looked = draw(st.sampled_from([0, 29, 45]))
    state = draw(st.sampled_from(["stale", "fresh", "unknown", "not_yet", "never_written"]))
    least = max(30.0, 2 * (rhythm or 0) / 60) + looked if state == "stale" else looked
    last = None if state in ("unknown", "not_yet", "never_written") else ago(least + draw(st.integers(1, 300)))
    return Checkpoint(state, last, rhythm, ago(looked))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    hosts = {
        (number, metric): draw(sampled()) for number in (1, 2, 3) for metric in draw(st.sampled_from([(GPU,), (CPU,), (GPU, CPU), ()]))
    }
    return seen(
        draw(jobs()),
        rate_usd=draw(st.sampled_from(["2", "0.0123456789", None])),
        series=hosts,
        metrics=draw(st.dictionaries(st.sampled_from(["train:loss", "validation:auc", "epoch"]), sampled(), max_size=2)),
        metrics_checked_at=draw(st.none() | st.sampled_from([NOW, ago(45)])),
        logs=draw(st.none() | signals()),
        checkpoint=draw(st.none() | checkpoints()),
        family=draw(st.none() | st.builds(Family, st.integers(0, 9), st.integers(1, 20_000))),
        objective=draw(st.none() | st.just(Objective("validation:auc", minimise=False))),
        shares_checkpoints_with=draw(st.sampled_from([(), ("one", "two", "three")])),
        held=draw(
            st.dictionaries(st.sampled_from(list(RULES)), st.integers(0, 300).map(lambda minutes: Held(ago(minutes), NOW)), max_size=2)
        ),
    )


limits = st.builds(
    Thresholds,
    idle_minutes=st.sampled_from([1, 5, 30]),
    slow_minutes=st.sampled_from([1, 60]),
    hung_minutes=st.sampled_from([1, 90]),
    diverged_minutes=st.sampled_from([1, 90, 720]),
    max_job_nusd=st.sampled_from([None, 0, nusd("3")]),
)


@settings(max_examples=examples(1000), deadline=None)
@given(situations(), limits)
def test_rules_never_raise_and_findings_are_within_reason(situation: Situation, limits: Thresholds) -> None:
    judgement = judged(situation, limits)
    for found in judgement.findings:
        assert found.rule in RULES
        assert found.severity in SEVERITIES
        assert found.since <= situation.now
        assert found.evidence
        assert found.advice
        assert found.wasted_nusd is None or found.wasted_nusd >= 0
        if found.wasted_nusd and found.rule != "idle_warm_pool":  # whose money is not the job's
            assert found.wasted_nusd <= (situation.accruing_nusd or 0)
    ranks = [rank(found.severity) for found in judgement.findings]
    assert ranks == sorted(ranks)
    assert not {found.rule for found in judgement.findings} & {one.rule for one in judgement.unjudged}


@st.composite
def disturbed(draw: st.DrawFn) -> Situation:
    """A situation in which a rule that reads samples fires, on two hosts, with something odd about the samples of each."""
    situation = FIRING[draw(st.sampled_from(SAMPLE_RULES))]().situation
    job = live(ResourceConfig={"InstanceType": situation.hosts[0], "InstanceCount": 2})
    metric = CPU if job.cluster[0].instance_type == "ml.m5.xlarge" else GPU
    series = {}
    for host in (1, 2):
        one = situation.series.get((host, metric), situation.series[1, metric])
        points = dict(zip(one.times[: len(one.times) - draw(st.integers(0, 14))], one.values, strict=False))
        places = st.sampled_from(list(points)[-100:]) | st.just(list(points)[-1])
        points |= draw(st.dictionaries(places, values, max_size=3))
        points |= dict.fromkeys(list(points)[len(points) - draw(st.integers(0, 14)) :], draw(values))
        series[host, metric] = Series(list(points), list(points.values()))
    return replace(situation, job=job, series=series)


@settings(max_examples=examples(1000), deadline=None)
@given(disturbed())
def test_odd_samples_of_one_host_break_nothing(situation: Situation) -> None:
    for found in judged(situation, LIMITS).findings:
        assert found.since <= situation.now
        assert found.wasted_nusd is None or 0 <= found.wasted_nusd <= (situation.accruing_nusd or 0)
        assert not {"nan%", "inf%"} & set(found.evidence.split())


@settings(max_examples=examples(1000), deadline=None)
@given(situations(), st.booleans())
def test_without_samples_no_rule_that_reads_them_finds_anything(situation: Situation, empty: bool) -> None:
    hosts = dict.fromkeys(situation.series, NOTHING) if empty else {}
    metrics = dict.fromkeys(situation.metrics, NOTHING) if empty else {}
    found = judged(replace(situation, series=hosts, metrics=metrics), LIMITS).findings
    assert {one.rule for one in found} & {*SAMPLE_RULES, "diverged"} == set()


@given(
    st.sampled_from(["InProgress", "Stopping", "Completed", "Deleting", "SomethingNew", None]),
    st.sampled_from(["Training", "Downloading", None]),
)
@example("InProgress", "Training")
def test_of_a_job_of_which_nothing_is_known_nothing_is_found(status: str | None, secondary: str | None) -> None:
    job = training_job_from({"TrainingJobName": "one", "TrainingJobStatus": status, "SecondaryStatus": secondary})
    bare = Situation(now=NOW, job=job, ran=(), rate_nusd=None, burn_nusd=None, accruing_nusd=None)
    assert judged(bare, LIMITS).findings == ()


@given(st.sampled_from([rule for rule in RULES if rule != "idle_warm_pool"]), st.integers(0, 300))
def test_a_clock_up_to_five_minutes_slow_breaks_nothing(rule: str, seconds: int) -> None:
    situation, thresholds = FIRING[rule]()
    now = situation.now - timedelta(seconds=seconds)
    for found in judged(replace(situation, now=now), thresholds).findings:
        assert found.since <= situation.now


@given(st.integers(1, 48))
def test_money_is_never_wasted_before_a_job_began(hours: int) -> None:
    situation = seen(now=at(hours))
    assert situation.spent_since(at(-1000)) == situation.accruing_nusd == nusd(2 * hours)
