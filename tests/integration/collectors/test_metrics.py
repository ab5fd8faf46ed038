"""Metrics of live jobs collected over HTTP from the simulated account."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import Any

import pytest
from sqlalchemy import select

import collectors.metrics
import demo.cloudwatch
import worker.run
from collectors.metrics import OVERLAP
from demo.plan import ABSENT, SERVERLESS, Algorithm, Cluster, Group, JobPlan, Phases, WarmPool
from domain.findings.situation import CPU, GPU, GPU_MEMORY, MEMORY
from storage.samples import OWN
from storage.schema import api_calls
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW, Watched, lasting, plan, reported

LOSS = Algorithm(metrics=(("validation:loss", r"loss=([0-9\.]+)"),))
Requests = list[dict[str, Any]]


class Killed(BaseException):
    """Stands for the end of the process: nobody catches it."""


def working(name: str, kind: str = "ml.g5.2xlarge", count: int = 1, hours: float = 1.0, **members: Any) -> JobPlan:
    """A job that began so many hours ago, reports a loss, and goes on for two days."""
    given: dict[str, Any] = {"cluster": Cluster.of(kind, count), "phases": lasting(hours + 48), "algorithm": LOSS}
    return plan(name, created=hours * HOUR, **(given | members))


def ready(watch: Watch, plans: Sequence[JobPlan], **sections: Any) -> Watched:
    """An account whose jobs are in the books."""
    account = watch(plans, **sections)
    assert account.run().outcome == "ok"
    return account


def series_in(request: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Job, host and metric of each series that a call asks for."""
    found = []
    for query in request["MetricDataQueries"]:
        metric = query["MetricStat"]["Metric"]
        name, _, host = metric["Dimensions"][0]["Value"].partition("/algo-")
        found.append((name, int(host or OWN), metric["MetricName"]))
    return found


def jobs_in(request: dict[str, Any]) -> set[str]:
    """The jobs that a call asks about."""
    return {name for name, _, _ in series_in(request)}


def period_of(request: dict[str, Any]) -> int:
    """The one period of all its series."""
    (period,) = {query["MetricStat"]["Period"] for query in request["MetricDataQueries"]}
    return int(period)


def assert_true(account: Watched, plan: JobPlan, end: datetime, *, start: datetime | None = None) -> None:
    """Everything that is kept of a job since an instant is what it reported: no sample more, and none less."""
    series = account.series(plan.name)
    assert series
    begin = start or plan.created_at
    for host, metric in series:
        kept = {time: value for time, value in account.points(plan.name, host, metric).items() if time >= begin.timestamp()}
        assert kept == reported(plan, host, metric, begin, end), (plan.name, host, metric)


def test_a_call_asks_for_500_metrics_at_most_and_a_job_is_never_split_over_two(watch: Watch) -> None:
    plans = [working(f"job-{number}", count=1 + number % 7, hours=0.3) for number in range(60)]
    account = ready(watch, plans)
    requests = account.metric_requests()
    assert account.run("metrics").outcome == "ok"
    sizes = [len(request["MetricDataQueries"]) for request in requests]
    assert sum(sizes) == sum(4 * one.cluster.instance_count + 1 for one in plans)
    assert max(sizes) <= 500
    assert len(sizes) == 2
    assert Counter(name for request in requests for name in jobs_in(request)) == account.names()


def test_a_second_look_asks_only_since_the_last_and_what_comes_twice_changes_nothing(watch: Watch) -> None:
    job = working("job")
    account = ready(watch, [job])
    requests = account.metric_requests()
    account.run("metrics")
    assert_true(account, job, NOW)
    assert account.run("metrics").rows > 0
    assert_true(account, job, NOW)
    account.later(5 * MINUTE, "metrics")
    assert_true(account, job, NOW + 5 * MINUTE)
    starts = [request["StartTime"] for request in requests]
    assert starts == [NOW - HOUR + 2 * MINUTE, NOW - OVERLAP, NOW - OVERLAP]
    assert len(account.points("job", 1, GPU)) == 57 + 5


def test_an_outage_of_a_day_and_a_half_leaves_no_gap(watch: Watch) -> None:
    job, other = working("job"), working("other", "ml.m5.xlarge")
    account = ready(watch, [job, other])
    account.run("metrics")
    account.later(36 * HOUR)
    assert account.run("metrics").outcome == "ok"
    for one in (job, other):
        assert_true(account, one, NOW + 36 * HOUR)


