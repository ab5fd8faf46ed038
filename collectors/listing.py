"""Training jobs where Search is denied: ListTrainingJobs, and each job described and its tags listed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from aws.errors import AccessDenied, translated
from aws.session import Clients
from collectors.books import Books
from collectors.describing import created_second, describe, tags_of
from collectors.searching import OVERLAP_SECONDS, Found
from domain.instants import instant_from

REQUIRED_PERMISSIONS = ("sagemaker:ListTrainingJobs", "sagemaker:DescribeTrainingJob", "sagemaker:ListTags")
PAGE = 100
CHUNK = 20  # jobs handed on together: two calls each, and the lease must not run out in between
WINDOW_SECONDS = 30 * 86_400
REMARK = "List and Describe serve, at two calls a job, because sagemaker:Search is denied"


class ListSource:
    """List + Describe + ListTags as a source of jobs; jobs that ended and are unchanged in our books are not described again."""

    remark: str | None = REMARK

    def __init__(self, clients: Clients, books: Books) -> None:
        self._clients = clients
        self._books = books
        self.problems: list[str] = []

    def changed(self, since: int) -> Iterator[Found]:
        """Jobs created since an epoch second that we do not have as they are now; older live ones are looked at directly.

        LastModifiedTimeAfter is not used: AWS scans the whole history for it. Source: ListTrainingJobs.
        """
        for found in self._window(None, since - OVERLAP_SECONDS, again=False):
            yield Found(found.descriptions, None)

    def created(self, upper: int, floor: int, again: bool) -> Iterator[Found]:
        """Jobs created in [floor, upper), newest first; with `again`, unchanged ones are described once more for their tags."""
        while upper > floor:
            lower = max(floor, upper - WINDOW_SECONDS)
            yield from self._window(upper, lower, again)
            yield Found([], lower)
            upper = lower

    def _window(self, upper: int | None, floor: int, again: bool) -> Iterator[Found]:
        """The jobs of one window of creation times. Whether AWS counts its ends in is not said, so a second is added to both."""
        request: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": PAGE}
        request["CreationTimeAfter"] = datetime.fromtimestamp(floor - 1, UTC)
        if upper is not None:
            request["CreationTimeBefore"] = datetime.fromtimestamp(upper + 1, UTC)
        while True:
            with translated(self._clients.where):
                answer = self._clients.sagemaker.list_training_jobs(**request)
            summaries = answer.get("TrainingJobSummaries", [])
            for start in range(0, len(summaries), CHUNK):
                yield self._described(summaries[start : start + CHUNK], again)
            if not answer.get("NextToken"):  # a page may be empty and yet not be the last
                return
            request["NextToken"] = answer["NextToken"]

    def _described(self, summaries: list[Any], again: bool) -> Found:
        known = {} if again else self._books.modifications([str(one.get("TrainingJobName")) for one in summaries])
        descriptions, reached = [], None
        for summary in summaries:
            created, modified = _second(summary, "CreationTime"), _second(summary, "LastModifiedTime")
            reached = created if created is not None else reached
            stored = known.get((str(summary.get("TrainingJobName")), created if created is not None else -1))
            if stored is None or int(stored.timestamp()) != modified:
                descriptions += self._whole(str(summary.get("TrainingJobName")), summary)
        return Found(descriptions, reached)

    def _whole(self, name: str, summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        described = describe(self._clients, name)
        if described is None:
            return []
        arn = described.get("TrainingJobArn") or summary.get("TrainingJobArn")
        tags = self._tags(str(arn)) if arn else None
        if tags is None:
            second = created_second(described)
            tags = None if second is None else self._books.tags(name, second)
        return [described if tags is None else described | {"Tags": tags}]

    def _tags(self, arn: str) -> list[Any] | None:
        """A job's tags; None where they cannot be told, so that those in the books stay."""
        if self.problems:
            return None
        try:
            return tags_of(self._clients, arn)
        except AccessDenied as error:
            self.problems.append(str(error))
            return None


def _second(summary: Mapping[str, Any], member: str) -> int | None:
    moment = instant_from(summary.get(member))
    return None if moment is None else int(moment.timestamp())
