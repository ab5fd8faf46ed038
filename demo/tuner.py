"""A hyperparameter tuning job, which is nothing but what its children make of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from demo.books import Entry
from demo.curves import rises

ALIVE: Final = frozenset({"InProgress", "Stopping"})
STRATEGY: Final = "Bayesian"
OBJECTIVE: Final = "_tuning_objective_metric"
"""The hyperparameter in which a tuner tells its children what it looks for."""


@dataclass(frozen=True, slots=True)
class Tuner:
    """A tuning job at an instant: all its children, and those already launched."""

    name: str
    arn: str
    planned: Sequence[Entry]
    launched: Sequence[Entry]
    now: datetime

    @property
    def status(self) -> str:
        """HyperParameterTuningJobStatus."""
        asked = any(one.cancelled for one in self.planned)
        waiting = any(one.plan.created_at > self.now and not one.cancelled for one in self.planned)
        if waiting or any(one.status(self.now) in ALIVE for one in self.launched):
            return "Stopping" if asked else "InProgress"
        return "Stopped" if asked else "Completed"

    @property
    def counters(self) -> dict[str, int]:
        """TrainingJobStatusCounters."""
        seen = Counter(str(one.status(self.now)) for one in self.launched)
        return {
            "Completed": seen["Completed"],
            "InProgress": seen["InProgress"] + seen["Stopping"],
            "RetryableError": 0,
            "NonRetryableError": seen["Failed"],
            "Stopped": seen["Stopped"],
        }

    @property
    def objective(self) -> dict[str, str]:
        """HyperParameterTuningJobObjective."""
        plan = self.planned[0].plan
        own = next((name for name, _ in plan.algorithm.metrics), "validation:loss")
        name = plan.hyperparameters.get(OBJECTIVE, own)
        return {"Type": "Maximize" if rises(name) else "Minimize", "MetricName": name}

    @property
    def best(self) -> Entry | None:
        """The child with the best value of the objective so far, or None before one has a value."""
        valued = [(value, one) for one in self.launched if (value := self._value(one)) is not None]
        pick = max if self.objective["Type"] == "Maximize" else min
        return pick(valued, key=lambda pair: pair[0])[1] if valued else None

    def summary(self) -> dict[str, object]:
        """One of the HyperParameterTuningJobSummaries."""
        modified = max(one.last_modified(self.now) for one in self.launched)
        said: dict[str, object] = {
            "HyperParameterTuningJobName": self.name,
            "HyperParameterTuningJobArn": self.arn,
            "HyperParameterTuningJobStatus": self.status,
            "Strategy": STRATEGY,
            "CreationTime": self.planned[0].plan.created_at,
            "LastModifiedTime": modified,
            "TrainingJobStatusCounters": self.counters,
            "ObjectiveStatusCounters": self._objective_counters(),
            "ResourceLimits": self._limits(),
        }
        if self.status not in ALIVE:
            said["HyperParameterTuningEndTime"] = modified
        return said

    def description(self) -> dict[str, object]:
        """The answer of DescribeHyperParameterTuningJob."""
        said = self.summary()
        said.pop("Strategy")
        said.pop("ResourceLimits")
        first = self.planned[0].describe(self.now if self.launched else self.planned[0].plan.created_at)
        copied = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
        said["HyperParameterTuningJobConfig"] = {
            "Strategy": STRATEGY,
            "HyperParameterTuningJobObjective": self.objective,
            "ResourceLimits": self._limits(),
            "TrainingJobEarlyStoppingType": "Auto",
        }
        said["TrainingJobDefinition"] = {member: first[member] for member in copied if member in first}
        best = self.best
        return said if best is None else said | {"BestTrainingJob": self.child(best)}

    def _limits(self) -> dict[str, int]:
        return {"MaxNumberOfTrainingJobs": len(self.planned), "MaxParallelTrainingJobs": 2}

    def child(self, entry: Entry) -> dict[str, object]:
        """One of the TrainingJobSummaries of the tuning job."""
        said = entry.describe(self.now)
        members = (
            "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime",
            "TrainingJobStatus", "FailureReason",
        )  # fmt: skip
        row = {member: said[member] for member in members if member in said}
        row["TuningJobName"] = self.name
        row["TunedHyperParameters"] = dict(entry.plan.hyperparameters)
        row["ObjectiveStatus"] = self._objective_status(entry)
        value = self._value(entry)
        if value is not None:
            row["FinalHyperParameterTuningJobObjectiveMetric"] = {**self.objective, "Value": value}
        return row

    def _value(self, entry: Entry) -> float | None:
        """The objective's final value of a child that ended with one; an early stop has one too."""
        if entry.status(self.now) not in {"Completed", "Stopped"} or entry.life.started_at is None:
            return None
        return dict(entry.plan.algorithm.final_metrics).get(self.objective["MetricName"])

    def _objective_status(self, entry: Entry) -> str:
        status = str(entry.status(self.now))
        if status in ALIVE:
            return "Pending"
        return "Succeeded" if status == "Completed" or self._value(entry) is not None else "Failed"

    def _objective_counters(self) -> Mapping[str, int]:
        seen = Counter(self._objective_status(one) for one in self.launched)
        return {status: seen[status] for status in ("Succeeded", "Pending", "Failed")}