def test_gpu_jobs_are_asked_for_before_others(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 10)
    cpu = [working(f"cpu-{number}", "ml.m5.xlarge", hours=1.5) for number in range(4)]
    account = ready(watch, [*cpu, *(working(f"gpu-{number}") for number in range(4))])
    requests = account.metric_requests()
    account.run("metrics")
    order = [sorted({name[:3] for name in jobs_in(request)}) for request in requests]
    assert order == [["gpu"], ["gpu"], ["cpu"], ["cpu"]]


def test_jobs_left_out_for_want_of_calls_are_counted_as_a_problem_and_come_next(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 10)
    plans = [working(f"gpu-{number}") for number in range(6)]
    account = ready(watch, plans, collect={"metric_calls": 1})
    requests = account.metric_requests()
    report = account.run("metrics")
    assert report.outcome == "partial"
    assert "4 live jobs were left out: raise [collect] metric_calls, now 1" in report.message
    for _ in range(2):
        account.later(5 * MINUTE, "metrics")
    assert len(requests) == 3
    assert set().union(*(jobs_in(request) for request in requests)) == {one.name for one in plans}
    for _ in range(3):
        account.later(5 * MINUTE, "metrics")
    assert jobs_in(requests[3]) == jobs_in(requests[0])
    last = next(one for one in plans if one.name in jobs_in(requests[5]))
    assert_true(account, last, NOW + 25 * MINUTE)
    assert Counter(name for request in requests for name in jobs_in(request)) == {one.name: 2 for one in plans}


def test_with_calls_enough_nothing_is_left_out(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 10)
    account = ready(watch, [working(f"gpu-{number}") for number in range(6)], collect={"metric_calls": 3})
    report = account.run("metrics")
    assert (report.outcome, report.calls) == ("ok", 3 + 1)  # and one asks whose the credentials are


