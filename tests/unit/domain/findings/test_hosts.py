"""What the six rules that read samples have in common: without good ones they say nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from math import nan

import pytest

from domain.findings.finding import Finding, NoVerdict, Verdict
from domain.findings.judge import RULES
from domain.findings.series import NOTHING, Series
from domain.findings.situation import Held, Situation
from tests.situations import FIRING, LIMITS, NOW, SAMPLE_RULES, ago, ended, finding, live, moved_to, no_verdict, without

WINDOWS = {
    "idle_gpu": LIMITS.idle_minutes, "idle_cpu": LIMITS.idle_minutes, "straggler": LIMITS.idle_minutes,
    "slow_gpu": LIMITS.slow_minutes, "unused_gpus": LIMITS.slow_minutes, "hung": LIMITS.hung_minutes,
}  # fmt: skip
of_each_rule = pytest.mark.parametrize("rule", SAMPLE_RULES)
of_gpu_rules = pytest.mark.parametrize("rule", [rule for rule in SAMPLE_RULES if rule != "idle_cpu"])


def fires(rule: str) -> Situation:
    return FIRING[rule]().situation


def judge(rule: str, situation: Situation) -> Verdict:
    return RULES[rule](situation, LIMITS)


def changed(situation: Situation, change: Callable[[Series], Series]) -> Situation:
    """The same with other samples on every host."""
    return replace(situation, series={key: change(one) for key, one in situation.series.items()})


def on_instances(situation: Situation, instance_type: str, count: int | None = None) -> Situation:
    resources = {"InstanceType": instance_type, "InstanceCount": count or situation.job.instance_count}
    return replace(situation, job=live(ResourceConfig=resources))


def until(series: Series, end: float) -> Series:
    """The same without what is newer than some minutes ago."""
    kept = sum(1 for time in series.times if time <= ago(end).timestamp())
    return Series(series.times[:kept], series.values[:kept])


def with_no_number(series: Series, place: int) -> Series:
    values = list(series.values)
    values[place] = nan
    return Series(series.times, values)


@of_each_rule
def test_no_samples_leave_no_verdict(rule: str) -> None:
    situation = replace(fires(rule), series={}, no_samples_because="nobody has looked at its metrics yet")
    assert no_verdict(judge(rule, situation)) == "nobody has looked at its metrics yet"


@of_each_rule
def test_empty_series_leave_no_verdict(rule: str) -> None:
    assert "no samples" in no_verdict(judge(rule, changed(fires(rule), lambda _: NOTHING)))


@of_each_rule
def test_a_gap_of_over_ten_minutes_leaves_no_verdict(rule: str) -> None:
    situation = changed(fires(rule), lambda one: without(one, ago(21), ago(10)))
    assert no_verdict(judge(rule, situation)) == "samples are missing in the window"


@of_each_rule
def test_a_gap_of_ten_minutes_is_bridged(rule: str) -> None:
    finding(judge(rule, changed(fires(rule), lambda one: without(one, ago(20), ago(10)))))


@of_each_rule
def test_samples_that_do_not_reach_back_through_the_window_leave_no_verdict(rule: str) -> None:
    short = WINDOWS[rule] - 11
    situation = changed(fires(rule), lambda one: Series(one.times[-short:], one.values[-short:]))
    assert no_verdict(judge(rule, situation)) == "samples are missing in the window"


@of_each_rule
def test_samples_that_are_twenty_minutes_late_leave_no_verdict(rule: str) -> None:
    assert no_verdict(judge(rule, changed(fires(rule), lambda one: until(one, 20)))) == "its newest samples are too old"


@of_each_rule
def test_samples_that_are_fifteen_minutes_late_are_judged(rule: str) -> None:
    finding(judge(rule, changed(fires(rule), lambda one: until(one, 15))))


@of_each_rule
def test_one_silent_host_of_several_leaves_no_verdict(rule: str) -> None:
    situation = fires(rule)
    situation = on_instances(situation, situation.hosts[0], count=len(situation.hosts) + 1)
    assert no_verdict(judge(rule, situation)) == f"no samples of algo-{len(situation.hosts)}"


@of_gpu_rules
def test_a_type_outside_the_catalogue_leaves_no_verdict(rule: str) -> None:
    assert "the catalogue does not know" in no_verdict(judge(rule, on_instances(fires(rule), "ml.x9.huge")))


@of_each_rule
def test_trainium_is_never_judged_by_what_it_does_not_report(rule: str) -> None:
    assert judge(rule, on_instances(fires(rule), "ml.trn1.32xlarge")) is None


@of_each_rule
@pytest.mark.parametrize("status", ["Starting", "Pending", "Downloading", "Uploading", "Interrupted", "Updating"])
def test_a_job_in_another_status_than_training_is_not_judged(rule: str, status: str) -> None:
    assert judge(rule, moved_to(fires(rule), status)) is None


@of_each_rule
def test_a_job_that_is_being_stopped_is_not_judged(rule: str) -> None:
    assert judge(rule, moved_to(fires(rule), "Stopping", status="Stopping")) is None


@of_each_rule
@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_not_judged(rule: str, status: str) -> None:
    assert judge(rule, ended(fires(rule), status)) is None


@of_each_rule
def test_nothing_is_said_before_the_job_has_trained_for_the_window(rule: str) -> None:
    begun = live(("Starting", -1), ("Training", 6 - (WINDOWS[rule] - 1) / 60), ResourceConfig=cluster_of(fires(rule)))
    assert judge(rule, replace(fires(rule), job=begun)) is None


@of_each_rule
def test_a_job_that_has_trained_for_the_window_is_judged(rule: str) -> None:
    begun = live(("Starting", -1), ("Training", 6 - WINDOWS[rule] / 60), ResourceConfig=cluster_of(fires(rule)))
    finding(judge(rule, replace(fires(rule), job=begun)))


@of_each_rule
def test_what_was_before_an_interruption_does_not_count(rule: str) -> None:
    steps = (("Training", 0), ("Interrupted", 5.7), ("Starting", 5.71), ("Training", 5.8))
    job = live(*steps, spot=True, ResourceConfig=cluster_of(fires(rule)))
    assert judge(rule, replace(fires(rule), job=job)) is None


@of_each_rule
def test_samples_of_the_next_five_minutes_break_nothing(rule: str) -> None:
    situation = replace(fires(rule), now=NOW - timedelta(minutes=5))
    if situation.logs:
        situation = replace(situation, logs=situation.logs._replace(checked_at=situation.now))
    assert finding(judge(rule, situation)).since <= situation.now


@pytest.mark.parametrize(("rule", "minutes_back"), [(rule, back) for rule in SAMPLE_RULES for back in (0, 15, WINDOWS[rule])])
def test_a_sample_that_is_no_number_is_as_good_as_missing_or_no_evidence(rule: str, minutes_back: int) -> None:
    verdict = judge(rule, changed(fires(rule), lambda one: with_no_number(one, -1 - minutes_back)))
    if isinstance(verdict, Finding):
        assert abs(verdict.since - finding(judge(rule, fires(rule))).since) <= timedelta(minutes=1)
        assert "nan" not in verdict.evidence


@of_each_rule
def test_samples_that_are_all_no_numbers_are_no_evidence(rule: str) -> None:
    situation = changed(fires(rule), lambda one: Series(one.times, [nan] * len(one.times)))
    assert not isinstance(judge(rule, situation), Finding)


@of_each_rule
def test_a_lasting_finding_keeps_its_beginning_when_samples_are_no_longer_kept(rule: str) -> None:
    situation = fires(rule)
    known = finding(judge(rule, situation)).since
    held = replace(situation, held={rule: Held(known, situation.now)}, hosts_from=situation.now - timedelta(minutes=91))
    later = changed(held, lambda one: Series(one.times[-91:], one.values[-91:]))
    assert finding(judge(rule, later)).since == known


@of_each_rule
def test_work_that_was_seen_ends_what_held_before(rule: str) -> None:
    situation = fires(rule)
    seen_since = finding(judge(rule, situation)).since
    before = Held(seen_since - timedelta(hours=8), situation.now)
    held = replace(situation, held={rule: before}, hosts_from=situation.now - timedelta(hours=12))
    assert finding(judge(rule, held)).since == seen_since


def test_each_of_the_six_rules_is_judged_by_samples_alone() -> None:
    verdicts = [judge(rule, replace(fires(rule), series={})) for rule in SAMPLE_RULES]
    assert all(isinstance(verdict, NoVerdict) for verdict in verdicts)


def cluster_of(situation: Situation) -> dict[str, object]:
    return {"InstanceType": situation.hosts[0], "InstanceCount": len(situation.hosts)}
