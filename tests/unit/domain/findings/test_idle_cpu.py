"""Idle CPU: the hosts of a job without accelerators have done nothing for the whole window."""

from domain.findings import idle_cpu
from domain.findings.situation import CPU, Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ago, finding, levels, live, on_hosts, seen


def cores(*pieces: tuple[float, int], instance_type: str = "ml.m5.xlarge") -> Situation:
    """A job on one host with four cores, whose use is summed over them."""
    return seen(live(instance_type=instance_type), series=on_hosts(levels(*pieces), metric=CPU))


def test_a_host_that_has_done_nothing_since_half_past_four_is_idle() -> None:
    found = finding(idle_cpu.judge(FIRING["idle_cpu"]().situation, LIMITS))
    assert (found.severity, found.since) == ("critical", at(4.5))
    assert "Its host under 5% CPU for 1 h 30" in found.evidence
    assert found.wasted_nusd == nusd("3")  # an hour and a half at $2


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    situation = seen(live(instance_type="ml.m5.xlarge"), rate_usd=None, series=on_hosts(levels((1, 60)), metric=CPU))
    assert finding(idle_cpu.judge(situation, LIMITS)).wasted_nusd is None


def test_the_sum_over_four_cores_is_held_against_four_cores() -> None:
    assert idle_cpu.judge(cores((20, 60)), LIMITS) is None
    finding(idle_cpu.judge(cores((19.9, 60)), LIMITS))


def test_the_window_has_to_be_idle_from_its_first_sample_to_its_last() -> None:
    assert idle_cpu.judge(cores((200, 90), (0, 30)), LIMITS) is None
    finding(idle_cpu.judge(cores((200, 90), (0, 31)), LIMITS))


def test_one_host_that_works_speaks_for_all() -> None:
    job = live(instance_type="ml.m5.xlarge", count=2)
    assert idle_cpu.judge(seen(job, series=on_hosts(levels((0, 90)), levels((24, 90)), metric=CPU)), LIMITS) is None
    both = finding(idle_cpu.judge(seen(job, series=on_hosts(levels((0, 90)), levels((9, 61)), metric=CPU)), LIMITS))
    assert both.since == at(5)
    assert "All 2 hosts" in both.evidence


def test_an_idle_cpu_beside_accelerators_is_no_idle_cpu_job() -> None:
    assert idle_cpu.judge(cores((0, 60), instance_type="ml.g5.2xlarge"), LIMITS) is None
    assert idle_cpu.judge(cores((0, 60), instance_type="ml.trn1.2xlarge"), LIMITS) is None


def test_a_type_outside_the_catalogue_may_have_accelerators() -> None:
    assert idle_cpu.judge(cores((0, 60), instance_type="ml.x9.huge"), LIMITS) is None


def test_other_thresholds_judge_otherwise() -> None:
    situation = cores((200, 60), (12, 45))  # 3 %
    finding(idle_cpu.judge(situation, LIMITS))
    assert idle_cpu.judge(situation, Thresholds(idle_cpu_percent=3)) is None
    assert idle_cpu.judge(situation, Thresholds(idle_minutes=45)) is None
    finding(idle_cpu.judge(situation, Thresholds(idle_gpu_percent=0)))


def test_a_host_that_works_again_is_not_idle_only_because_another_reports_late() -> None:
    back, late = levels((0, 90), (300, 10)), levels((0, 90), until=ago(12))
    job = live(instance_type="ml.m5.xlarge", count=2)
    assert idle_cpu.judge(seen(job, series=on_hosts(back, late, metric=CPU)), LIMITS) is None


def test_a_host_is_not_idle_while_the_job_still_downloads() -> None:
    job = live(("Downloading", 0), ("Training", 5), instance_type="ml.m5.xlarge")
    found = finding(idle_cpu.judge(seen(job, series=on_hosts(levels((0, 300)), metric=CPU)), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("2"))
