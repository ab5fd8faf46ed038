"""Straggler: one host of several does nothing while the others work."""

from dataclasses import replace
from math import nan

from domain.findings import straggler
from domain.findings.finding import Finding
from domain.findings.series import Series
from domain.findings.situation import CPU, Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, ago, finding, levels, live, on_hosts, seen

BUSY = levels((80, 200))
IDLE = levels((80, 100), (0, 61))


def hosts(*series: Series) -> Situation:
    return seen(live(count=len(series)), series=on_hosts(*series))


def test_a_host_that_has_done_nothing_since_half_past_four_lags_behind() -> None:
    found = finding(straggler.judge(FIRING["straggler"]().situation, LIMITS))
    assert (found.severity, found.since) == ("warning", at(4.5))
    assert "algo-1 of 2 hosts under 5% for 1 h 30" in found.evidence
    assert found.wasted_nusd == nusd("1.5")  # one of two hosts, an hour and a half at $2


def test_a_single_host_has_nobody_to_lag_behind() -> None:
    assert straggler.judge(hosts(IDLE), LIMITS) is None


def test_hosts_that_are_all_idle_are_an_idle_job() -> None:
    assert straggler.judge(hosts(IDLE, IDLE), LIMITS) is None


def test_no_host_is_idle_where_all_work() -> None:
    assert straggler.judge(hosts(BUSY, BUSY), LIMITS) is None


def test_another_host_has_to_work_at_a_fifth_of_what_it_can() -> None:
    finding(straggler.judge(hosts(IDLE, levels((20, 200))), LIMITS))
    assert straggler.judge(hosts(IDLE, levels((19.9, 200))), LIMITS) is None


def test_a_host_at_the_threshold_is_not_idle() -> None:
    assert straggler.judge(hosts(levels((5, 200)), BUSY), LIMITS) is None
    finding(straggler.judge(hosts(levels((4.99, 200)), BUSY), LIMITS))


def test_the_window_has_to_be_idle_from_its_first_sample_to_its_last() -> None:
    assert straggler.judge(hosts(levels((80, 100), (0, 30)), BUSY), LIMITS) is None
    finding(straggler.judge(hosts(levels((80, 100), (0, 31)), BUSY), LIMITS))


def test_several_that_lag_are_counted_and_three_are_named() -> None:
    found = finding(straggler.judge(hosts(*[IDLE] * 5, *[BUSY] * 3), LIMITS))
    assert "algo-1, algo-2, algo-3 and 2 more of 8 hosts" in found.evidence
    assert found.wasted_nusd == nusd("1.25")  # five of eight hosts, one hour at $2


def test_a_third_of_the_money_is_a_third_to_the_hundredth_of_a_percent() -> None:
    wasted = finding(straggler.judge(hosts(IDLE, BUSY, BUSY), LIMITS)).wasted_nusd
    assert wasted is not None
    assert abs(wasted - nusd("2") / 3) <= nusd("2") / 10_000


def test_hosts_of_a_cpu_job_are_judged_by_their_cores() -> None:
    job = live(instance_type="ml.m5.xlarge", count=2)
    series = on_hosts(levels((8, 61)), levels((320, 200)), metric=CPU)
    found = finding(straggler.judge(seen(job, series=series), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("1"))


def test_a_gpu_host_among_cpu_hosts_has_nobody_to_lag_behind() -> None:
    groups = [{"InstanceType": "ml.g5.2xlarge", "InstanceCount": 1}, {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2}]
    situation = seen(live(ResourceConfig={"InstanceGroups": groups}), series=on_hosts(IDLE))
    assert straggler.judge(situation, LIMITS) is None


def test_without_a_price_nobody_knows_what_is_wasted() -> None:
    situation = seen(live(count=2), rate_usd=None, series=on_hosts(IDLE, BUSY))
    assert finding(straggler.judge(situation, LIMITS)).wasted_nusd is None


def test_other_thresholds_judge_otherwise() -> None:
    situation = hosts(levels((80, 100), (3, 45)), BUSY)
    finding(straggler.judge(situation, LIMITS))
    assert straggler.judge(situation, Thresholds(idle_gpu_percent=3)) is None
    assert straggler.judge(situation, Thresholds(idle_minutes=45)) is None
    assert straggler.judge(situation, Thresholds(slow_gpu_percent=81)) is None


def test_a_host_that_works_again_does_not_lag_only_because_another_reports_late() -> None:
    back, late = levels((0, 90), (80, 10)), levels((80, 120), until=ago(12))
    assert straggler.judge(hosts(back, late), LIMITS) is None


def test_a_host_does_not_lag_while_the_job_still_downloads() -> None:
    job = live(("Downloading", 0), ("Training", 5), count=2)
    found = finding(straggler.judge(seen(job, series=on_hosts(levels((0, 300)), levels((0, 240), (80, 61)))), LIMITS))
    assert (found.since, found.wasted_nusd) == (at(5), nusd("1"))


def test_a_newest_sample_that_is_no_number_says_nothing_of_a_host() -> None:
    verdict = straggler.judge(hosts(levels((0, 150), (nan, 1)), BUSY), LIMITS)
    assert not isinstance(verdict, Finding) or verdict.since == ago(150)


def test_of_a_mixed_cluster_the_idle_host_wastes_what_it_costs_itself() -> None:
    groups = [("ml.p4d.24xlarge", "a"), ("ml.g5.2xlarge", "b")]
    config = {"InstanceGroups": [{"InstanceType": kind, "InstanceCount": 1, "InstanceGroupName": name} for kind, name in groups]}
    series = on_hosts(levels((8 * 80, 200)), levels((0, 61)))
    situation = seen(live(ResourceConfig=config), series=series, rate_usd="39.2", host_rates=(nusd("37.69"), nusd("1.51")))
    found = finding(straggler.judge(situation, LIMITS))
    assert found.since == at(5)
    assert abs((found.wasted_nusd or 0) - nusd("1.51")) <= nusd("39.2") // 10_000  # an hour of algo-2 alone
    assert finding(straggler.judge(replace(situation, host_rates=()), LIMITS)).wasted_nusd is None
