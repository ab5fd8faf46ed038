"""Idle GPU: every GPU host has done nothing for the whole window."""

from domain.findings import idle_gpu
from domain.findings.series import Series
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ago, finding, levels, live, on_hosts, seen


def test_a_gpu_that_has_done_nothing_since_half_past_four_is_idle() -> None:
    found = finding(idle_gpu.judge(FIRING["idle_gpu"]().situation, LIMITS))
    assert (found.severity, found.since) == ("critical", at(4.5))
    assert "Its GPU host under 5% GPU for 1 h 30" in found.evidence
    assert found.wasted_nusd == nusd("3")  # an hour and a half at $2


def test_idle_hours_of_spot_are_wasted_at_its_billable_share() -> None:
    situation = seen(live(spot=True), share=0.3, series=on_hosts(levels((80, 150), (0, 91))))
    assert finding(idle_gpu.judge(situation, LIMITS)).wasted_nusd == nusd("0.9")


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    situation = seen(rate_usd=None, series=on_hosts(levels((0, 91))))
    assert finding(idle_gpu.judge(situation, LIMITS)).wasted_nusd is None


def test_the_window_has_to_be_idle_from_its_first_sample_to_its_last() -> None:
    assert idle_gpu.judge(seen(series=on_hosts(levels((80, 90), (0, 30)))), LIMITS) is None
    assert idle_gpu.judge(seen(series=on_hosts(levels((0, 90), (80, 1)))), LIMITS) is None
    finding(idle_gpu.judge(seen(series=on_hosts(levels((80, 90), (0, 31)))), LIMITS))


def test_the_threshold_itself_is_not_idle() -> None:
    assert idle_gpu.judge(seen(series=on_hosts(levels((5, 90)))), LIMITS) is None
    finding(idle_gpu.judge(seen(series=on_hosts(levels((4.99, 90)))), LIMITS))


def test_the_sum_over_four_gpus_is_held_against_four_gpus() -> None:
    job = live(instance_type="ml.g5.12xlarge")
    assert idle_gpu.judge(seen(job, series=on_hosts(levels((20, 90)))), LIMITS) is None
    finding(idle_gpu.judge(seen(job, series=on_hosts(levels((19, 90)))), LIMITS))


def test_one_host_that_works_speaks_for_all() -> None:
    assert idle_gpu.judge(seen(live(count=2), series=on_hosts(levels((0, 90)), levels((6, 90)))), LIMITS) is None


def test_hosts_are_idle_together_since_the_last_of_them_stopped() -> None:
    situation = seen(live(count=3), series=on_hosts(levels((0, 200)), levels((70, 150), (0, 61)), levels((0, 200))))
    found = finding(idle_gpu.judge(situation, LIMITS))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("2"))
    assert "All 3 hosts" in found.evidence


def test_cpu_hosts_of_a_mixed_cluster_are_not_asked() -> None:
    groups = [{"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}, {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 1}]
    situation = seen(live(ResourceConfig={"InstanceGroups": groups}), series={(2, "GPUUtilization"): levels((0, 90))})
    assert "Its GPU host" in finding(idle_gpu.judge(situation, LIMITS)).evidence


def test_a_cpu_job_has_no_gpu_to_be_idle() -> None:
    assert idle_gpu.judge(seen(live(instance_type="ml.m5.xlarge")), LIMITS) is None


def test_other_thresholds_judge_otherwise() -> None:
    situation = seen(series=on_hosts(levels((80, 60), (3, 45))))
    finding(idle_gpu.judge(situation, LIMITS))
    assert idle_gpu.judge(situation, Thresholds(idle_gpu_percent=3)) is None
    assert idle_gpu.judge(situation, Thresholds(idle_minutes=45)) is None
    assert "under 4%" in finding(idle_gpu.judge(situation, Thresholds(idle_gpu_percent=4, idle_minutes=44))).evidence


def test_a_host_that_works_again_is_not_idle_only_because_another_reports_late() -> None:
    back = levels((0, 90), (80, 10))
    late = levels((0, 90), until=ago(12))
    assert idle_gpu.judge(seen(live(count=2), series=on_hosts(back, late)), LIMITS) is None


def test_a_gpu_is_not_idle_while_the_job_still_downloads() -> None:
    job = live(("Downloading", 0), ("Training", 5))
    found = finding(idle_gpu.judge(seen(job, series=on_hosts(levels((0, 300)))), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("2"))


def test_samples_every_five_minutes_will_do() -> None:
    sparse = levels((80, 12), (0, 13), every=300)
    assert isinstance(sparse, Series)
    assert finding(idle_gpu.judge(seen(series=on_hosts(sparse)), LIMITS)).since == at(5)