def means(points: dict[int, float], period: int) -> dict[int, float]:
    """The mean of each period, at its start."""
    buckets: dict[int, list[float]] = {}
    for time, value in points.items():
        buckets.setdefault(time // period * period, []).append(value)
    return {time: sum(values) / len(values) for time, values in buckets.items()}


def test_a_job_new_to_us_gets_its_history_coarser_the_longer_ago(watch: Watch) -> None:
    now = NOW + timedelta(minutes=17, seconds=13)
    job = working("old", hours=20 * 24)
    account = watch([job])
    account.clock.set(now)
    account.run()
    requests = account.metric_requests()
    assert account.run("metrics").outcome == "ok"
    assert [period_of(request) for request in requests] == [60, 300, 3600]
    fine, middle = int((now - 3 * HOUR).timestamp()), int((now - 15 * DAY).timestamp())
    for host, metric in ((1, GPU), (1, CPU), (OWN, "validation:loss")):
        points = account.points("old", host, metric)
        truth = reported(job, host, metric, job.created_at, now)
        recent = {time: value for time, value in points.items() if time >= fine}
        assert recent == {time: value for time, value in truth.items() if time >= fine}
        between = {time: value for time, value in points.items() if middle <= time < fine - 300}
        assert between == pytest.approx({time: value for time, value in means(truth, 300).items() if middle <= time < fine - 300})
        before = {time: value for time, value in points.items() if time < middle - 3600}
        assert before == pytest.approx({time: value for time, value in means(truth, 3600).items() if time < middle - 3600})
        assert len(before) > 100
        assert len(between) > 4000
    assert min(account.points("old", 1, GPU_MEMORY)) >= fine - 60  # of which nobody asks the past


def test_history_takes_a_few_calls_a_run_and_each_piece_is_asked_for_once(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "HISTORY_CALLS", 2)
    monkeypatch.setattr(collectors.metrics, "POINTS", 4000)
    plans = [working(f"job-{number:02}", "ml.m5.xlarge", hours=48) for number in range(12)]
    account = ready(watch, plans)
    requests = account.metric_requests()
    pieces: Requests = []
    for _ in range(2):
        account.later(5 * MINUTE, "metrics")
        fresh = [request for request in requests if period_of(request) == 300]
        assert len(fresh) == 2
        pieces += fresh
        requests.clear()
    account.later(5 * MINUTE, "metrics")
    assert [period_of(request) for request in requests] == [60]
    assert Counter(name for request in pieces for name in jobs_in(request)) == {one.name: 1 for one in plans}
    assert account.watermark("metrics")["behind"] == {}
    until = int((NOW - 3 * HOUR).timestamp())
    for one in plans:
        early = {time: value for time, value in account.points(one.name, 1, CPU).items() if time < until}
        truth = means(reported(one, 1, CPU, one.created_at, NOW), 300)
        assert early == pytest.approx({time: value for time, value in truth.items() if time < until})


def test_a_job_of_less_than_three_hours_has_no_history_to_ask_for(watch: Watch) -> None:
    account = ready(watch, [working("young", hours=2.5)])
    account.run("metrics")
    assert account.aws.calls["GetMetricData"] == 1


def test_a_job_that_ends_before_its_history_is_there_is_forgotten(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "HISTORY_CALLS", 0)
    account = ready(watch, [working("ending", hours=30, phases=lasting(31))])
    assert account.run("metrics").outcome == "ok"
    assert list(account.watermark("metrics")["behind"]) == [str(account.job_ids()["ending"])]
    account.later(2 * HOUR)
    account.aws.calls.clear()
    assert account.run("metrics").outcome == "ok"
    assert account.aws.calls["GetMetricData"] == 0
    assert account.watermark("metrics") == {"through": {}, "behind": {}}


def test_neither_ended_jobs_nor_those_that_have_not_started_are_asked_for(watch: Watch) -> None:
    waiting = working("waiting", phases=Phases(starting_seconds=9 * 3600.0))
    pooled = plan("pooled", created=2 * HOUR, warm_pool=WarmPool(7200, 7200))  # it has ended, and yet is watched
    account = ready(watch, [plan("ended"), pooled, waiting, working("alive"), working("ending", phases=lasting(1.2))])
    requests = account.metric_requests()
    account.run("metrics")
    assert jobs_in(requests[0]) == {"alive", "ending"}
    account.later(HOUR)
    account.run("metrics")
    assert jobs_in(requests[-1]) == {"alive"}


def test_with_no_live_job_there_is_no_call_and_no_bill(watch: Watch) -> None:
    account = ready(watch, [plan("ended")])
    assert account.run("metrics").outcome == "ok"
    assert account.aws.calls["GetMetricData"] == 0


def test_each_host_has_its_own_series(watch: Watch) -> None:
    job = working("wide", count=3)
    account = ready(watch, [job])
    account.run("metrics")
    hosts = {(host, metric) for host in (1, 2, 3) for metric in (GPU, GPU_MEMORY, CPU, MEMORY)}
    assert set(account.series("wide")) == hosts | {(OWN, "validation:loss")}
    assert_true(account, job, NOW)


def test_hosts_of_a_mixed_cluster_are_numbered_through_and_asked_for_what_they_have(watch: Watch) -> None:
    cluster = Cluster((Group("ml.g5.2xlarge", 2, "trainers"), Group("ml.m5.4xlarge", 1, "loaders")), "groups")
    job = working("mixed", cluster=cluster)
    account = ready(watch, [job])
    requests = account.metric_requests()
    account.run("metrics")
    gpu_hosts = [("mixed", host, metric) for host in (1, 2) for metric in (GPU, CPU, GPU_MEMORY, MEMORY)]
    assert series_in(requests[0]) == [*gpu_hosts, ("mixed", 3, CPU), ("mixed", 3, MEMORY), ("mixed", OWN, "validation:loss")]
    assert_true(account, job, NOW)


def test_a_type_outside_the_catalogue_is_asked_for_everything_among_the_gpu_jobs(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 5)
    account = ready(watch, [working("cpu", "ml.m5.xlarge", hours=2), working("unknown", "ml.p9.48xlarge")])
    requests = account.metric_requests()
    account.run("metrics")
    assert [jobs_in(request) for request in requests] == [{"unknown"}, {"cpu"}]
    assert {metric for _, _, metric in series_in(requests[0])} == {GPU, CPU, GPU_MEMORY, MEMORY, "validation:loss"}
    assert account.points("unknown", 1, GPU)


def test_a_serverless_job_has_no_hosts_to_ask_about(watch: Watch) -> None:
    account = ready(watch, [working("tokens", cluster=SERVERLESS, algorithm=Algorithm()), working("alive")])
    requests = account.metric_requests()
    assert account.run("metrics").outcome == "ok"
    assert [jobs_in(request) for request in requests] == [{"alive"}]


FORTY = [{"Name": f"metric-{number}", "Regex": "x"} for number in range(40)]
DEFINITIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "none at all": ({"AlgorithmSpecification": ABSENT}, []),
    "an algorithm that is null": ({"AlgorithmSpecification": None}, []),
    "an algorithm that is text": ({"AlgorithmSpecification": "pytorch"}, []),
    "a list that is null": ({"AlgorithmSpecification.MetricDefinitions": None}, []),
    "a list that is text": ({"AlgorithmSpecification.MetricDefinitions": "loss"}, []),
    "rows of every shape": (
        {
            "AlgorithmSpecification.MetricDefinitions": [
                None, "loss", 7, [], {}, {"Regex": "x"}, {"Name": None}, {"Name": ""}, {"Name": 5}, {"Name": "validation:loss"},
            ]
        },
        ["validation:loss"],
    ),
    "the same name twice": ({"AlgorithmSpecification.MetricDefinitions": [{"Name": "validation:loss"}] * 2}, ["validation:loss"]),
    "forty of them": ({"AlgorithmSpecification.MetricDefinitions": FORTY}, [row["Name"] for row in FORTY]),
}  # fmt: skip


