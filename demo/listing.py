"""ListTrainingJobs with the real service's habits: it takes a page first, and filters it afterwards."""

from collections.abc import Mapping
from datetime import UTC, datetime

from demo.books import Books, Entry
from demo.call import Call
from demo.errors import invalid
from demo.pages import Pages, page_size

STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting")


class Listing:
    """The operation, and the listings that are being paged through."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._pages: Pages[Entry] = Pages()

    def list_training_jobs(self, call: Call) -> Mapping[str, object]:
        """ListTrainingJobs: newest first unless asked otherwise, and pages that may be empty yet have a NextToken."""
        size = page_size(call.body.get("MaxResults"), default=10)
        if call.text("StatusEquals") not in ("", *STATUSES):
            raise invalid(f"Value '{call.text('StatusEquals')}' at 'statusEquals' is not one of {list(STATUSES)}")
        if call.text("NextToken"):
            page, token, _ = self._pages.following(call.text("NextToken"), size)
        else:
            page, token = self._pages.first(self._ordered(call), size)
        said: dict[str, object] = {"TrainingJobSummaries": [_summary(one, call.now) for one in page if _wanted(one, call)]}
        if token is not None:
            said["NextToken"] = token
        return said

    def _ordered(self, call: Call) -> list[Entry]:
        shard = self._books.shard(call.account, call.region)
        since, until = instant(call.body.get("CreationTimeAfter")), instant(call.body.get("CreationTimeBefore"))
        found = shard.existing(call.now, since, until)
        if call.text("SortBy") == "Name":
            found.sort(key=lambda one: one.plan.name)
        elif call.text("SortBy") == "Status":
            found.sort(key=lambda one: str(one.status(call.now)))
        if call.text("SortOrder") != "Ascending":
            found.reverse()
        return found


def instant(value: object) -> datetime | None:
    """An instant of a request, sent as seconds since 1970 or in ISO 8601."""
    if value is None:
        return None
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _wanted(entry: Entry, call: Call) -> bool:
    if not entry.exists_at(call.now):
        return False
    if call.text("StatusEquals") and entry.status(call.now) != call.text("StatusEquals"):
        return False
    if call.text("NameContains").lower() not in entry.plan.name.lower():
        return False
    return _warm_pool_wanted(entry, call) and _modified_between(entry, call)


def _warm_pool_wanted(entry: Entry, call: Call) -> bool:
    wanted = call.text("WarmPoolStatusEquals")
    if wanted:
        pool = entry.describe(call.now).get("WarmPoolStatus")
        if not isinstance(pool, Mapping) or pool.get("Status") != wanted:
            return False
    return call.text("TrainingPlanArnEquals") in ("", entry.plan.training_plan_arn)


def _modified_between(entry: Entry, call: Call) -> bool:
    after, before = instant(call.body.get("LastModifiedTimeAfter")), instant(call.body.get("LastModifiedTimeBefore"))
    modified = entry.last_modified(call.now)
    return (after is None or modified > after) and (before is None or modified < before)


def _summary(entry: Entry, now: datetime) -> dict[str, object]:
    said = entry.describe(now)
    members = (
        "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
        "TrainingJobStatus", "SecondaryStatus", "WarmPoolStatus",
    )  # fmt: skip
    summary = {member: said[member] for member in members if member in said}
    if entry.plan.training_plan_arn is not None:
        summary["TrainingPlanArn"] = entry.plan.training_plan_arn
    return summary
