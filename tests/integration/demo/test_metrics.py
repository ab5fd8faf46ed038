"""CloudWatch of the simulated account."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.plan import Algorithm, Cluster, Phases
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