@pytest.mark.parametrize("what", DEFINITIONS)
def test_metric_definitions_of_any_shape_give_the_series_that_can_be_asked_for(what: str, watch: Watch) -> None:
    overrides, names = DEFINITIONS[what]
    odd = working("odd", overrides=overrides)
    account = ready(watch, [odd, working("plain")])
    requests = account.metric_requests()
    assert account.run("metrics").outcome == "ok"
    assert [metric for name, host, metric in series_in(requests[0]) if (name, host) == ("odd", OWN)] == names
    assert_true(account, odd, NOW)
    assert (OWN, "validation:loss") in account.series("plain")


@pytest.mark.parametrize("definitions", [40, 60])
def test_the_widest_cluster_still_fits_one_call(definitions: int, watch: Watch) -> None:
    rows = [{"Name": f"metric-{number}", "Regex": "x"} for number in range(definitions)]
    wide = working("wide", count=150, hours=0.1, overrides={"AlgorithmSpecification.MetricDefinitions": rows})
    account = ready(watch, [wide, working("plain")])
    requests = account.metric_requests()
    assert account.run("metrics").outcome == "ok"
    assert max(len(request["MetricDataQueries"]) for request in requests) <= 500
    assert (115, GPU) in account.series("wide")
    assert account.series("plain")


def looked_at_for_an_hour(watch: Watch, plans: Sequence[JobPlan], ahead: timedelta = timedelta(0)) -> Watched:
    """An account whose metrics were looked at each five minutes for an hour."""
    account = watch(plans)
    account.ahead = ahead
    for _ in range(13):
        assert account.collect("jobs", "metrics") == {"jobs": "ok", "metrics": "ok"}
        account.clock.advance(5 * MINUTE)
    account.clock.advance(-5 * MINUTE)
    return account


