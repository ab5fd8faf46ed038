"""The SageMaker operations on training jobs that are answered here; everything else of SageMaker is moto's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final
from zlib import crc32

from demo.books import Books, Entry, tag_list, to_json
from demo.call import Call, Operation
from demo.errors import AwsError, invalid, not_found
from demo.listing import Listing
from demo.pages import Pages, page_size
from demo.request import plan_from, tags_of
from demo.search import MOST_HITS, hits

TUNER_NOTICES_AFTER: Final = timedelta(seconds=30)


class SageMaker:
    """Training jobs over the wire; `index_lag` is how far Search is behind."""

    def __init__(self, books: Books) -> None:
        self.index_lag = timedelta(0)
        self._books = books
        self._found: Pages[Entry] = Pages()
        self._listing = Listing(books)

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateTrainingJob": self.create_training_job,
            "DescribeTrainingJob": self.describe_training_job,
            "ListTrainingJobs": self._listing.list_training_jobs,
            "StopTrainingJob": self.stop_training_job,
            "DeleteTrainingJob": self.delete_training_job,
            "Search": self.search,
            "ListTags": self.list_tags,
            "AddTags": self.add_tags,
            "DeleteTags": self.delete_tags,
        }

    def create_training_job(self, call: Call) -> Mapping[str, object]:
        """A new job with a short life of its own; ResourceInUse while the name is taken."""
        plan = plan_from(call)
        if self._books.shard(call.account, call.region).find(plan.name, call.now):
            raise AwsError("ResourceInUse", f"Job name must be unique within an AWS account and region: {plan.name}")
        self._books.add(plan)
        return {"TrainingJobArn": plan.arn}

    def describe_training_job(self, call: Call) -> bytes:
        """The job's description."""
        return to_json(self._entry(call).describe(call.now))

    def stop_training_job(self, call: Call) -> Mapping[str, object]:
        """Begin to stop the job; refused once it has ended."""
        entry = self._entry(call)
        status = entry.status(call.now)
        if status not in {"InProgress", "Stopping"}:
            raise invalid(f"The request was rejected because the training job is in status {status}.")
        with self._books.lock:
            if status == "InProgress" and entry.plan.tuning_job is not None:
                self._launch_another(entry, call)
            entry.stop(call.now)
        return {}

    def delete_training_job(self, call: Call) -> Mapping[str, object]:
        """Forget an ended job, so that its name can be used again; refused while it or its warm pool is alive."""
        entry = self._entry(call)
        status = entry.status(call.now)
        if status in {"InProgress", "Stopping"}:
            raise AwsError("ResourceInUse", f"The training job {entry.plan.name} is in status {status}.")
        pool = entry.describe(call.now).get("WarmPoolStatus")
        if isinstance(pool, Mapping) and pool.get("Status") == "Available":
            raise AwsError("ResourceInUse", f"The training job {entry.plan.name} has an available warm pool.")
        entry.deleted_at = call.now
        return {}

    def search(self, call: Call) -> bytes:
        """Search over training jobs, as the index knew them `index_lag` ago."""
        if call.text("Resource") != "TrainingJob":
            raise invalid(f"The simulated account has nothing to find under Resource '{call.text('Resource')}'")
        size = page_size(call.body.get("MaxResults"), default=10)
        now = call.now - self.index_lag
        if call.text("NextToken"):
            page, token, length = self._found.following(call.text("NextToken"), size)
        else:
            found = hits(self._books.shard(call.account, call.region), call.body, now)[:MOST_HITS]
            length = len(found)
            page, token = self._found.first(found, size)
        return _search_answer([one.fragment(now) for one in page], token, length)

    def list_tags(self, call: Call) -> Mapping[str, object]:
        """The tags of a job."""
        return {"Tags": tag_list(self._tagged(call).tags)}

    def add_tags(self, call: Call) -> Mapping[str, object]:
        """Lay tags over those a job has."""
        entry = self._tagged(call)
        entry.retag(entry.tags | tags_of(call.body))
        return {"Tags": tag_list(entry.tags)}

    def delete_tags(self, call: Call) -> Mapping[str, object]:
        """Take tags off a job."""
        entry = self._tagged(call)
        keys = call.body.get("TagKeys")
        gone = set(keys) if isinstance(keys, list) else set()
        entry.retag({key: value for key, value in entry.tags.items() if key not in gone})
        return {}

    def _launch_another(self, child: Entry, call: Call) -> None:
        """A tuner misses a child that somebody stops, and launches the next."""
        shard = self._books.shard(call.account, call.region)
        siblings = [one for one in shard if one.plan.tuning_job == child.plan.tuning_job]
        name = f"{child.plan.tuning_job}-{len(siblings) + 1:03}-{crc32(child.plan.name.encode()):08x}"
        self._books.add(replace(child.plan, name=name, created_at=call.now + TUNER_NOTICES_AFTER))

    def _entry(self, call: Call) -> Entry:
        return self._named(call, call.text("TrainingJobName"))

    def _tagged(self, call: Call) -> Entry:
        return self._named(call, call.text("ResourceArn").rpartition("/")[2])

    def _named(self, call: Call, name: str) -> Entry:
        entry = self._books.shard(call.account, call.region).find(name, call.now)
        if entry is None:
            raise not_found()
        return entry


def _search_answer(fragments: list[bytes], token: str | None, length: int) -> bytes:
    relation = "GreaterThanOrEqualTo" if length >= MOST_HITS else "EqualTo"
    tail: dict[str, object] = {"TotalHits": {"Value": length, "Relation": relation}}
    if token is not None:
        tail["NextToken"] = token
    # The fragments are JSON already; rendering a hundred jobs anew for each page would be most of its cost.
    return b'{"Results":[' + b",".join(fragments) + b"]," + to_json(tail)[1:]
