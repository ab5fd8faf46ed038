"""The operations on hyperparameter tuning jobs."""

from collections.abc import Mapping

from demo.books import Books, Entry
from demo.call import Call, Operation
from demo.errors import invalid, not_found
from demo.listing import instant
from demo.pages import Pages, page_size
from demo.tuner import ALIVE, Tuner


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
        rows = [tuner.child(one) for one in page if wanted in ("", one.status(call.now))]
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
