"""Random buckets, jobs and facts for cleaning, what may change in them, and its rules said once more, by brute force over keys."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.cleaning import (
    CleanFacts,
    CleanIndex,
    CleanItem,
    CleanJob,
    CleanPlan,
    CleanRules,
    plan_clean,
)
from domain.cleaning_paths import folder
from domain.leftovers import Kind, Leftover
from domain.s3 import Location
from tests.effort import examples
from tests.unit.domain.cleaning_facts import AGE, DAY, HERE, HOUR, NOW, THERE, bucket, job, known, left

# Rules said once more, by brute force over the components of keys


@dataclass(frozen=True)
class World:
    """Facts at an instant, and the objects that there are with their times."""

    facts: CleanFacts
    now: datetime
    objects: dict[tuple[str, str], datetime]

    @property
    def rules(self) -> CleanRules:
        return CleanRules(CleanIndex(self.facts), AGE, self.now)


def parts(path: str) -> list[str]:
    """The components of a path; slashes at its end make none."""
    found = path.split("/")
    while found and found[-1] == "":
        found.pop()
    return found


def is_over(one: CleanJob, now: datetime) -> bool:
    """Whether a job has ended for certain, and long enough ago."""
    has_ended = one.status in ("Completed", "Failed", "Stopped") and not one.is_live and one.ended_at is not None
    return has_ended and now - one.ended_at >= AGE * DAY  # type: ignore[operator] # has ended


def seems_alive(one: CleanJob) -> bool:
    return one.is_live or one.status not in ("Completed", "Failed", "Stopped") or one.ended_at is None


def meets(place: Location, bucket_name: str, path: str) -> bool:
    """Whether a place and a path lie in each other; behind an access point it may be this bucket, or any."""
    key = place.key
    if place.bucket.startswith("arn:"):
        key = key.split("/", 1)[1] if "/" in key else ""
    elif place.bucket != bucket_name and not place.bucket.endswith("-s3alias"):
        return False
    one, other = parts(key), parts(path)
    short = min(len(one), len(other))
    return one[:short] == other[:short]


def reaches(place: Location, bucket_name: str, path: str) -> bool:
    """As SageMaker reads a prefix: any key that begins so."""
    return meets(place, bucket_name, path) or (place.bucket == bucket_name and path.startswith(place.key))


def is_wanted(world: World, one: CleanJob) -> bool:
    """Whether a job lives or may be started again."""
    if seems_alive(one):
        return True
    is_recent = one.status in ("Failed", "Stopped") and not is_over(one, world.now)
    shares = one.checkpoints is not None and any(
        other.checkpoints is not None and seems_alive(other) and meets(one.checkpoints, other.checkpoints.bucket, other.checkpoints.key)
        for other in world.facts.jobs
    )
    return is_recent or shares


def is_pointed_at(one: CleanJob, bucket_name: str, key: str) -> bool:
    places = [*one.points_at, *(place for place in (one.artifact, one.checkpoints) if place)]
    if any(reaches(place, bucket_name, key) for place in places):
        return True
    return any(
        place.bucket == bucket_name and parts(key)[: len(parts(place.key)) + 1] == [*parts(place.key), one.name] for place in one.outputs
    )


def is_protected_place(world: World, bucket_name: str, key: str, written: datetime) -> bool:
    """What anybody who knows the facts can say of a key without knowing whose it is."""
    facts, now = world.facts, world.now
    times = [table.get(scope) for table in (facts.references_at, facts.jobs_at) for scope in facts.scopes]
    known_bucket = facts.buckets.get(bucket_name)
    if any(at is None or now - at > DAY for at in times) or known_bucket is None:
        return True
    if known_bucket.problem or known_bucket.object_lock is not False or bucket_name in facts.shared_buckets:
        return True
    if parts(key)[:2] == ["models", "artifacts"] or now - written < AGE * DAY:
        return True
    if any(one.artifact is not None and meets(one.artifact, bucket_name, key) for one in facts.jobs):
        return True
    if any(reaches(place, bucket_name, key) for place in facts.references):
        return True
    if any(is_wanted(world, one) and is_pointed_at(one, bucket_name, key) for one in facts.jobs):
        return True
    chain = [one for one in facts.jobs if one.checkpoints is not None and meets(one.checkpoints, bucket_name, key)]
    last = max(chain, key=lambda one: one.ended_at or now, default=None)
    return any(not is_over(one, now) for one in chain) or (last is not None and last.status != "Completed")


def is_protected_path(world: World, bucket_name: str, path: str) -> bool:
    """What a path says of whose it is: nobody's for certain, or somebody's who is not over."""
    named = [one for part in parts(path) for one in world.facts.jobs if one.name == part]
    names = {one.name for one in world.facts.jobs}
    if any(part in ("", ".", "..") for part in parts(path)) or any(not is_over(one, world.now) for one in named):
        return True
    if "job-1" in names and any(part in ("jоb-1", "ｊob-1") and part not in names for part in parts(path)):
        return True
    own = [
        one
        for one in named
        if any(place and place.bucket == bucket_name for place in (*one.points_at, *one.outputs, one.artifact, one.checkpoints))
    ]
    chain = [one for one in world.facts.jobs if one.checkpoints and one.checkpoints.bucket == bucket_name]
    return not own and not any(
        parts(path)[: len(parts(one.checkpoints.key))] == parts(one.checkpoints.key) for one in chain if one.checkpoints
    )


# Random worlds: plain ones, with a few things that make trouble

PLAIN = ["job-1", "job-10", "job-1-2", "job-2"]
NAMES = st.sampled_from([*PLAIN, "job-1", "other", "other", "Job-1", "jоb-1", "ｊob-1", "job 1", "live", "", ".."])
TEMPLATES = st.sampled_from(
    ["models/training/{}/"] * 4
    + ["models/training/{}", "models/training/{}/{}/", "ckpt/{}/", "ckpt/{}", "ckpt/", "ckpt/{}/{}/", "{}/debug-output/", "{}/", "models/"]
    + [
        "models/artifacts/{}/",
        "models/artifacts/",
        "x/models/artifacts/{}/",
        "models/training/../{}/",
        "models//training/{}/",
        "/models/{}/",
    ]
)
PREFIXES = st.builds(lambda template, one, other: template.format(one, other), TEMPLATES, NAMES, NAMES)
TAILS = st.sampled_from(["", "", "x", "a/x", "output/model.tar.gz", "live/x", "job-1/x", "job-10", "../job-2/x", "/x", "jоb-1/x"])
BUCKETS = st.sampled_from(["b"] * 7 + ["c"])
WHERE = st.sampled_from(["b"] * 10 + ["c"] * 3 + ["ap-s3alias", "arn:aws:s3:us-east-1:111111111111:accesspoint"])
PLAIN_PREFIXES = st.sampled_from(
    [f"{head}{name}/" for head in (*["models/training/"] * 5, "ckpt/", "ckpt/", "models/artifacts/") for name in PLAIN]
)
PLACES = st.builds(
    lambda where, prefix, tail: Location(where, f"{prefix}{tail}"), WHERE, st.one_of(PREFIXES, PLAIN_PREFIXES, PLAIN_PREFIXES), TAILS
)
AGES = st.sampled_from([50] * 6 + [40, 30, 20, 14.01, 14, 13.99, 3, 0])
ENDS = st.sampled_from(
    [("Completed", False)] * 4
    + [
        ("Failed", False),
        ("Failed", False),
        ("Stopped", False),
        ("InProgress", True),
        ("Stopping", True),
        ("Gone", False),
        ("Paused", True),
    ]
    + [("Completed", True), ("InProgress", False), ("", False)]
)
OUTPUTS = st.sampled_from(["models/artifacts/", "models/artifacts", "", "models/training/job-1", "models/training/"])


def _job(name: str, scope: tuple[str, str], ended: float | None, end: tuple[str, bool], at: int, place: Location, output: str) -> CleanJob:
    """A job that names one place as one thing or another."""
    member = ["points_at", "points_at", "artifact", "checkpoints", "checkpoints", "outputs", ""][at]
    named = {member: (place,) if member in ("points_at", "outputs") else place} if member else {}
    plain = {"status": end[0], "is_live": end[1], "outputs": (Location("b", output),)}
    return job(name, scope, None if end[1] else ended, **(plain | named))


JOBS = st.builds(
    _job, NAMES, st.sampled_from([HERE, HERE, THERE]), st.one_of(AGES, AGES, st.none()), ENDS, st.integers(0, 6), PLACES, OUTPUTS
)
OWNERS = st.sampled_from(
    [[job(name) for name in PLAIN]] * 2
    + [[job(name, checkpoints=Location("b", f"ckpt/{name}")) for name in PLAIN]]
    + [[job(name, checkpoints=Location("b", "ckpt/job-1/"), ended=40 + len(name)) for name in PLAIN]]
    + [[job(name, checkpoints=Location("b", f"ckpt/{name}"), status="Failed", ended=20 + len(name)) for name in PLAIN]]
    + [
        [
            job(f"job-{number}", checkpoints=Location("b", "ckpt/"), status="Stopped" if number == 10 else "Completed")
            for number in (1, 2, 10)
        ]
    ]
    + [[job(name, points_at=(Location("c", "data/"),)) for name in PLAIN[:2]]]
)
KINDS = st.sampled_from(["intermediates"] * 5 + ["debugger", "profiler", "tensorboard", "uploads", "artifacts"])


def _leftover(where: str, prefix: str, kind: Kind, at: int, team: str, looked: timedelta) -> Leftover:
    """Named for one of the components of its path, as a collector would, or wrongly."""
    own: Kind = "checkpoints" if prefix.startswith("ckpt") and kind == "intermediates" else kind
    names = [part for part in parts(prefix) if part not in ("models", "training", "ckpt")] or [""]
    return left(prefix, own, "job-2" if at > 8 else names[at % len(names)], bucket=where, team=team, looked_at=NOW - looked)


LEFTOVERS = st.builds(
    _leftover,
    BUCKETS,
    st.one_of(PLAIN_PREFIXES, PLAIN_PREFIXES, PREFIXES),
    KINDS,
    st.integers(0, 9),
    st.sampled_from(["rc", "rc", "nlp"]),
    st.sampled_from([HOUR] * 15 + [49 * HOUR]),
)
STATES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}] * 20 + [{"problem": "denied"}, {"object_lock": True}, {"object_lock": None}, {"versioning": "enabled"}]
)
TIMES = st.sampled_from([NOW - HOUR] * 40 + [NOW - 25 * HOUR, None])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Leftovers with objects in and beside them, and jobs that may or may not have to do with these."""
    leftovers, objects = draw(st.lists(LEFTOVERS, min_size=1, max_size=5)), {}
    for one in leftovers:
        for tail in draw(st.lists(TAILS, min_size=1, max_size=4)):
            objects[one.bucket, f"{one.prefix}{tail}"] = NOW - draw(AGES) * DAY
    times = [{scope: at for scope in (HERE, THERE) if (at := draw(TIMES)) is not None} for _ in range(2)]
    facts = known(
        *draw(OWNERS),
        *draw(st.lists(JOBS, max_size=2)),
        leftovers=tuple(_counted(one, objects) for one in leftovers),
        references=dict.fromkeys(draw(st.lists(PLACES, max_size=1)), "model m"),
        references_at=times[0],
        jobs_at=times[1],
        buckets={name: bucket(name, **draw(STATES)) for name in "bc"},
        shared_buckets=draw(st.sampled_from([frozenset[str]()] * 9 + [frozenset({"b"})])),
        artifact_prefix=draw(st.sampled_from(["models/artifacts/", "models/artifacts", "/models/artifacts/"])),
    )
    return World(facts, NOW, objects)


