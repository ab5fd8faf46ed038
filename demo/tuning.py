"""Hyperparameter tuning jobs, which are nothing but what their children make of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from demo.books import Books, Entry
from demo.call import Call, Operation
from demo.errors import invalid, not_found
from demo.listing import instant
from demo.pages import Pages, page_size

ALIVE: Final = frozenset({"InProgress", "Stopping"})
STRATEGY: Final = "Bayesian"


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
            "ObjectiveStatusCounters": {"Succeeded": self.counters["Completed"], "Pending": 0, "Failed": 0},
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
        said["HyperParameterTuningJobConfig"] = {"Strategy": STRATEGY, "ResourceLimits": self._limits()}
        said["TrainingJobDefinition"] = {member: first[member] for member in copied if member in first}
        return said

    def _limits(self) -> dict[str, int]:
        return {"MaxNumberOfTrainingJobs": len(self.planned), "MaxParallelTrainingJobs": 2}


class Tuning:
    """The operations on tuning jobs."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._tuners: Pages[Tuner] = Pages()
        self._children: Pages[Entry] = Pages()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "ListHyperParameterTuningJobs": self.list_tuning_jobs,
            "DescribeHyperParameterTuningJob": self.describe_tuning_job,
            "StopHyperParameterTuningJob": self.stop_tuning_job,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_children,
        }

    def list_tuning_jobs(self, call: Call) -> Mapping[str, object]:
        """ListHyperParameterTuningJobs: newest first, a page taken before it is filtered."""
        size = page_size(call.body.get("MaxResults"), default=10)
        if call.text("NextToken"):
            page, token, _ = self._tuners.following(call.text("NextToken"), size)
        else:
            page, token = self._tuners.first(self._ordered(call), size)
        wanted, part = call.text("StatusEquals"), call.text("NameContains").lower()
        said: dict[str, object] = {
            "HyperParameterTuningJobSummaries": [one.summary() for one in page if wanted in ("", one.status) and part in one.name.lower()]
        }
        return said if token is None else said | {"NextToken": token}

    def describe_tuning_job(self, call: Call) -> Mapping[str, object]:
        """DescribeHyperParameterTuningJob."""
        return self._tuner(call).description()

    def stop_tuning_job(self, call: Call) -> Mapping[str, object]:
        """Stop the children that are alive, and launch no more."""
        tuner = self._tuner(call)
        if tuner.status not in ALIVE:
            raise invalid(f"The request was rejected because the hyperparameter tuning job is in status {tuner.status}.")
        with self._books.lock:
            for child in tuner.planned:
                child.cancelled = True
                if child.plan.created_at > call.now:
                    child.deleted_at = child.plan.created_at  # never launched, so it never exists
                elif child.status(call.now) == "InProgress":
                    child.stop(call.now)
        return {}

    def list_children(self, call: Call) -> Mapping[str, object]:
        """ListTrainingJobsForHyperParameterTuningJob."""
        size = page_size(call.body.get("MaxResults"), default=10)
        tuner = self._tuner(call)
        if call.text("NextToken"):
            page, token, _ = self._children.following(call.text("NextToken"), size)
        else:
            ascending = call.text("SortOrder") == "Ascending"
            page, token = self._children.first(tuner.launched if ascending else tuner.launched[::-1], size)
        wanted = call.text("StatusEquals")
        rows = [_child(one, tuner) for one in page if wanted in ("", one.status(call.now))]
        said: dict[str, object] = {"TrainingJobSummaries": rows}
        return said if token is None else said | {"NextToken": token}

    def _tuner(self, call: Call) -> Tuner:
        for one in self._all(call):
            if one.name.lower() == call.text("HyperParameterTuningJobName").lower():
                return one
        raise not_found()

    def _ordered(self, call: Call) -> list[Tuner]:
        after, before = instant(call.body.get("CreationTimeAfter")), instant(call.body.get("CreationTimeBefore"))
        found = [
            one
            for one in self._all(call)
            if (after is None or one.planned[0].plan.created_at > after) and (before is None or one.planned[0].plan.created_at < before)
        ]
        return found if call.text("SortOrder") == "Ascending" else found[::-1]

    def _all(self, call: Call) -> list[Tuner]:
        children: dict[str, list[Entry]] = {}
        for entry in self._books.shard(call.account, call.region):
            if entry.plan.tuning_job is not None:
                children.setdefault(entry.plan.tuning_job, []).append(entry)
        tuners = []
        for name, planned in children.items():
            launched = [one for one in planned if one.exists_at(call.now)]
            if launched:
                tuners.append(Tuner(name, planned[0].plan.tuning_job_arn or "", planned, launched, call.now))
        return tuners


def _child(entry: Entry, tuner: Tuner) -> dict[str, object]:
    said = entry.describe(tuner.now)
    members = (
        "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime",
        "TrainingJobStatus", "FailureReason",
    )  # fmt: skip
    row = {member: said[member] for member in members if member in said}
    row["TuningJobName"] = tuner.name
    row["TunedHyperParameters"] = dict(entry.plan.hyperparameters)
    row["ObjectiveStatus"] = "Succeeded" if said["TrainingJobStatus"] == "Completed" else "Pending"
    return row