def test_whatever_is_wrong_with_samples_they_end_as_clean_series_in_order(watch: Watch) -> None:
    faults = ("missing", "late", "duplicated", "out_of_order", "nan")
    plans = {fault: working(f"job-{fault}", metric_faults=frozenset({fault})) for fault in faults}
    account = looked_at_for_an_hour(watch, list(plans.values()))
    end = NOW + HOUR
    for fault, job in plans.items():
        for host, metric in ((1, GPU), (1, CPU), (OWN, "validation:loss")):
            truth = reported(job, host, metric, job.created_at, end)
            points = account.points(job.name, host, metric)
            if fault == "missing":
                assert points == {time: value for time, value in truth.items() if time // 60 % 3}
            elif fault == "late":
                assert points == {time: value for time, value in truth.items() if time < (end - 10 * MINUTE).timestamp()}
            elif fault == "nan" and host != OWN:
                assert {time for time, value in points.items() if isnan(value)} == {time for time in truth if time // 60 % 7 == 0}
                assert all(isnan(value) or value == truth[time] for time, value in points.items())
                assert points.keys() == truth.keys()
            else:
                assert points == truth


@pytest.mark.parametrize("minutes", [3, -3])
def test_a_clock_that_is_wrong_by_minutes_loses_and_invents_no_sample(minutes: int, watch: Watch) -> None:
    plans = [
        working("long"),
        working("late", metric_faults=frozenset({"late"})),
        plan("born", created=-21 * MINUTE, phases=lasting(9), algorithm=LOSS),
    ]
    account = looked_at_for_an_hour(watch, plans, minutes * MINUTE)
    seen = min(NOW + HOUR, account.now())
    for one in plans:
        assert_true(account, one, min(seen, NOW + 50 * MINUTE) if one.name == "late" else seen)


def test_a_job_that_began_after_what_our_slow_clock_says_is_no_error(watch: Watch) -> None:
    job = plan("born", created=4 * MINUTE, phases=lasting(9), algorithm=LOSS)  # it is on its instances for two minutes
    account = watch([job])
    account.ahead = -3 * MINUTE
    assert account.collect("jobs", "metrics") == {"jobs": "ok", "metrics": "ok"}
    account.clock.advance(5 * MINUTE)
    assert account.collect("jobs", "metrics") == {"jobs": "ok", "metrics": "ok"}
    assert_true(account, job, account.now())


def test_a_job_that_begins_at_the_very_minute_of_the_look_is_no_error(watch: Watch) -> None:
    account = ready(watch, [plan("born", created=2 * MINUTE, phases=lasting(9), algorithm=LOSS)])  # it starts at NOW
    assert account.run("metrics").outcome == "ok"


def test_samples_from_before_a_job_began_are_those_of_another_of_its_name(watch: Watch) -> None:
    began = NOW - 20 * MINUTE
    again = working("again", overrides={"TrainingStartTime": began.timestamp()})  # though CloudWatch has an hour of samples of the name
    account = ready(watch, [again, working("other")])
    account.run("metrics")
    assert min(account.points("again", 1, GPU)) == began.timestamp()
    assert_true(account, again, NOW, start=began)
    assert_true(account, working("other"), NOW)


def test_an_answer_of_many_pages_is_read_to_its_end(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.cloudwatch, "MOST_DATAPOINTS", 100)
    plans = [working("one"), working("two", "ml.m5.xlarge")]
    account = ready(watch, plans)
    report = account.run("metrics")
    assert (report.outcome, report.rows) == ("ok", 8 * 57)
    assert account.aws.calls["GetMetricData"] == 5
    for one in plans:
        assert_true(account, one, NOW)


def test_denied_the_run_fails_in_words_and_jobs_go_on(watch: Watch) -> None:
    account = ready(watch, [working("job")])
    account.aws.faults.deny("GetMetricData")
    report = account.run("metrics")
    assert report.outcome == "failed"
    assert "cloudwatch:GetMetricData is denied: add cloudwatch:GetMetricData to arn:aws:iam::123456789012:user/demo" in report.message
    assert account.later(MINUTE).outcome == "ok"
    assert account.later(MINUTE, "logs").outcome == "ok"
    account.aws.faults.clear()
    assert account.later(MINUTE, "metrics").outcome == "ok"
    assert account.points("job", 1, GPU)


Break = Callable[[Watched], None]
MISHAPS: dict[str, tuple[Break, str]] = {
    "throttled": (lambda account: account.aws.faults.throttle("GetMetricData"), "GetMetricData was throttled even after retries"),
    "failing inside AWS": (lambda account: account.aws.faults.fail("GetMetricData", 500), "GetMetricData failed inside AWS"),
    "out of service": (lambda account: account.aws.faults.fail("GetMetricData", 503), "GetMetricData failed inside AWS"),
    "cut off": (lambda account: account.aws.faults.cut("GetMetricData"), "the connection to AWS broke"),
    "reset": (lambda account: account.aws.faults.cut("GetMetricData", reset=True), "the connection to AWS broke"),
}


@pytest.mark.parametrize("what", MISHAPS)
def test_a_mishap_is_recorded_in_words_and_the_next_run_goes_on_without_a_gap(what: str, watch: Watch) -> None:
    job = working("job")
    account = ready(watch, [job])
    account.run("metrics")
    breaks, words = MISHAPS[what]
    breaks(account)
    for _ in range(3):
        report = account.later(5 * MINUTE, "metrics")
        assert report.outcome == "failed"
        assert words in report.message
        assert account.runs("metrics")[-1].message == report.message
    account.aws.faults.clear()
    assert account.later(5 * MINUTE, "metrics").outcome == "ok"
    assert_true(account, job, NOW + 20 * MINUTE)


def test_a_failure_in_the_middle_keeps_what_came_before(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 10)
    plans = [working(f"job-{number}") for number in range(6)]
    account = ready(watch, plans)
    real = worker.run.note_progress

    def then_fail(*arguments: Any) -> None:
        real(*arguments)
        account.aws.faults.fail("GetMetricData", 500)

    with monkeypatch.context() as patch:
        patch.setattr(worker.run, "note_progress", then_fail)
        assert account.run("metrics").outcome == "failed"
    assert len([one for one in plans if account.series(one.name)]) == 2
    account.aws.faults.clear()
    assert account.later(5 * MINUTE, "metrics").outcome == "ok"
    for one in plans:
        assert_true(account, one, NOW + 5 * MINUTE)


@pytest.mark.parametrize("where", ["write_watermark", "note_progress"])
def test_killed_between_batches_nothing_is_lost_and_nothing_double(where: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 10)
    monkeypatch.setattr(collectors.metrics, "POINTS", 1500)
    old = [working(f"old-{number}", "ml.m5.xlarge", hours=30) for number in range(4)]
    plans = [*(working(f"job-{number}") for number in range(6)), *old]
    account = ready(watch, plans)
    real = getattr(worker.run, where)
    for death in (1, 2, 4, 6, 7):
        turns = iter(range(1, 1000))

        def dying(*arguments: Any, turns: Any = turns, death: int = death) -> Any:
            if next(turns) == death:
                raise Killed
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(worker.run, where, dying)
            with pytest.raises(Killed):
                account.run("metrics")
        account.clock.advance(2 * MINUTE)  # this very process held the lease, and lives: it must run out
    assert account.run("metrics").outcome == "ok"
    for one in plans:
        assert_true(account, one, NOW + 10 * MINUTE, start=NOW - 170 * MINUTE)
    until = int((NOW - 3 * HOUR).timestamp())
    for one in old:
        early = {time: value for time, value in account.points(one.name, 1, CPU).items() if time < until}
        truth = means(reported(one, 1, CPU, one.created_at, NOW), 300)
        assert early == pytest.approx({time: value for time, value in truth.items() if time < until})
    assert account.watermark("metrics")["behind"] == {}


def test_when_the_jobs_own_metrics_last_moved_and_that_we_looked_is_noted(watch: Watch) -> None:
    hangs = working("hangs", hours=2.0, behaviour="hung", turns_bad_after_seconds=3600.0)
    silent = working("silent", behaviour="silent")
    account = ready(watch, [hangs, silent, working("works")])
    account.run("metrics")
    last, looked = account.signal("hangs", "metrics") or (None, None)
    assert last is not None
    assert abs(last - (NOW - HOUR + 2 * MINUTE)) <= 2 * MINUTE
    assert looked == NOW
    account.later(30 * MINUTE, "metrics")
    assert account.signal("hangs", "metrics") == (last, NOW + 30 * MINUTE)
    assert account.signal("silent", "metrics") == (None, NOW + 30 * MINUTE)
    assert account.signal("works", "metrics") == (NOW + 29 * MINUTE, NOW + 30 * MINUTE)


def test_a_run_thins_what_has_grown_old(watch: Watch) -> None:
    account = ready(watch, [working("one")])
    account.run("metrics")
    before = account.points("one", 1, CPU)
    assert account.later(3 * DAY, "metrics").outcome == "ok"
    account.run("metrics")
    first = {time: value for time, value in account.points("one", 1, CPU).items() if time < NOW.timestamp() - 300}
    truth = means(before, 300)
    assert first == pytest.approx({time: truth[time] for time in first})
    assert 5 < len(first) < len(before) / 4


def test_our_own_bill_is_counted_at_a_cent_for_a_thousand_metrics(watch: Watch) -> None:
    account = ready(watch, [working("one"), working("two"), working("three", "ml.m5.xlarge")])
    account.run("metrics")
    account.later(5 * MINUTE, "metrics")
    asked = 2 * (5 + 5 + 3)
    kept = account.rows(select(api_calls).where(api_calls.c.operation == "cloudwatch:GetMetricData"))
    assert [(row.calls, row.errors, row.cost_nusd) for row in kept] == [(2, 0, asked * 10_000_000 // 1000)]
    assert account.runs("metrics")[-1].cost_nusd == asked * 10_000_000 // 1000 // 2
