"""Slow GPU: a host works, at a fraction of what it is paid for."""

from domain.findings import slow_gpu
from domain.findings.situation import Signal, Situation
from domain.findings.thresholds import Thresholds
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, NOW, ago, finding, levels, live, on_hosts, seen


def used(*pieces: tuple[float, int]) -> Situation:
    return seen(series=on_hosts(levels(*pieces)))


def test_a_gpu_that_does_an_eighth_of_what_it_can_is_slow() -> None:
    found = finding(slow_gpu.judge(FIRING["slow_gpu"]().situation, LIMITS))
    assert (found.severity, found.since) == ("info", at(5))
    assert "Its GPUs did 12% of what they can over the last 1 h 00" in found.evidence


def test_what_a_slow_gpu_wastes_is_not_known() -> None:
    assert finding(slow_gpu.judge(used((12, 90)), LIMITS)).wasted_nusd is None


def test_slow_lies_between_idle_and_a_fifth() -> None:
    finding(slow_gpu.judge(used((5, 90)), LIMITS))
    finding(slow_gpu.judge(used((19.9, 90)), LIMITS))
    assert slow_gpu.judge(used((4.9, 90)), LIMITS) is None
    assert slow_gpu.judge(used((20, 90)), LIMITS) is None


def test_the_mean_of_the_window_is_judged_and_not_single_samples() -> None:
    finding(slow_gpu.judge(used((0, 30), (30, 31)), LIMITS))
    assert slow_gpu.judge(used((0, 30), (45, 31)), LIMITS) is None


def test_where_everything_that_moved_stands_still_it_is_not_slow() -> None:
    def moved(minutes: float) -> Situation:
        return seen(series=on_hosts(levels((12, 90))), logs=Signal(ago(minutes), NOW))

    finding(slow_gpu.judge(moved(59), LIMITS))
    assert slow_gpu.judge(moved(60), LIMITS) is None


def test_where_nobody_can_tell_whether_anything_moves_it_is_slow() -> None:
    finding(slow_gpu.judge(seen(series=on_hosts(levels((12, 90))), logs=None), LIMITS))


def test_what_was_before_the_window_does_not_count() -> None:
    finding(slow_gpu.judge(used((100, 100), (12, 61)), LIMITS))


def test_the_slowest_host_is_the_one_that_is_named() -> None:
    situation = seen(live(count=3), series=on_hosts(levels((80, 90)), levels((18, 90)), levels((9, 90))))
    assert "The GPUs of algo-3 did 9%" in finding(slow_gpu.judge(situation, LIMITS)).evidence


def test_one_slow_host_among_busy_ones_is_slow() -> None:
    situation = seen(live(count=2), series=on_hosts(levels((80, 90)), levels((12, 90))))
    assert "algo-2" in finding(slow_gpu.judge(situation, LIMITS)).evidence


def test_the_sum_over_four_gpus_is_held_against_four_gpus() -> None:
    job = live(instance_type="ml.g5.12xlarge")
    finding(slow_gpu.judge(seen(job, series=on_hosts(levels((79, 90)))), LIMITS))
    assert slow_gpu.judge(seen(job, series=on_hosts(levels((80, 90)))), LIMITS) is None


def test_other_thresholds_judge_otherwise() -> None:
    situation = used((80, 60), (12, 61))
    finding(slow_gpu.judge(situation, LIMITS))
    assert slow_gpu.judge(situation, Thresholds(slow_gpu_percent=12)) is None
    assert slow_gpu.judge(situation, Thresholds(idle_gpu_percent=13)) is None
    assert slow_gpu.judge(situation, Thresholds(slow_minutes=100)) is None
