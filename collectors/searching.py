"""Training jobs by Search: whole records with their tags, a hundred a call."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aws.errors import AccessDenied, translated
from aws.session import Clients
from collectors.describing import completed
from collectors.prefetch import prefetched
from domain.instants import instant_from, is_plausible

REQUIRED_PERMISSIONS = ("sagemaker:Search",)
PAGE = 100
QUERY_HITS = 9_900  # one query may stop at 10 000 hits without saying so; before that, another one goes on from there
PAGES_AHEAD = 3
OVERLAP_SECONDS = 15 * 60  # the index lags by a little


class Found(NamedTuple):
    """Job descriptions of one stretch, and how far it reaches: an epoch second, None where that says nothing."""

    descriptions: Sequence[Mapping[str, Any]]
    reached: int | None


class SearchSource:
    """Search as a source of jobs; where it is denied, AccessDenied is raised by the first call."""

    remark: str | None = None

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.problems: list[str] = []

    def changed(self, since: int) -> Iterator[Found]:
        """Jobs modified since an epoch second, in the order of their modification. Source: Search, LastModifiedTime."""
        return prefetched(self._ascending(since - OVERLAP_SECONDS), PAGES_AHEAD)

    def created(self, upper: int, floor: int, again: bool) -> Iterator[Found]:
        """Jobs created in [floor, upper), newest first; `again` or not, their tags are those of now.

        Source: Search, CreationTime.
        """
        return prefetched(self._descending(upper, floor), PAGES_AHEAD)

    def _ascending(self, since: int) -> Iterator[Found]:
        while True:
            filters = [_filter("LastModifiedTime", "GreaterThanOrEqualTo", since)]
            reached, hits = since, 0
            for page in self._pages("LastModifiedTime", "Ascending", filters):
                reached = max([reached, *_seconds(page, "LastModifiedTime")])
                yield Found(self._described(page), reached)
                hits += len(page)
                if hits >= QUERY_HITS:
                    break
            else:
                return
            since = max(reached, since + 1)

    def _descending(self, upper: int, floor: int) -> Iterator[Found]:
        while True:
            filters = [_filter("CreationTime", "LessThan", upper), _filter("CreationTime", "GreaterThanOrEqualTo", floor)]
            reached, hits = upper, 0
            for page in self._pages("CreationTime", "Descending", filters):
                reached = min([reached, *(second for second in _seconds(page[-1:], "CreationTime") if second >= floor)])
                yield Found(self._described(page), reached)
                hits += len(page)
                if hits >= QUERY_HITS:
                    break
            else:
                return
            # Filters are in whole seconds, so the last one seen is asked for again; what comes twice is kept once.
            upper = min(reached + 1, upper - 1)

    def _pages(self, sort_by: str, order: str, filters: list[dict[str, str]]) -> Iterator[list[Mapping[str, Any]]]:
        request: dict[str, Any] = {
            "Resource": "TrainingJob",
            "SortBy": sort_by,
            "SortOrder": order,
            "MaxResults": PAGE,
            "SearchExpression": {"Filters": filters},
        }
        while True:
            with translated(self._clients.where):
                answer = self._clients.sagemaker.search(**request)
            yield [result["TrainingJob"] for result in answer.get("Results", []) if result.get("TrainingJob")]
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]

    def _described(self, page: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [self._completed(record) if _lacks_instances(record) else record for record in page]

    def _completed(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.problems:
            return record
        try:
            return completed(self._clients, record)
        except AccessDenied as error:
            self.problems.append(str(error))
            return record


def _lacks_instances(record: Mapping[str, Any]) -> bool:
    """Whether the record says nothing of instances though the job had its chance: serverless jobs are told by Describe alone."""
    resources = record.get("ResourceConfig") or {}
    if not isinstance(resources, Mapping) or any(
        resources.get(member) for member in ("InstanceType", "InstanceGroups", "SelectedInstanceType", "InstancePreferences")
    ):
        return False
    return not (record.get("TrainingJobStatus") == "Failed" and not record.get("TrainingStartTime"))


def _filter(name: str, operator: str, second: int) -> dict[str, str]:
    return {"Name": name, "Operator": operator, "Value": f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"}


def _seconds(records: Sequence[Mapping[str, Any]], member: str) -> Iterator[int]:
    for record in records:
        moment = instant_from(record.get(member))
        if moment is not None and is_plausible(moment):
            yield int(moment.timestamp())
