"""Every training job the simulated accounts have had or will have, in the order in which they were created."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import datetime
from threading import RLock

import orjson

from demo.description import SEARCH_LACKS
from demo.lifecycle import describe_life, job_status, last_modified_at, settled_at
from demo.plan import JobPlan
from demo.timeline import Life, life


class Entry:
    """A plan with what has been done to its job since: a stop, a deletion, other tags."""

    __slots__ = ("_fragment", "_life", "cancelled", "deleted_at", "plan", "stop_requested_at", "tags")

    def __init__(self, plan: JobPlan) -> None:
        self.plan = plan
        self.tags = dict(plan.tags)
        self.stop_requested_at: datetime | None = None
        self.deleted_at = plan.deleted_at
        self.cancelled = False  # its tuning job was asked to stop
        self._life: Life | None = None
        self._fragment: bytes | None = None

    @property
    def life(self) -> Life:
        """The job's whole life as it stands now."""
        if self._life is None:
            self._life = life(self.plan, self.stop_requested_at)
        return self._life

    def exists_at(self, now: datetime) -> bool:
        """Whether AWS knows the job at `now`."""
        return self.plan.created_at <= now and (self.deleted_at is None or now < self.deleted_at)

    def stop(self, at: datetime) -> None:
        """Ask the job to stop; the first request counts."""
        if self.stop_requested_at is None:
            self.stop_requested_at = at
            self._life = None
            self._fragment = None

    def retag(self, tags: dict[str, str]) -> None:
        """Replace the job's tags."""
        self.tags = tags
        self._fragment = None

    def describe(self, now: datetime) -> dict[str, object]:
        """The answer of DescribeTrainingJob at `now`."""
        return describe_life(self.plan, self.life, now)

    def status(self, now: datetime) -> object:
        """TrainingJobStatus at `now`, as reported."""
        return self.plan.overrides.get("TrainingJobStatus", job_status(self.life, now))

    def last_modified(self, now: datetime) -> datetime:
        """LastModifiedTime at `now`, before overrides."""
        return last_modified_at(self.plan, self.life, now)

    def fragment(self, now: datetime) -> bytes:
        """The job as one of the Results of Search, in JSON; kept once nothing about it can change any more."""
        if now < settled_at(self.plan, self.life):
            return self._rendered(now)
        if self._fragment is None:
            self._fragment = self._rendered(now)
        return self._fragment

    def _rendered(self, now: datetime) -> bytes:
        said = self.describe(now)
        for member in SEARCH_LACKS:
            said.pop(member, None)
        said["Tags"] = tag_list(self.tags)
        return to_json({"TrainingJob": said})


class Shard:
    """The jobs of one account in one region."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_name: dict[str, list[Entry]] = {}
        self._dirty = False

    def add(self, entry: Entry, *, sort: bool = True) -> None:
        """Take in one more job; with `sort=False`, `settle` must follow."""
        if sort:
            insort(self._entries, entry, key=_created)
        else:
            self._entries.append(entry)
        self._by_name.setdefault(entry.plan.name.lower(), []).append(entry)

    def settle(self) -> None:
        """Put the jobs in order after several were added unsorted."""
        self._entries.sort(key=_created)

    def existing(self, now: datetime, since: datetime | None = None, until: datetime | None = None) -> list[Entry]:
        """The jobs that exist at `now`, created from `since` up to and with `until`, oldest first."""
        begin = 0 if since is None else bisect_left(self._entries, since, key=_created)
        last = now if until is None else min(now, until)
        found = self._entries[begin : bisect_right(self._entries, last, key=_created)]
        return [one for one in found if one.deleted_at is None or now < one.deleted_at]

    def find(self, name: str, now: datetime) -> Entry | None:
        """The job that bears the name at `now`: it may have been used before, and be used again."""
        found = [one for one in self._by_name.get(name.lower(), ()) if one.exists_at(now)]
        return max(found, key=_created, default=None)

    def named(self, name: str, now: datetime) -> list[Entry]:
        """Every job that has ever borne the name by `now`, deleted ones too."""
        return [one for one in self._by_name.get(name.lower(), ()) if one.plan.created_at <= now]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)


class Books:
    """All accounts and regions; `lock` guards every change and every read that walks a shard."""

    def __init__(self, plans: Iterable[JobPlan]) -> None:
        self.lock = RLock()
        self._shards: dict[tuple[str, str], Shard] = {}
        for plan in plans:
            self.shard(plan.account, plan.region).add(Entry(plan), sort=False)
        for shard in self._shards.values():
            shard.settle()

    def shard(self, account: str, region: str) -> Shard:
        """The jobs of one account in one region; empty when there are none."""
        return self._shards.setdefault((account, region), Shard())

    def add(self, plan: JobPlan) -> Entry:
        """Take in one more job."""
        entry = Entry(plan)
        with self.lock:
            self.shard(plan.account, plan.region).add(entry)
        return entry

    def entries(self) -> list[Entry]:
        """Every job of every account and region."""
        with self.lock:
            return [entry for shard in self._shards.values() for entry in shard]


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def to_json(value: object) -> bytes:
    """JSON as SageMaker sends it: instants are seconds since 1970 with a fraction."""
    return orjson.dumps(value, default=_epoch, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _epoch(value: object) -> object:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def _created(entry: Entry) -> datetime:
    return entry.plan.created_at
