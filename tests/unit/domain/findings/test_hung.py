"""Hung: GPUs spin without moving while everything that once moved has stopped."""

from dataclasses import replace
from typing import Any

import pytest

from domain.findings import hung
from domain.findings.finding import Finding
from domain.findings.series import Series
from domain.findings.situation import Checkpoint, Signal, Situation
from domain.findings.thresholds import Thresholds
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, NOW, SAVES, ago, finding, levels, live, no_verdict, on_hosts, seen

FLAT = levels((97, 240))


def silent(*, gpu: Series = FLAT, **facts: Any) -> Situation:
    """A job whose GPU is flat and high, and which last logged two hours and ten minutes ago."""
    return seen(**({"series": on_hosts(gpu), "logs": Signal(ago(130), NOW)} | facts))


def test_a_flat_gpu_and_silent_logs_are_a_job_that_hangs() -> None:
    found = finding(hung.judge(FIRING["hung"]().situation, LIMITS))
    assert (found.severity, found.since) == ("critical", ago(130))
    assert found.evidence == "GPU flat at 97% while no log line has moved for 2 h 10."
    assert found.wasted_nusd == 4_333_333_333  # 130 of 60 minutes at $2


def test_it_hangs_since_the_last_of_all_signals_moved() -> None:
    situation = silent(
        metrics={"train:loss": levels((0.4, 60), until=ago(100)), "epoch": levels((3, 60), until=ago(180))},
        metrics_checked_at=ago(2),
        checkpoint=Checkpoint("stale", ago(120), 1200, ago(9)),
    )
    found = finding(hung.judge(situation, LIMITS))
    assert found.since == ago(100)
    assert all(words in found.evidence for words in ("no training metric", "no log line", "no checkpoint", "1 h 40"))


@pytest.mark.parametrize(
    "moving",
    [
        {"logs": Signal(ago(89), NOW)},
        {"metrics": {"train:loss": levels((0.4, 60), until=ago(89))}, "metrics_checked_at": NOW},
        {"checkpoint": Checkpoint("fresh", ago(89), 1200, NOW)},
    ],
)
def test_one_signal_that_moved_in_the_window_is_work(moving: dict[str, Any]) -> None:
    assert hung.judge(silent(**moving), LIMITS) is None


def test_a_metric_that_goes_on_with_one_value_moves() -> None:
    assert hung.judge(silent(metrics={"train:loss": levels((0.4, 240))}, metrics_checked_at=NOW), LIMITS) is None


def test_a_signal_that_moved_when_the_window_began_has_been_still_for_it() -> None:
    finding(hung.judge(silent(logs=Signal(ago(90), NOW)), LIMITS))


def test_what_never_moved_is_no_evidence() -> None:
    assert "never" in no_verdict(hung.judge(silent(logs=Signal(None, NOW)), LIMITS))


def test_one_signal_that_once_moved_is_enough() -> None:
    situation = silent(logs=Signal(None, NOW), metrics={"train:loss": levels((0.4, 60), until=ago(100))}, metrics_checked_at=NOW)
    assert "no log line" not in finding(hung.judge(situation, LIMITS)).evidence


@pytest.mark.parametrize(
    "unseen",
    [
        {"logs": None},
        {"logs": Signal(ago(130), ago(31))},
        {"metrics": {"train:loss": levels((0.4, 60), until=ago(100))}, "metrics_checked_at": None},
        {"metrics": {"train:loss": levels((0.4, 60), until=ago(100))}, "metrics_checked_at": ago(31)},
        {"checkpoint": Checkpoint("stale", ago(120), 1200, ago(31))},
    ],
)
def test_a_signal_that_nobody_has_looked_at_lately_leaves_no_verdict(unseen: dict[str, Any]) -> None:
    assert "nobody has looked" in no_verdict(hung.judge(silent(**unseen), LIMITS))


def test_a_look_of_half_an_hour_ago_counts() -> None:
    finding(hung.judge(silent(logs=Signal(ago(130), ago(30))), LIMITS))


def test_a_gpu_that_moves_by_more_than_five_percent_works() -> None:
    finding(hung.judge(silent(gpu=levels((95, 150), (100, 90))), LIMITS))
    assert hung.judge(silent(gpu=levels((94.9, 200), (100, 40))), LIMITS) is None


def test_a_gpu_under_the_threshold_does_not_spin() -> None:
    finding(hung.judge(silent(gpu=levels((90, 240))), LIMITS))
    assert hung.judge(silent(gpu=levels((89.9, 240))), LIMITS) is None


def test_all_hosts_have_to_be_flat_and_high() -> None:
    busy = levels((60, 120), (97, 120))
    situation = silent()
    situation = replace(situation, job=live(count=2), series=on_hosts(FLAT, busy))
    finding(hung.judge(situation, LIMITS))
    working = Series(busy.times, [value - 10 * (place % 2) for place, value in enumerate(busy.values)])
    assert hung.judge(replace(situation, series=on_hosts(FLAT, working)), LIMITS) is None


def test_use_is_that_of_all_gpus_of_a_host() -> None:
    four = replace(silent(gpu=levels((388, 240))), job=live(instance_type="ml.g5.12xlarge"))
    assert "flat at 97%" in finding(hung.judge(four, LIMITS)).evidence


def test_other_thresholds_judge_otherwise() -> None:
    assert hung.judge(silent(), Thresholds(hung_gpu_percent=98)) is None
    assert hung.judge(silent(), Thresholds(hung_minutes=131)) is None
    finding(hung.judge(silent(gpu=levels((60, 240))), Thresholds(hung_gpu_percent=60)))


def test_checkpoints_that_cannot_be_listed_may_move() -> None:
    situation = replace(silent(checkpoint=Checkpoint("unknown", None, None, NOW)), job=live(CheckpointConfig=SAVES))
    assert not isinstance(hung.judge(situation, LIMITS), Finding)


def test_what_a_predecessor_wrote_is_no_signal_of_this_job() -> None:
    before = Checkpoint("never_written", at(-20), None, NOW)  # this job began twenty hours after the newest write
    situation = replace(silent(logs=Signal(None, NOW), checkpoint=before), job=live(CheckpointConfig=SAVES))
    assert not isinstance(hung.judge(situation, LIMITS), Finding)


def test_a_first_sample_that_is_no_number_does_not_make_a_gpu_flat() -> None:
    wild = Series(FLAT.times, [float("nan") if place == 149 else 10.0 + place % 80 for place in range(240)])
    assert not isinstance(hung.judge(silent(gpu=wild), LIMITS), Finding)
