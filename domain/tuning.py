"""A hyperparameter tuning job as AWS describes it: what it searches for, how far it is, and its best result.

Source: DescribeHyperParameterTuningJob and ListTrainingJobsForHyperParameterTuningJob.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from typing import Any, NamedTuple

from domain.findings.situation import Objective
from domain.instants import EARLIEST, instant_from
from domain.masking import MASK, is_secret, masked_text

ALIVE = frozenset({"InProgress", "Stopping"})


class Child(NamedTuple):
    """A training job that a tuning job launched; `objective` is None where it reported none, or none yet."""

    name: str
    status: str
    created_at: datetime
    objective: float | None
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TuningJob:
    """A tuning job. `objective` is None where the model was not told; `most_children` is the limit it was given."""

    name: str
    arn: str
    status: str
    created_at: datetime
    ended_at: datetime | None
    last_modified_at: datetime | None
    strategy: str
    objective: Objective | None
    best_child: str | None
    best_value: float | None
    completed: int
    running: int
    failed: int
    stopped: int
    most_children: int | None
    most_parallel: int | None
    failure_reason: str | None

    @property
    def is_live(self) -> bool:
        """Whether it still launches children, or waits for those it has."""
        return self.status in ALIVE

    def lost(self) -> "TuningJob":
        """The same once AWS knows it no more: what became of it is not known, and it launches nothing."""
        return replace(self, status="Gone")

    @property
    def key(self) -> str:
        """How children's ARNs name it: the last part of its own, of which the case is not always that of the name."""
        return self.arn.rpartition("/")[2].lower()


def kept_part(description: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a description: no static hyperparameters, environment or inputs, which may hold secrets and which nobody reads."""
    members = (
        "HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus", "CreationTime",
        "HyperParameterTuningEndTime", "LastModifiedTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters", "BestTrainingJob",
        "FailureReason",
    )  # fmt: skip
    kept = {name: description[name] for name in members if name in description}
    best = kept.get("BestTrainingJob")
    if isinstance(best, Mapping):
        kept["BestTrainingJob"] = {name: value for name, value in best.items() if name != "TunedHyperParameters"}
    config = _mapping(description.get("HyperParameterTuningJobConfig"))
    wanted = ("Strategy", "HyperParameterTuningJobObjective", "ResourceLimits")
    kept["HyperParameterTuningJobConfig"] = {name: config[name] for name in wanted if name in config}
    if kept.get("FailureReason"):
        kept["FailureReason"] = masked_text(str(kept["FailureReason"]))
    return kept


def tuning_job_from(description: Mapping[str, Any]) -> TuningJob:
    """The tuning job of a description, whole or as kept; what is missing is None, 0 or Unknown."""
    config = _mapping(description.get("HyperParameterTuningJobConfig"))
    limits, counters = _mapping(config.get("ResourceLimits")), _mapping(description.get("TrainingJobStatusCounters"))
    best, name = _mapping(description.get("BestTrainingJob")), str(description.get("HyperParameterTuningJobName", ""))
    return TuningJob(
        name=name,
        arn=str(description.get("HyperParameterTuningJobArn") or name),
        status=str(description.get("HyperParameterTuningJobStatus") or "Unknown"),
        created_at=instant_from(description.get("CreationTime")) or EARLIEST,
        ended_at=instant_from(description.get("HyperParameterTuningEndTime")),
        last_modified_at=instant_from(description.get("LastModifiedTime")),
        strategy=str(config.get("Strategy") or "Unknown"),
        objective=_objective(_mapping(config.get("HyperParameterTuningJobObjective"))),
        best_child=str(best["TrainingJobName"]) if best.get("TrainingJobName") else None,
        best_value=_value(best),
        completed=_whole(counters.get("Completed")) or 0,
        running=_whole(counters.get("InProgress")) or 0,
        failed=(_whole(counters.get("NonRetryableError")) or 0) + (_whole(counters.get("RetryableError")) or 0),
        stopped=_whole(counters.get("Stopped")) or 0,
        most_children=_whole(limits.get("MaxNumberOfTrainingJobs")),
        most_parallel=_whole(limits.get("MaxParallelTrainingJobs")),
        failure_reason=str(description["FailureReason"]) if description.get("FailureReason") else None,
    )


def child_from(summary: Mapping[str, Any]) -> Child:
    """A child of a HyperParameterTrainingJobSummary, its parameters masked where they look like secrets."""
    parameters = {str(key): str(value) for key, value in _mapping(summary.get("TunedHyperParameters")).items()}
    return Child(
        name=str(summary.get("TrainingJobName", "")),
        status=str(summary.get("TrainingJobStatus") or "Unknown"),
        created_at=instant_from(summary.get("CreationTime")) or EARLIEST,
        objective=_value(summary),
        parameters={masked_text(key): MASK if is_secret(key, value) else value for key, value in parameters.items()},
    )


def _objective(said: Mapping[str, Any]) -> Objective | None:
    if not said.get("MetricName") or said.get("Type") not in ("Minimize", "Maximize"):
        return None
    return Objective(str(said["MetricName"]), said["Type"] == "Minimize")


def _value(summary: Mapping[str, Any]) -> float | None:
    value = _mapping(summary.get("FinalHyperParameterTuningJobObjectiveMetric")).get("Value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