def _counted(one: Leftover, objects: dict[tuple[str, str], datetime]) -> Leftover:
    """The leftover with what an inventory finds in it."""
    own = [at for (where, key), at in objects.items() if where == one.bucket and key.startswith(folder(one.prefix))]
    return replace(one, objects=len(own), newest_at=max(own, default=None))


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("jobs"), JOBS),
        st.tuples(st.just("again"), st.integers(0, 4), st.sampled_from(["InProgress", "Stopping", "Failed", "Completed", "Paused"])),
        st.tuples(st.just("gone"), st.integers(0, 4)),
        st.tuples(st.just("reference"), PLACES),
        st.tuples(st.just("refers"), st.integers(0, 19)),
        st.tuples(st.just("later"), st.sampled_from([HOUR, 30 * HOUR, 20 * DAY])),
        st.tuples(st.just("denied"), st.sampled_from([HERE, THERE])),
        st.tuples(st.just("shared"), BUCKETS),
        st.tuples(st.just("bucket"), BUCKETS, STATES),
        st.tuples(st.just("swept"), st.integers(0, 4)),
        st.tuples(st.just("written"), st.integers(0, 19)),
    ),
    min_size=1,
    max_size=3,
)


def changed(world: World, changes: list[tuple[Any, ...]]) -> World:
    """The world after what happened between a plan and its being carried out."""
    for what, *how in changes:
        world = _CHANGED[what](world, *how)
    return world


