"""The rules of cleaning: whether anything speaks for keeping a prefix or an object, in words. Whatever is not known keeps."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.cleaning_facts import CleanItem, CleanJob
from domain.cleaning_index import RESUMED_AFTER, CleanIndex, Known
from domain.cleaning_paths import components, folder, likeness, why_odd
from domain.findings.finding import span
from domain.leftovers import Leftover

FRESH = timedelta(hours=24)  # jobs and references that are older do not protect
SEEN = timedelta(hours=48)  # what was found in a bucket longer ago may be something else by now
AHEAD = timedelta(minutes=5)  # so much may clocks differ
KINDS = frozenset({"intermediates", "debugger", "profiler", "tensorboard", "checkpoints", "uploads"})
_LONGEST_DAYS = 999_999


class CleanRules:
    """The rules as of an instant. `teams` are those whose leftovers are asked for, in any case of letters; empty for all."""

    def __init__(self, index: CleanIndex, min_age_days: int, now: datetime, teams: frozenset[str] = frozenset()) -> None:
        if min_age_days < 1:
            raise ValueError(f"the least age is {min_age_days} days; it must be 1 or more")
        self._index, self._facts, self._now = index, index.facts, now
        self._days, self._age = min_age_days, timedelta(days=min(min_age_days, _LONGEST_DAYS))
        self._teams = frozenset(team.casefold() for team in teams)
        self._facts_reason = next(self._not_known(), None)
        self._parts: dict[str, str | None] = {}
        self._clear: dict[tuple[str, str], bool] = {}
        self._held: dict[tuple[str, str], list[Leftover]] = {}
        self._alone: dict[int, tuple[Leftover, str | None]] = {}
        self._whole: dict[int, tuple[Leftover, str | None]] = {}

    def is_asked_for(self, team: str) -> bool:
        """Whether a team's leftovers are asked for."""
        return not self._teams or team.casefold() in self._teams

    def leftover_reason(self, leftover: Leftover) -> str | None:
        """Why a leftover of the facts stays as a whole; None when all that is known of it lets it go. Worked out once for each."""
        if id(leftover) not in self._whole:
            self._whole[id(leftover)] = leftover, self._alone_reason(leftover) or self._inside_reason(leftover)
        return self._whole[id(leftover)][1]

    def keep_reason(self, bucket: str, key: str, modified_at: datetime, item: CleanItem | None) -> str | None:
        """Why an object stays; None when it may go. An item is never trusted: it has to be what the facts say now."""
        return (
            self._facts_reason
            or self._bucket_reason(bucket)
            or self._place_reason(bucket, key)
            or self._path_reason(key)
            or self._young(modified_at, "it was written")
            or self._belonging_reason(bucket, key, item)
        )

    def wanted_reason(self, bucket: str, key: str) -> str | None:
        """What speaks for an object *now*, whatever is not known: that somebody points at it, or is named in its path, or shares it.

        For what was let go before. Facts that are old or missing are no such evidence.
        """
        shared = f"bucket {bucket} is shared ([clean] shared_buckets)" if bucket in self._facts.shared_buckets else None
        return shared or self._place_reason(bucket, key) or self._path_reason(key) or self._chain_reason(bucket, key)

    def _alone_reason(self, leftover: Leftover) -> str | None:
        """Why a leftover stays, whatever else lies in it."""
        if id(leftover) not in self._alone:
            self._alone[id(leftover)] = leftover, self._first_reason(leftover)
        return self._alone[id(leftover)][1]

    def _first_reason(self, leftover: Leftover) -> str | None:
        return (
            self._facts_reason
            or self._looked_at_reason(leftover)
            or self._bucket_reason(leftover.bucket)
            or (None if leftover.kind in KINDS else f"{leftover.kind} of training never go")
            or self._place_reason(leftover.bucket, leftover.prefix)
            or self._path_reason(leftover.prefix)
            or self._owner_reason(leftover)
            or self._chain_reason(leftover.bucket, leftover.prefix)
            or self._content_reason(leftover)
        )

    def _not_known(self) -> Iterator[str]:
        """What is not known, or not freshly: without it nothing may go anywhere, since any account may use what lies in another."""
        if not self._facts.scopes:
            yield "no account is watched, so nobody knows what is in use"
        for scope in self._facts.scopes:
            where = f"account {scope[0]} in {scope[1]}"
            for what, at in (("jobs", self._facts.jobs_at.get(scope)), ("models", self._facts.references_at.get(scope))):
                stale = self._stale(at, FRESH)
                if stale:
                    yield f"the {what} of {where} {stale}: nothing goes until their collector has been through"

    def _stale(self, at: datetime | None, longest: timedelta) -> str | None:
        if at is None:
            return "were never known as a whole"
        if at - self._now > AHEAD:
            return "were last known as a whole in the future, by our clocks"
        return f"were last known as a whole {span(self._now - at)} ago" if self._now - at > longest else None

    def _looked_at_reason(self, leftover: Leftover) -> str | None:
        if (leftover.account, leftover.region) not in self._index.scopes:
            return f"it was found through account {leftover.account} in {leftover.region}, which is not watched"
        if leftover.looked_at - self._now > AHEAD or self._now - leftover.looked_at > SEEN:
            return f"it was last looked at on {leftover.looked_at:%Y-%m-%d %H:%M} UTC, which is not within two days"
        return None if self.is_asked_for(leftover.team) else f"it is of team {leftover.team}"

    def _bucket_reason(self, name: str) -> str | None:
        bucket = self._facts.buckets.get(name)
        if bucket is None:
            return f"bucket {name} was never looked at"
        if bucket.problem:
            return f"bucket {name} cannot be looked into: {bucket.problem}"
        if name in self._facts.shared_buckets:
            return f"bucket {name} is shared with accounts that are not watched ([clean] shared_buckets)"
        if bucket.object_lock is None:
            return f"nobody could tell whether bucket {name} locks its objects (s3:GetBucketObjectLockConfiguration)"
        if bucket.object_lock:
            return f"bucket {name} locks its objects"
        if bucket.looked_at - self._now > AHEAD or self._now - bucket.looked_at > SEEN:
            return f"bucket {name} was last looked at on {bucket.looked_at:%Y-%m-%d %H:%M} UTC, which is not within two days"
        return None

    def _place_reason(self, bucket: str, path: str) -> str | None:
        """What protects a place: the convention, a model that is somebody's, or a job that may still want what lies there."""
        if self._index.artifact_folder.meets(path):
            return f"models lie under {self._facts.artifact_prefix or 'no prefix that we know, so perhaps here'}"
        if self._is_clear(bucket, path):
            return None
        for job in self._index.artifacts.meeting(bucket, path):
            return f"the model of job {job.name} lies there"
        for place, words in self._index.references.meeting(bucket, path):
            return f"{words} refers to {place.uri}"
        for pointer in self._index.pointers.meeting(bucket, path):
            resumable = self._resumable(pointer.known)
            if resumable:
                return f"{resumable}, and points at {pointer.place.uri}"
        return None

    def _is_clear(self, bucket: str, path: str) -> bool:
        """Whether nothing stands at, above or below the folder that a path lies in, and so not at the path; for thousands of objects."""
        at = bucket, path[: path.rstrip("/").rfind("/") + 1]
        if at not in self._clear:
            indexes = (self._index.artifacts, self._index.references, self._index.pointers)
            self._clear[at] = not any(True for index in indexes for _ in index.meeting(*at))
        return self._clear[at]

    def _path_reason(self, path: str) -> str | None:
        """Components that make a path uncertain, or that name (or look like) a job which is not over for long."""
        *folders, last = components(path)
        for part in folders:  # thousands of objects share them
            if part not in self._parts:
                self._parts[part] = self._part_reason(part)
            if self._parts[part]:
                return self._parts[part]
        return self._part_reason(last)

    def _part_reason(self, part: str) -> str | None:
        odd = why_odd(part)
        if odd:
            return f"its path has {odd}, so that nobody can be sure whose it is"
        is_disguised = likeness(part) != part.casefold() and not self._index.names.exactly(part)
        for known in self._index.names.alike(part):
            unfinished = self._not_over(known)
            if unfinished or is_disguised:
                return unfinished or f"its path has {part!r}, which is not job {known.job.name} but may be taken for it"
        return None

    def _owner_reason(self, leftover: Leftover) -> str | None:
        owners = self._index.owners(leftover)
        if not owners:
            return self._why_nobodys(leftover)
        for job in owners:
            if (job.account, job.region) not in self._index.scopes:
                return f"job {job.name} is of account {job.account} in {job.region}, which is not watched"
            if not self.is_asked_for(job.team):
                return f"it is job {job.name}'s too, which is of team {job.team}"
        return None

    def _why_nobodys(self, leftover: Leftover) -> str:
        if leftover.kind == "checkpoints":
            return "no job in our books has its checkpoints there"
        if not leftover.job:
            return "no job in our books is named in its path"
        if leftover.job not in components(leftover.prefix):
            return f"its path does not name job {leftover.job}"
        if not self._index.names.exactly(leftover.job):
            return f"no job {leftover.job} is in our books"
        return f"job {leftover.job} does not name bucket {leftover.bucket} itself, so that it may be another's"

    def _chain_reason(self, bucket: str, path: str) -> str | None:
        """Whoever has checkpoints there, or above or below, must be over for long, and the last of each prefix have completed."""
        for chain in self._index.chains.meeting(bucket, path):
            unfinished = self._not_over(chain.gravest)
            if unfinished:
                return unfinished
            if chain.unfinished is not None:
                job = chain.unfinished.job
                return f"it has checkpoints of job {job.name}, which was the last with them and did not complete ({job.status})"
        return None

    def _content_reason(self, leftover: Leftover) -> str | None:
        if leftover.objects <= 0:
            return "nothing was found there"
        if leftover.newest_at is None:
            return "nobody knows how old its newest object is"
        return self._young(leftover.newest_at, "its newest object was written")

    def _inside_reason(self, leftover: Leftover) -> str | None:
        """A prefix goes only with everything in it: what stays on its own account keeps what it lies in, and so does another's."""
        own = {job.identity for job in self._index.owners(leftover)}
        for group in self._index.leftovers.within(leftover.bucket, leftover.prefix):
            for inner in group:
                reason = None if inner is leftover else self._alone_reason(inner)
                if reason:
                    return f"{inner.kind} in it stay ({inner.prefix}): {reason}"
                other = next((job for job in self._index.owners(inner) if job.identity not in own), None)
                if other is not None:
                    return f"{inner.kind} in it ({inner.prefix}) are job {other.name}'s too"
        return None

    def _belonging_reason(self, bucket: str, key: str, item: CleanItem | None) -> str | None:
        """Why the object is not part of what may go: nothing that may go holds it, or what does is no longer what was planned."""
        found = self._holding(bucket, key)
        if item is None:
            reasons = [self.leftover_reason(one) for one in found if one.kind != "uploads"]
            return None if None in reasons else next(iter(reasons), "it is not part of any leftover that was found")
        if bucket != item.bucket or not key.startswith(folder(item.prefix)):
            return "it does not lie in what was planned"
        same = [one for one in found if one.kind == item.kind and folder(one.prefix) == folder(item.prefix)]
        if not same:
            return f"{item.kind} were not found again at {item.prefix}"
        return next((reason for one in same if (reason := self.leftover_reason(one) or self._changed(one, item))), None)

    def _holding(self, bucket: str, key: str) -> list[Leftover]:
        """The leftovers that hold an object: those of the folder that it lies in, and of what is above."""
        at = bucket, key[: key.rfind("/") + 1]
        if at not in self._held:
            groups = self._index.leftovers.holding(bucket, key)
            self._held[at] = [one for group in groups for one in group if one.bucket == bucket and key.startswith(folder(one.prefix))]
        return self._held[at]

    def _changed(self, leftover: Leftover, item: CleanItem) -> str | None:
        owners = {job.identity for job in self._index.owners(leftover)}
        if owners != set(item.owners):
            return "it is no longer certain that it was the planned jobs' and nobody else's"
        if leftover.team.casefold() != item.team.casefold():
            return f"it was planned for team {item.team} and is of team {leftover.team} by now"
        if item.versioning == "enabled" and self._facts.buckets[item.bucket].versioning != "enabled":
            return f"bucket {item.bucket} kept versions when this was planned, and no longer does: it could not be undone"
        return None

    def _not_over(self, known: Known) -> str | None:
        """Why a job is not over for long enough; None when it is."""
        job = known.job
        if known.why_open or job.ended_at is None:
            return known.why_open or f"nobody knows when job {job.name} ended"
        return self._young(job.ended_at, f"job {job.name} ended ({job.status})")

    def _resumable(self, known: Known) -> str | None:
        """Why what a job points at may still be wanted: it is open, or people may start it again."""
        if known.why_open:
            return known.why_open
        return self._not_over(known) if known.job.status in RESUMED_AFTER else None

    def young_reason(self, newest_at: datetime, what: str) -> str | None:
        """Why all of a prefix stays in which the newest write is too young; None where it is not."""
        return self._young(newest_at, what)

    def _young(self, at: datetime, what: str) -> str | None:
        if self._now - at >= self._age:
            return None
        return f"{what} on {at:%Y-%m-%d}, less than {self._days} day{'' if self._days == 1 else 's'} ago"


def owners_in_words(owners: tuple[CleanJob, ...]) -> str:
    """Whose it was and how that ended, of several jobs the last."""
    last = owners[-1]
    ended = f"{last.status} on {last.ended_at:%Y-%m-%d}" if last.ended_at else last.status
    return f"job {last.name} ({ended})" if len(owners) == 1 else f"{len(owners)} jobs, the last {last.name} ({ended})"
