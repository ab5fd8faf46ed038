"""CloudWatch of the simulated account."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.books import Books, to_json
from demo.call import Call
from demo.cloudwatch import CloudWatch
from demo.plan import DEFAULT_ACCOUNT as ACCOUNT
from demo.plan import Algorithm, Cluster, Phases
from demo.workload import live
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]
LONG = Phases(training_seconds=500_000)
LOSS = Algorithm(metrics=(("validation:loss", "loss=([0-9\\.]+)"),))


def query(host: str, metric: str = "GPUUtilization", statistic: str = "Average", dimension: str = "Host") -> dict[str, Any]:
    said = {"Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": metric, "Dimensions": [{"Name": dimension, "Value": host}]}
    return {"Id": "one", "MetricStat": {"Metric": said, "Period": 60, "Stat": statistic}}


def values(account: Account, asked: dict[str, Any], minutes: int = 30) -> list[float]:
    said = account.client("cloudwatch").get_metric_data(
        StartTime=account.clock.now() - timedelta(minutes=minutes), EndTime=account.clock.now(), MetricDataQueries=[asked]
    )
    return list(said["MetricDataResults"][0]["Values"])


def test_a_host_reports_once_a_minute_summed_over_its_gpus(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", cluster=Cluster.of("ml.g5.12xlarge", 2), phases=LONG)])
    seen = values(account, query("rc-fraud-a/algo-2"))
    assert len(seen) in (29, 30)
    assert all(200 < value <= 400 for value in seen)
    assert values(account, query("rc-fraud-a/algo-3")) == []
    assert values(account, query("rc-fraud-a/algo-2", "CPUUtilization"))[0] > 100


def test_each_behaviour_can_be_told_from_its_samples(open_account: Open) -> None:
    behaviours = ("idle", "hung", "straggler", "one_gpu", "slow", "silent")
    four_gpus = Cluster.of("ml.g5.12xlarge", 2)
    account = open_account([job(f"rc-{one}", behaviour=one, cluster=four_gpus, phases=LONG, algorithm=LOSS) for one in behaviours])
    assert max(values(account, query("rc-idle/algo-1"))) < 20
    assert set(values(account, query("rc-hung/algo-1"))) == {400.0}
    assert values(account, query("rc-hung", "validation:loss", dimension="TrainingJobName")) == []
    assert min(values(account, query("rc-straggler/algo-1"))) > 200 > 20 > max(values(account, query("rc-straggler/algo-2")))
    assert max(values(account, query("rc-one_gpu/algo-1"))) <= 100
    assert max(values(account, query("rc-slow/algo-1"))) < 80
    assert values(account, query("rc-silent/algo-1")) == []
    assert values(account, query("rc-slow", "validation:loss", dimension="TrainingJobName"))


def test_metrics_are_listed_for_two_weeks_after_the_end(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a"), job("rc-fraud-old", 24 * 20)])
    listed = account.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs", MetricName="GPUUtilization")["Metrics"]
    assert [one["Dimensions"][0]["Value"] for one in listed] == ["rc-fraud-a/algo-1"]


def test_minutes_are_kept_for_fifteen_days(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", 10.0)])
    asked = {"StartTime": NOW - timedelta(hours=10), "EndTime": NOW, "MetricDataQueries": [query("rc-fraud-a/algo-1")]}
    cloudwatch = account.client("cloudwatch")
    assert cloudwatch.get_metric_data(**asked)["MetricDataResults"][0]["Values"]
    account.clock.advance(timedelta(days=20))
    assert cloudwatch.get_metric_data(**asked)["MetricDataResults"][0]["Values"] == []


def test_each_fault_of_the_samples_shows_in_the_answer(open_account: Open) -> None:
    faults = ("missing", "late", "duplicated", "out_of_order", "nan")
    account = open_account(
        [job(f"rc-{one}", phases=LONG, metric_faults=frozenset({one})) for one in faults] + [job("rc-well", phases=LONG)]
    )
    whole = dict(points(account, query("rc-well/algo-1")))
    assert len(whole) == 29
    found = {one: points(account, query(f"rc-{one}/algo-1")) for one in faults}
    assert 18 <= len(found["missing"]) <= 20
    assert max(at for at, _ in found["late"]) < NOW - timedelta(minutes=10)
    assert sorted(at for at, _ in found["duplicated"]) == sorted(list(whole) * 2)
    assert [at for at, _ in found["out_of_order"]] not in (sorted(whole), sorted(whole, reverse=True))
    assert sorted(at for at, _ in found["out_of_order"]) == sorted(whole)
    assert {value for _, value in found["nan"] if not isinstance(value, float)} == {"NaN"}
    assert len(found["nan"]) == 29


def points(account: Account, asked: dict[str, Any]) -> list[tuple[datetime, Any]]:
    window = {"StartTime": NOW - timedelta(minutes=29), "EndTime": NOW}
    (said,) = account.client("cloudwatch").get_metric_data(MetricDataQueries=[asked], **window)["MetricDataResults"]
    return list(zip(said["Timestamps"], said["Values"], strict=True))


def test_a_page_holds_so_many_points_and_its_token_leads_to_the_rest(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", phases=LONG)])
    hosts = ("rc-fraud-a/algo-1", "rc-fraud-a/algo-2", "rc-fraud-a/algo-1")
    asked = {
        "MetricDataQueries": [query(host) | {"Id": f"q{number}"} for number, host in enumerate(hosts)],
        "StartTime": NOW - timedelta(minutes=60),
        "EndTime": NOW,
    }
    cloudwatch = account.client("cloudwatch")
    (whole,) = cloudwatch.get_paginator("get_metric_data").paginate(**asked)
    said = cloudwatch.get_metric_data(MaxDatapoints=50, **asked)
    pages = [said["MetricDataResults"]]
    while "NextToken" in said:
        account.clock.advance(timedelta(minutes=1))
        said = cloudwatch.get_metric_data(MaxDatapoints=50, NextToken=said["NextToken"], **asked)
        pages.append(said["MetricDataResults"])
    assert [sum(len(one["Values"]) for one in page) for page in pages] == [50, 50, 20]
    assert [[(one["Id"], one["StatusCode"]) for one in page] for page in pages] == [
        [("q0", "PartialData")],
        [("q0", "Complete"), ("q1", "Complete"), ("q2", "PartialData")],
        [("q2", "Complete")],
    ]
    joined: dict[str, list[float]] = {}
    for one in (one for page in pages for one in page):
        joined.setdefault(one["Id"], []).extend(one["Values"])
    assert joined == {one["Id"]: one["Values"] for one in whole["MetricDataResults"]}
    with pytest.raises(ClientError, match="InvalidNextToken"):
        cloudwatch.get_metric_data(NextToken="bm9uc2Vuc2U=", **asked)


def test_a_thousand_live_jobs_answer_for_three_hours_within_seconds() -> None:
    plans = live(1000, NOW)
    cloudwatch = CloudWatch(Books(plans))
    names = ("GPUUtilization", "GPUMemoryUtilization", "CPUUtilization", "MemoryUtilization")
    queries = [query(f"{plan.name}/algo-1", name) | {"Id": f"{name}{number}"} for number, plan in enumerate(plans) for name in names]
    window = {"StartTime": (NOW - timedelta(minutes=180)).timestamp(), "EndTime": NOW.timestamp()}
    began, seen = time.perf_counter(), 0
    for first in range(0, 4000, 500):
        body = window | {"MetricDataQueries": queries[first : first + 500]}
        said = json.loads(to_json(cloudwatch.get_metric_data(Call("cloudwatch", "GetMetricData", ACCOUNT, "us-east-1", body, NOW))))
        seen += sum(len(one["Values"]) for one in said["MetricDataResults"])
    assert seen > 400_000
    assert time.perf_counter() - began < 5


def test_five_hundred_long_series_do_not_fit_on_one_page() -> None:
    plan = job("rc-fraud-a", 30.0, phases=LONG)
    asked = query("rc-fraud-a/algo-1")
    body = {"StartTime": (NOW - timedelta(days=1)).timestamp(), "EndTime": NOW.timestamp(), "MetricDataQueries": [asked] * 500}
    said = CloudWatch(Books([plan])).get_metric_data(Call("cloudwatch", "GetMetricData", ACCOUNT, "us-east-1", body, NOW))
    results: Any = said["MetricDataResults"]
    assert sum(len(one["Values"]) for one in results) == 100_800
    assert "NextToken" in said


def test_a_call_takes_500_queries_at_most(open_account: Open) -> None:
    queries = [query("rc-fraud-a/algo-1") | {"Id": f"q{number}"} for number in range(501)]
    with pytest.raises(ClientError, match="500"):
        open_account().client("cloudwatch").get_metric_data(StartTime=NOW - timedelta(hours=1), EndTime=NOW, MetricDataQueries=queries)


def test_statistics_are_those_of_the_samples(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", phases=LONG)])
    metric = query("rc-fraud-a/algo-1")["MetricStat"]["Metric"]
    said = account.client("cloudwatch").get_metric_statistics(
        **metric,
        StartTime=NOW - timedelta(hours=1),
        EndTime=NOW,
        Period=3600,
        Statistics=["Minimum", "Average", "Maximum", "SampleCount"],
    )
    for point in said["Datapoints"]:
        assert point["Minimum"] <= point["Average"] <= point["Maximum"]
    assert sum(point["SampleCount"] for point in said["Datapoints"]) >= 59
