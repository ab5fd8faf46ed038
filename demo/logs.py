"""CloudWatch Logs of the simulated jobs: which streams there are and when they last moved; their lines are not kept."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from demo.behaviour import hangs_at
from demo.books import Books, Entry, Shard
from demo.call import Call, Operation
from demo.errors import AwsError
from demo.hosts import hosts
from demo.pages import Pages

GROUP: Final = "/aws/sagemaker/TrainingJobs"
LINE_EVERY: Final = timedelta(minutes=1)
INGESTED_AFTER: Final = timedelta(seconds=4)
MOST: Final = 50

Stream = dict[str, object]


class Logs:
    """The operation that reads log streams."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._pages: Pages[Stream] = Pages()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {"DescribeLogStreams": self.describe_log_streams}

    def describe_log_streams(self, call: Call) -> Mapping[str, object]:
        """DescribeLogStreams: by name unless asked otherwise; the group is there once a job has logged."""
        size = _limit(call)
        if call.text("orderBy") == "LastEventTime" and call.text("logStreamNamePrefix"):
            raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        shard = self._books.shard(call.account, call.region)
        if _group(call) != GROUP or not any(True for entry in shard for _ in streams(entry, call.now)):
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        page, token = self._following(call, size) if call.text("nextToken") else self._pages.first(_ordered(shard, call), size)
        said: dict[str, object] = {"logStreams": list(page)}
        return said if token is None else said | {"nextToken": token}

    def _following(self, call: Call, size: int) -> tuple[Sequence[Stream], str | None]:
        try:
            page, token, _ = self._pages.following(call.text("nextToken"), size)
        except AwsError:
            raise _invalid("The specified nextToken is invalid.") from None
        return page, token


def streams(entry: Entry, now: datetime) -> Iterator[Stream]:
    """A job's streams as they stand at `now`: one for each host and each stretch of training, a line a minute."""
    plan, life = entry.plan, entry.life
    if plan.behaviour == "silent":
        return
    hangs = hangs_at(plan, life)
    for step in life.steps:
        if step.status != "Training" or step.start > now or (hangs is not None and hangs <= step.start):
            continue
        until = min(step.end, now, hangs or now)
        last = step.start + (until - step.start) // LINE_EVERY * LINE_EVERY
        for host in range(1, len(hosts(plan)) + 1):
            yield _stream(entry, f"{plan.name}/algo-{host}-{int(step.start.timestamp())}", step.start, last, now)


def _stream(entry: Entry, name: str, first: datetime, last: datetime, now: datetime) -> Stream:
    return {
        "logStreamName": name,
        "creationTime": _millis(first),
        "firstEventTimestamp": _millis(first),
        "lastEventTimestamp": _millis(last),
        "lastIngestionTime": _millis(min(now, last + INGESTED_AFTER)),
        "arn": f"arn:aws:logs:{entry.plan.region}:{entry.plan.account}:log-group:{GROUP}:log-stream:{name}",
        "storedBytes": 0,
    }


def _ordered(shard: Shard, call: Call) -> list[Stream]:
    prefix = call.text("logStreamNamePrefix")
    job, slash, _ = prefix.partition("/")
    # With the whole name there is no need to walk every job that has ever been.
    entries = shard.named(job, call.now) if slash else shard
    found = [stream for entry in entries for stream in streams(entry, call.now) if str(stream["logStreamName"]).startswith(prefix)]
    key = "lastEventTimestamp" if call.text("orderBy") == "LastEventTime" else "logStreamName"
    return sorted(found, key=lambda stream: (stream[key], stream["logStreamName"]), reverse=bool(call.body.get("descending")))


def _group(call: Call) -> str:
    """The group asked for, by its name or its ARN."""
    return call.text("logGroupName") or call.text("logGroupIdentifier").rpartition(":log-group:")[2].removesuffix(":*")


def _limit(call: Call) -> int:
    asked = call.body.get("limit")
    if asked is None:
        return MOST
    if not isinstance(asked, int) or not 1 <= asked <= MOST:
        raise _invalid(
            f"1 validation error detected: Value '{asked}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {MOST}"
        )
    return asked


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
