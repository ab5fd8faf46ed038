"""Tuning jobs of the simulated account."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from demo.oddities import tuning
from demo.plan import STOPPED, Algorithm, JobPlan, Phases, failed
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]
RUNNING = Phases(training_seconds=100_000)
TUNER = {"HyperParameterTuningJobName": "tuner"}


def child(number: int, value: float | None, metric: str = "validation:loss", hours_ago: float = 5.0, **changes: object) -> JobPlan:
    final = () if value is None else ((metric, value),)
    algorithm = Algorithm(metrics=((metric, "value=([0-9\\.]+)"),), final_metrics=final)
    return job(f"tuner-{number:03}-1a2b3c4d", hours_ago, tuning_job="tuner", algorithm=algorithm, **changes)


def children(account: Account) -> dict[str, dict[str, Any]]:
    said = account.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(**TUNER)
    return {one["TrainingJobName"][6:9]: one for one in said["TrainingJobSummaries"]}


@pytest.mark.parametrize(("metric", "kind", "best"), [("validation:loss", "Minimize", "002"), ("validation:auc", "Maximize", "001")])
def test_a_tuner_says_what_it_looks_for_and_which_child_has_most_of_it(open_account: Open, metric: str, kind: str, best: str) -> None:
    account = open_account([child(number, value, metric) for number, value in ((1, 0.9), (2, 0.2), (3, 0.5))])
    said = account.client("sagemaker").describe_hyper_parameter_tuning_job(**TUNER)
    assert said["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"] == {"Type": kind, "MetricName": metric}
    assert said["BestTrainingJob"]["TrainingJobName"] == f"tuner-{best}-1a2b3c4d"
    final = said["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert final == {"Type": kind, "MetricName": metric, "Value": {"002": 0.2, "001": 0.9}[best]}


def test_each_child_that_ended_with_a_value_says_it_and_so_does_one_stopped_early(open_account: Open) -> None:
    account = open_account(
        [child(1, 0.4), child(2, 0.3, ending=STOPPED), child(3, 0.1, ending=failed("AlgorithmError")), child(4, 0.2, phases=RUNNING)]
    )
    seen = children(account)
    values = {number: one.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value") for number, one in seen.items()}
    assert values == {"001": 0.4, "002": 0.3, "003": None, "004": None}
    assert {number: one["ObjectiveStatus"] for number, one in seen.items()} == {
        "001": "Succeeded", "002": "Succeeded", "003": "Failed", "004": "Pending",
    }  # fmt: skip
    said = account.client("sagemaker").describe_hyper_parameter_tuning_job(**TUNER)
    assert said["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 1, "Failed": 1}
    assert said["TrainingJobStatusCounters"]["Stopped"] == 1
    assert said["BestTrainingJob"]["TrainingJobName"].startswith("tuner-002-")


def test_there_is_no_best_child_before_one_has_ended(open_account: Open) -> None:
    account = open_account([child(1, 0.4, phases=RUNNING)])
    assert "BestTrainingJob" not in account.client("sagemaker").describe_hyper_parameter_tuning_job(**TUNER)


def test_the_workloads_tuner_stops_one_of_its_children_early(open_account: Open) -> None:
    plans = tuning(NOW - timedelta(hours=9), Random(1))  # noqa: S311 (a seed, as the workload has)
    account = open_account(plans)
    asked = {"HyperParameterTuningJobName": plans[0].tuning_job}
    said = account.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(SortOrder="Ascending", **asked)
    rows = said["TrainingJobSummaries"]
    assert [one["TrainingJobStatus"] for one in rows] == ["Completed"] * 3 + ["Stopped"] + ["Completed"] * 2
    assert all(one["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "validation:loss" for one in rows)


def test_a_stopped_child_is_followed_by_another(open_account: Open) -> None:
    account = open_account([job("tuner-001-1a2b3c4d", 1.0, tuning_job="tuner", phases=RUNNING)])
    account.client("sagemaker").stop_training_job(TrainingJobName="tuner-001-1a2b3c4d")
    account.clock.advance(timedelta(minutes=5))
    alive = account.client("sagemaker").list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
    assert [one["TrainingJobName"][:10] for one in alive] == ["tuner-002-"]


def test_a_stopped_tuner_stops_its_children_and_launches_no_more(open_account: Open) -> None:
    children = [
        job(f"tuner-{number:03}-1a2b3c4d", 1.5 - number, tuning_job="tuner", phases=Phases(training_seconds=5000)) for number in range(1, 4)
    ]
    account = open_account([*children, job("tuner-000-1a2b3c4d", 9.0, tuning_job="tuner")])
    sagemaker = account.client("sagemaker")
    asked = {"HyperParameterTuningJobName": "tuner"}
    assert sagemaker.describe_hyper_parameter_tuning_job(**asked)["HyperParameterTuningJobStatus"] == "InProgress"
    assert len(sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)["TrainingJobSummaries"]) == 2
    sagemaker.stop_hyper_parameter_tuning_job(**asked)
    account.clock.advance(timedelta(hours=6))
    said = sagemaker.describe_hyper_parameter_tuning_job(**asked)
    assert said["HyperParameterTuningJobStatus"] == "Stopped"
    assert said["TrainingJobStatusCounters"]["Stopped"] == 1
    listed = sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="Stopped")["HyperParameterTuningJobSummaries"]
    assert [one["HyperParameterTuningJobName"] for one in listed] == ["tuner"]
