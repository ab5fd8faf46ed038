"""The facts of cleaning, ordered for being asked quickly: who points at a place, whom a path names, whose a leftover was.

Nothing in here depends on the time, so that one index serves as long as its facts do.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from domain.cleaning_facts import CleanFacts, CleanJob
from domain.cleaning_paths import ArtifactFolder, PlaceIndex, bucket_and_key, components, folder, is_alike, likeness, stretch, why_odd
from domain.instants import EARLIEST
from domain.leftovers import Leftover
from domain.s3 import Location
from domain.training_job import ENDED

RESUMED_AFTER = ("Failed", "Stopped")  # the ends after which people start a job again from where it was


class Known(NamedTuple):
    """A job, and why it cannot count as over whatever the time is: it lives, nobody knows its end, or its checkpoints are in use."""

    job: CleanJob
    why_open: str


class Pointer(NamedTuple):
    """A job, and the place at which it points."""

    known: Known
    place: Location


class Chain(NamedTuple):
    """The jobs of one checkpoint prefix: all of them, the gravest, and one of the last to end, if that did not complete."""

    members: tuple[Known, ...]
    gravest: Known
    unfinished: Known | None


class CleanIndex:
    """Facts, ordered. Of several jobs at one place or of one name the gravest stands for all: one that is open, else the last to end."""

    def __init__(self, facts: CleanFacts) -> None:
        self.facts = facts
        self.artifact_folder = ArtifactFolder(facts.artifact_prefix)
        self.scopes = frozenset(facts.scopes)
        self.jobs = _known(facts.jobs)
        self.names = Names(self.jobs)
        self.references = PlaceIndex({_loose(place): (place, words) for place, words in facts.references.items()})
        self.artifacts = PlaceIndex({_whole(job.artifact): job for job in facts.jobs if job.artifact is not None})
        self.pointers = _pointers(self.jobs)
        self.chains = _chains(self.jobs)
        self.leftovers = _leftovers(facts.leftovers)
        self._owners: dict[int, tuple[Leftover, tuple[CleanJob, ...]]] = {}

    def owners(self, leftover: Leftover) -> tuple[CleanJob, ...]:
        """The jobs to whom a leftover certainly belonged, by their end; empty where that is not certain.

        Checkpoints belong to all jobs whose checkpoint prefix they lie in. Anything else belongs to the jobs that a whole component
        of its path names and that name its bucket themselves, and to those whose checkpoints lie there.
        """
        if id(leftover) not in self._owners:
            self._owners[id(leftover)] = leftover, self._certain_owners(leftover)
        return self._owners[id(leftover)][1]

    def _certain_owners(self, leftover: Leftover) -> tuple[CleanJob, ...]:
        chain = [known.job for met in self.chains.meeting(leftover.bucket, leftover.prefix) for known in met.members]
        is_chained = any(
            known.job.checkpoints is not None and known.job.checkpoints.bucket == leftover.bucket
            for met in self.chains.holding(leftover.bucket, leftover.prefix)
            for known in met.members
        )
        if leftover.kind == "checkpoints":
            return _by_end(chain) if is_chained else ()
        named = [known.job for part in components(leftover.prefix) for known in self.names.exactly(part)]
        named = [job for job in named if _names_bucket(job, leftover.bucket)]
        is_named = any(job.name == leftover.job for job in named)
        is_certain = is_named or (leftover.kind == "uploads" and is_chained)
        return _by_end([*named, *chain]) if is_certain else ()


class Names:
    """Jobs by name, and by what their names look like."""

    def __init__(self, jobs: Iterable[Known]) -> None:
        self._exact: dict[str, list[Known]] = {}
        self._alike: dict[str, Known] = {}
        for known in jobs:
            self._exact.setdefault(known.job.name, []).append(known)
            looks = likeness(known.job.name)
            self._alike[looks] = _graver(self._alike.get(looks, known), known)
        self._odd = [looks for looks in self._alike if not looks.isascii() or "?" in looks]

    def exactly(self, component: str) -> Sequence[Known]:
        """Every job of that very name."""
        return self._exact.get(component, ())

    def alike(self, component: str) -> Iterator[Known]:
        """The gravest of the jobs of each name that the component is, or may be taken for."""
        looks = likeness(component)
        if "?" in looks:
            yield from (known for name, known in self._alike.items() if is_alike(name, looks))
            return
        if looks in self._alike:
            yield self._alike[looks]
        yield from (self._alike[name] for name in self._odd if is_alike(name, looks))


def _known(jobs: Sequence[CleanJob]) -> tuple[Known, ...]:
    """Each job with why it is open; one on a checkpoint prefix that an open job uses may be gone on with, however long it has ended."""
    plain = [(job, _why_open(job)) for job in jobs]
    in_use = PlaceIndex({_whole(job.checkpoints): job for job, why in plain if why and job.checkpoints is not None})
    return tuple(Known(job, why or _why_resumable(job, in_use)) for job, why in plain)


def _why_open(job: CleanJob) -> str:
    if job.is_live or job.status == "InProgress":
        return f"job {job.name} is alive ({job.status})"
    if job.status not in ENDED:
        return f"nobody knows how job {job.name} ended (its status is {job.status or 'missing'})"
    return f"nobody knows when job {job.name} ended" if job.ended_at is None else ""


def _why_resumable(job: CleanJob, in_use: PlaceIndex[CleanJob]) -> str:
    if job.checkpoints is None:
        return ""
    user = next(in_use.meeting(*bucket_and_key(job.checkpoints)), None)
    return f"job {job.name} shares its checkpoint prefix with job {user.name}, which has not ended" if user else ""


def _graver(one: Known, other: Known) -> Known:
    return max(one, other, key=lambda known: (known.why_open != "", known.job.ended_at or EARLIEST))


def _pointers(jobs: Iterable[Known]) -> PlaceIndex[Pointer]:
    """Who points where, of all jobs that may be alive or resumed at some time."""
    found: dict[tuple[str, str], Pointer] = {}
    for known in jobs:
        if known.why_open or known.job.status in RESUMED_AFTER:
            for at, place in _points(known.job):
                before = found.get(at)
                if before is None or _graver(before.known, known) is not before.known:
                    found[at] = Pointer(known, place)
    return PlaceIndex(found)


def _points(job: CleanJob) -> Iterator[tuple[tuple[str, str], Location]]:
    """Every place at which a job points, and how far that reaches."""
    for place in (*job.points_at, *filter(None, (job.checkpoints, job.artifact))):
        yield _loose(place), place
    for output in job.outputs:
        bucket, key = bucket_and_key(output)
        own = f"{folder(key)}{job.name}"
        is_clear = job.name != "" and (key == "" or not any(why_odd(part) for part in components(key)))
        yield (bucket, folder(own) if is_clear else folder(key)), Location(output.bucket, own if is_clear else output.key)


def _chains(jobs: Iterable[Known]) -> PlaceIndex[Chain]:
    members: dict[tuple[str, str], list[Known]] = {}
    for known in jobs:
        if known.job.checkpoints is not None:
            members.setdefault(_whole(known.job.checkpoints), []).append(known)
    return PlaceIndex({at: _chain(found) for at, found in members.items()})


def _chain(members: Sequence[Known]) -> Chain:
    end = max(known.job.ended_at or EARLIEST for known in members)
    last = [known for known in members if (known.job.ended_at or EARLIEST) == end]
    unfinished = next((known for known in last if known.job.status != "Completed"), None)
    return Chain(tuple(members), reduce(_graver, members), unfinished)


def _leftovers(leftovers: Sequence[Leftover]) -> PlaceIndex[list[Leftover]]:
    found: dict[tuple[str, str], list[Leftover]] = {}
    for leftover in leftovers:
        found.setdefault((leftover.bucket, folder(leftover.prefix)), []).append(leftover)
    return PlaceIndex(found)


def _names_bucket(job: CleanJob, bucket: str) -> bool:
    own = (*job.points_at, *job.outputs, *filter(None, (job.artifact, job.checkpoints)))
    return any(place.bucket == bucket for place in own)


def _by_end(jobs: Iterable[CleanJob]) -> tuple[CleanJob, ...]:
    """Each job once, the last to end last."""
    different = {job.identity: job for job in jobs}
    return tuple(sorted(different.values(), key=lambda job: (job.ended_at or EARLIEST, job.identity)))


def _loose(place: Location) -> tuple[str, str]:
    bucket, key = bucket_and_key(place)
    return bucket, stretch(key)


def _whole(place: Location) -> tuple[str, str]:
    bucket, key = bucket_and_key(place)
    return bucket, folder(key)