def with_facts(world: World, **changes: Any) -> World:
    return replace(world, facts=replace(world.facts, **changes))


def _again(world: World, at: int, status: str) -> World:
    """A job of the same name is there again, as another or as the same one."""
    old = world.facts.jobs[at % len(world.facts.jobs)] if world.facts.jobs else job()
    lives = status not in ("Failed", "Completed")
    new = replace(
        old, status=status, is_live=lives, ended_at=None if lives else NOW - HOUR, created_at=NOW - 2 * HOUR if at % 2 else old.created_at
    )
    return with_facts(world, jobs=[*world.facts.jobs, new])


def _refers(world: World, at: int) -> World:
    where, key = list(world.objects)[at % len(world.objects)]
    return with_facts(world, references={**world.facts.references, Location(where, key): "model new"})


def _written(world: World, at: int) -> World:
    place = list(world.objects)[at % len(world.objects)]
    return replace(world, objects={**world.objects, place: world.now})


_CHANGED: dict[str, Any] = {
    "jobs": lambda world, new: with_facts(world, jobs=[*world.facts.jobs, new]),
    "again": _again,
    "gone": lambda world, at: with_facts(world, jobs=[one for number, one in enumerate(world.facts.jobs) if number != at]),
    "reference": lambda world, place: with_facts(world, references={**world.facts.references, place: "model new"}),
    "refers": _refers,
    "later": lambda world, time: replace(world, now=world.now + time),
    "denied": lambda world, scope: with_facts(
        world, references_at={at: time for at, time in world.facts.references_at.items() if at != scope}
    ),
    "shared": lambda world, name: with_facts(world, shared_buckets=world.facts.shared_buckets | {name}),
    "bucket": lambda world, name, state: with_facts(world, buckets={**world.facts.buckets, name: bucket(name, **state)}),
    "swept": lambda world, at: with_facts(world, leftovers=[one for number, one in enumerate(world.facts.leftovers) if number != at]),
    "written": _written,
}

thousands = settings(max_examples=examples(2000), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
hundreds = settings(thousands, max_examples=examples(400))


def planned(world: World, days: int = AGE) -> CleanPlan:
    return plan_clean(world.facts, days, world.now)


def places_of(made: CleanPlan) -> set[tuple[str, str, Kind]]:
    return {(one.bucket, one.prefix, one.kind) for one in made.items}


def under(world: World, item: CleanItem) -> Iterator[tuple[str, datetime]]:
    """The objects that S3 lists for an item's prefix, which it reads letter by letter."""
    return ((key, at) for (where, key), at in world.objects.items() if where == item.bucket and key.startswith(item.prefix))
