"""What may be thrown away, and what never: every rule by itself, and thousands of random buckets against rules said once more."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain.access import Refusal
from domain.cleaning import (
    CleanFacts,
    CleanIndex,
    CleanItem,
    CleanJob,
    CleanPlan,
    CleanRules,
    Kept,
    keep_reason,
    parse_bytes,
    plan_clean,
    within_limits,
)
from domain.cleaning_paths import ArtifactFolder, PlaceIndex, folder, stretch
from domain.leftovers import Bucket, Kind, Leftover
from domain.s3 import Location

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGE = 14
HERE, THERE = ("111111111111", "us-east-1"), ("222222222222", "us-east-1")


def job(name: str = "job-1", scope: tuple[str, str] = HERE, ended: float | None = 50, **changes: Any) -> CleanJob:
    """A job that completed long ago and writes its models to bucket `b`; `ended` days ago."""
    plain = CleanJob(
        name=name,
        arn=f"arn:aws:sagemaker:{scope[1]}:{scope[0]}:training-job/{name}",
        account=scope[0],
        region=scope[1],
        created_at=NOW - 60 * DAY,
        ended_at=None if ended is None else NOW - ended * DAY,
        status="Completed",
        is_live=False,
        team="rc",
        points_at=(),
        artifact=None,
        checkpoints=None,
        outputs=(Location("b", "models/artifacts/"),),
    )
    return replace(plain, **changes)


def live(name: str = "live", **changes: Any) -> CleanJob:
    """A job that runs."""
    return job(name, ended=None, **{"status": "InProgress", "is_live": True, "outputs": (), **changes})


def left(prefix: str = "models/training/job-1/", kind: Kind = "intermediates", name: str = "job-1", **changes: Any) -> Leftover:
    """Something old that lies in bucket `b`."""
    plain = Leftover("b", prefix, kind, name, "rc", *HERE, 3, 300, {"STANDARD": 300}, NOW - 50 * DAY, NOW - HOUR)
    return replace(plain, **changes)


def bucket(name: str = "b", **changes: Any) -> Bucket:
    """An ordinary bucket without versions, looked at an hour ago."""
    return replace(Bucket(name, *HERE, "off", object_lock=False, encrypted="none", problem="", looked_at=NOW - HOUR), **changes)


def known(*jobs: CleanJob, leftovers: tuple[Leftover, ...] = (left(),), **changes: Any) -> CleanFacts:
    """Fresh facts about both accounts."""
    fresh = {HERE: NOW - HOUR, THERE: NOW - HOUR}
    plain = CleanFacts(
        leftovers, jobs, {}, fresh, fresh, (HERE, THERE), {"b": bucket(), "c": bucket("c")}, frozenset(), "models/artifacts/"
    )
    return replace(plain, **changes)


def why_kept(facts: CleanFacts, days: int = AGE) -> str:
    """Why the first leftover stays, which it must; and that no object in it may go either."""
    made, first = plan_clean(facts, days, NOW), facts.leftovers[0]
    (kept,) = [one for one in made.kept if (one.bucket, one.prefix, one.job) == (first.bucket, first.prefix, first.job)]
    assert keep_reason(first.bucket, f"{folder(first.prefix)}x", NOW - 50 * DAY, facts, days, NOW, None)
    return kept.why


def item_of(facts: CleanFacts, days: int = AGE) -> CleanItem:
    """The only item, which there must be; what lies in it may go."""
    made = plan_clean(facts, days, NOW)
    assert [one.why for one in made.kept] == []
    (item,) = made.items
    assert keep_reason(item.bucket, f"{item.prefix}x", NOW - 50 * DAY, facts, days, NOW, item) is None
    return item


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


def _with(world: World, **changes: Any) -> World:
    return replace(world, facts=replace(world.facts, **changes))


def _again(world: World, at: int, status: str) -> World:
    """A job of the same name is there again, as another or as the same one."""
    old = world.facts.jobs[at % len(world.facts.jobs)] if world.facts.jobs else job()
    lives = status not in ("Failed", "Completed")
    new = replace(
        old, status=status, is_live=lives, ended_at=None if lives else NOW - HOUR, created_at=NOW - 2 * HOUR if at % 2 else old.created_at
    )
    return _with(world, jobs=[*world.facts.jobs, new])


def _refers(world: World, at: int) -> World:
    where, key = list(world.objects)[at % len(world.objects)]
    return _with(world, references={**world.facts.references, Location(where, key): "model new"})


def _written(world: World, at: int) -> World:
    place = list(world.objects)[at % len(world.objects)]
    return replace(world, objects={**world.objects, place: world.now})


_CHANGED: dict[str, Any] = {
    "jobs": lambda world, new: _with(world, jobs=[*world.facts.jobs, new]),
    "again": _again,
    "gone": lambda world, at: _with(world, jobs=[one for number, one in enumerate(world.facts.jobs) if number != at]),
    "reference": lambda world, place: _with(world, references={**world.facts.references, place: "model new"}),
    "refers": _refers,
    "later": lambda world, time: replace(world, now=world.now + time),
    "denied": lambda world, scope: _with(world, references_at={at: time for at, time in world.facts.references_at.items() if at != scope}),
    "shared": lambda world, name: _with(world, shared_buckets=world.facts.shared_buckets | {name}),
    "bucket": lambda world, name, state: _with(world, buckets={**world.facts.buckets, name: bucket(name, **state)}),
    "swept": lambda world, at: _with(world, leftovers=[one for number, one in enumerate(world.facts.leftovers) if number != at]),
    "written": _written,
}

thousands = settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
hundreds = settings(thousands, max_examples=400)


def planned(world: World, days: int = AGE) -> CleanPlan:
    return plan_clean(world.facts, days, world.now)


def places_of(made: CleanPlan) -> set[tuple[str, str, Kind]]:
    return {(one.bucket, one.prefix, one.kind) for one in made.items}


def under(world: World, item: CleanItem) -> Iterator[tuple[str, datetime]]:
    """The objects that S3 lists for an item's prefix, which it reads letter by letter."""
    return ((key, at) for (where, key), at in world.objects.items() if where == item.bucket and key.startswith(item.prefix))


@thousands
@given(worlds())
def test_no_protected_key_is_ever_in_a_plan(world: World) -> None:
    made = planned(world)
    for item in made.items:
        assert item.kind != "artifacts"
        assert not any(one.bucket == item.bucket and folder(one.prefix).startswith(item.prefix) for one in made.kept)
        assert not is_protected_path(world, item.bucket, item.prefix)
        for key, written in under(world, item):
            assert not is_protected_place(world, item.bucket, key, written), (item, key)


@thousands
@given(worlds(), CHANGES)
def test_no_protected_key_goes_when_the_world_changes_between_plan_and_apply(world: World, changes: list[tuple[Any, ...]]) -> None:
    items, then = planned(world).items, changed(world, changes)
    rules = then.rules
    for (where, key), written in then.objects.items():
        for item in (None, *items):
            if rules.keep_reason(where, key, written, item) is None:
                assert not is_protected_place(then, where, key, written), (item, key)
                assert not is_protected_path(then, where, key), (item, key)
                assert item is None or (item.bucket == where and key.startswith(item.prefix))


@hundreds
@given(worlds(), CHANGES, KINDS, NAMES)
def test_an_item_is_never_trusted(world: World, changes: list[tuple[Any, ...]], kind: Kind, name: str) -> None:
    """Items made up, from what stays and with the owners that are certain later."""
    then = changed(world, changes)
    index, rules = CleanIndex(then.facts), then.rules
    for one in then.facts.leftovers:
        owners = tuple(owner.identity for owner in index.owners(one))
        forged = CleanItem(one.bucket, one.prefix, kind, name, one.team, *HERE, owners, 1, 1, "made up", "off")
        for (where, key), written in then.objects.items():
            if rules.keep_reason(where, key, written, forged) is None:
                assert not is_protected_place(then, where, key, written), key
                assert not is_protected_path(then, where, key), key
                assert rules.leftover_reason(replace(one, kind=kind)) is None or kind == one.kind


@hundreds
@given(worlds(), CHANGES)
def test_nothing_goes_of_an_item_whose_owners_are_not_exactly_those_of_the_plan(world: World, changes: list[tuple[Any, ...]]) -> None:
    then = changed(world, changes)
    index = CleanIndex(then.facts)
    for item in planned(world).items:
        now_owners = {tuple(sorted(one.identity for one in index.owners(left_over))) for left_over in then.facts.leftovers
                      if (left_over.bucket, folder(left_over.prefix), left_over.kind) == (item.bucket, item.prefix, item.kind)}  # fmt: skip
        for key, written in under(then, item):
            if now_owners != {tuple(sorted(item.owners))}:
                assert then.rules.keep_reason(item.bucket, key, written, item)


@hundreds
@given(worlds())
def test_what_a_plan_keeps_no_object_is_let_go_of(world: World) -> None:
    rules, made = world.rules, planned(world)
    for (where, key), written in world.objects.items():
        if not any(one.kind != "uploads" and one.bucket == where and key.startswith(one.prefix) for one in made.items):
            assert rules.keep_reason(where, key, written, None), key


@hundreds
@given(worlds())
def test_one_key_by_itself_is_judged_as_among_many(world: World) -> None:
    rules, items = world.rules, planned(world).items
    for (where, key), written in list(world.objects.items())[:2]:
        for item in (None, *items[:1]):
            assert keep_reason(where, key, written, world.facts, AGE, world.now, item) == rules.keep_reason(where, key, written, item)


@hundreds
@given(worlds(), st.sampled_from([frozenset[str](), frozenset({"RC"}), frozenset({"nlp", "cv"})]))
def test_every_leftover_of_the_teams_is_an_item_or_kept_and_once(world: World, teams: frozenset[str]) -> None:
    made = plan_clean(world.facts, AGE, NOW, teams)
    asked = [one for one in world.facts.leftovers if not teams or one.team in {team.lower() for team in teams}]
    answers: list[CleanItem | Kept] = [*made.items, *made.kept]
    answered = [(one.bucket, folder(one.prefix)) for one in answers]
    assert Counter(answered) == Counter((one.bucket, folder(one.prefix)) for one in asked)
    assert all(one.why for one in answers)


@hundreds
@given(worlds(), st.integers(AGE, 60), st.integers(0, 60))
def test_a_longer_least_age_never_adds_an_item(world: World, days: int, more: int) -> None:
    assert places_of(planned(world, days + more)) <= places_of(planned(world, days))


@hundreds
@given(worlds(), PLACES)
def test_a_new_reference_never_adds_an_item(world: World, place: Location) -> None:
    assert places_of(planned(_with(world, references={**world.facts.references, place: "model new"}))) <= places_of(planned(world))


@hundreds
@given(worlds(), JOBS)
def test_a_new_live_job_never_adds_an_item(world: World, new: CleanJob) -> None:
    running = replace(new, is_live=True, status="InProgress", ended_at=None)
    assert places_of(planned(_with(world, jobs=[*world.facts.jobs, running]))) <= places_of(planned(world))


@hundreds
@given(worlds(), st.from_regex(r"plain(-[0-9]{1,3}){1,2}", fullmatch=True))
def test_what_a_plain_old_job_left_may_go_whatever_else_there_is(world: World, name: str) -> None:
    """The rules are not empty: with fresh facts, and nobody who points at its bucket, it is an item and its objects may go."""
    points = [place for one in world.facts.jobs for place in (*one.points_at, *one.outputs, one.artifact, one.checkpoints) if place]
    assume(not any(place.bucket.startswith("a") for place in (*points, *world.facts.references)))
    mine = left(f"models/training/{name}/", name=name, bucket="mine")
    fresh = {HERE: NOW - 24 * HOUR, THERE: NOW}
    facts = replace(
        world.facts,
        leftovers=[*world.facts.leftovers, mine],
        jobs=[*world.facts.jobs, job(name, outputs=(Location("mine", "models/artifacts/"),), ended=AGE)],
        references_at=fresh,
        jobs_at=fresh,
        buckets={**world.facts.buckets, "mine": bucket("mine")},
    )
    (item,) = [one for one in plan_clean(facts, AGE, NOW).items if one.bucket == "mine"]
    assert keep_reason("mine", f"{mine.prefix}epoch=3/state.pt", NOW - AGE * DAY, facts, AGE, NOW, item) is None


def test_random_worlds_hold_enough_that_may_go_for_the_properties_to_mean_something() -> None:
    found: Counter[str] = Counter()

    @settings(hundreds, database=None)
    @given(worlds(), CHANGES)
    def count(world: World, changes: list[tuple[Any, ...]]) -> None:
        then, items = changed(world, changes), planned(world).items
        found["worlds"] += 1
        found["with items"] += bool(items)
        found["let go"] += any(then.rules.keep_reason(one.bucket, key, at, one) is None for one in items for key, at in under(then, one))

    count()
    assert found["with items"] > found["worlds"] / 20, found
    assert found["let go"] > found["worlds"] / 50, found


# The indexes behind the rules, against the plain words


KEYS = st.lists(st.sampled_from(["a", "a", "ab", "b", "a ", ""]), max_size=4).map("/".join)
NEAR = st.builds(Location, st.sampled_from(["b", "b", "c"]), KEYS)


@thousands
@given(st.lists(NEAR, max_size=8), NEAR)
def test_the_index_of_places_finds_exactly_what_meets_a_path(places: list[Location], asked: Location) -> None:
    whole = PlaceIndex({(place.bucket, folder(place.key)): (place.bucket, folder(place.key)) for place in places})
    found = sorted(whole.meeting(asked.bucket, asked.key))
    assert set(found) == {(place.bucket, folder(place.key)) for place in places if place.meets(asked)}


@thousands
@given(st.lists(NEAR, max_size=8), NEAR)
def test_the_index_of_places_finds_what_begins_like_an_address_too(places: list[Location], asked: Location) -> None:
    loose = PlaceIndex({(place.bucket, stretch(place.key)): (place.bucket, stretch(place.key)) for place in places})
    path = folder(asked.key)
    beginning = [(place.bucket, stretch(place.key)) for place in places if place.bucket == asked.bucket]
    expected = {one for one in beginning if path.startswith(one[1]) or one[1].startswith(path)}
    assert set(loose.meeting(asked.bucket, asked.key)) == expected
    assert expected >= {(place.bucket, stretch(place.key)) for place in places if place.meets(asked)}


@pytest.mark.parametrize(
    ("template", "path", "is_met"),
    [
        ("models/artifacts/", "models/artifacts/job-1/model.tar.gz", True),
        ("models/artifacts", "models/artifacts/job-1/", True),
        ("/models/artifacts/", "models/artifacts", True),
        ("models/artifacts/", "Models/Artifacts/x", True),
        ("models/artifacts/", "models/", True),
        ("models/artifacts/", "x/models/artifacts/y", True),
        ("models/artifacts/", "models/artifacts-old/job-1/", False),
        ("models/artifacts/", "models/training/job-1/artifacts/", False),
        ("models/artifacts/", "artifacts/models/", False),
        ("{team}/artifacts/", "rc/artifacts/job-1/", True),
        ("{team}/artifacts/", "rc/training/job-1/", False),
        ("", "models/training/job-1/", True),
        ("/", "models/training/job-1/", True),
    ],
)
def test_models_lie_at_the_convention_s_prefix_and_where_it_is_repeated(template: str, path: str, is_met: bool) -> None:
    assert ArtifactFolder(template).meets(path) is is_met


# What may go


@pytest.mark.parametrize("kind", ["intermediates", "debugger", "profiler", "tensorboard", "uploads"])
def test_what_an_old_job_left_under_its_own_name_may_go(kind: Kind) -> None:
    item = item_of(known(job(), leftovers=(left(kind=kind),)))
    assert (item.prefix, item.kind, item.job, item.team, item.objects, item.bytes) == (
        "models/training/job-1/",
        kind,
        "job-1",
        "rc",
        3,
        300,
    )
    assert item.owners == (("arn:aws:sagemaker:us-east-1:111111111111:training-job/job-1", int((NOW - 60 * DAY).timestamp())),)
    assert "job job-1 (Completed on 2026-10-01)" in item.why


def test_models_never_go_whatever_they_are_called() -> None:
    assert "never go" in why_kept(known(job(), leftovers=(left(kind="artifacts"),)))


def test_a_prefix_without_a_slash_at_its_end_is_planned_with_one() -> None:
    item = item_of(known(job(), leftovers=(left("models/training/job-1"),)))
    assert item.prefix == "models/training/job-1/"
    assert keep_reason("b", "models/training/job-10/x", NOW - 50 * DAY, known(job()), AGE, NOW, item)


@pytest.mark.parametrize(
    ("versioning", "words"),
    [
        ("enabled", "can be undone while"),
        ("suspended", "cannot be undone: the bucket's versioning is suspended"),
        ("off", "cannot be undone: the bucket keeps no versions"),
        ("unknown", "nobody could tell whether it can be undone"),
    ],
)
def test_the_plan_says_whether_it_can_be_undone(versioning: Any, words: str) -> None:
    item = item_of(known(job(), buckets={"b": bucket(versioning=versioning)}))
    assert words in item.why
    assert item.versioning == versioning


def test_an_upload_that_is_aborted_cannot_be_brought_back_and_the_plan_says_so() -> None:
    uploads = left(kind="uploads")
    assert "cannot be undone" in item_of(known(job(), leftovers=(uploads,), buckets={"b": bucket(versioning="enabled")})).why


def test_uploads_below_checkpoints_belong_to_whom_the_checkpoints_do() -> None:
    uploads = left("ckpt/run/", "uploads", "")
    owner = job(checkpoints=Location("b", "ckpt/run"))
    assert item_of(known(owner, leftovers=(uploads,))).owners == (owner.identity,)


# Age


def test_age_counts_from_the_job_s_end() -> None:
    assert item_of(known(job(ended=AGE)))
    assert "job job-1 ended (Completed) on 2026-11-06, less than 14 days ago" in why_kept(known(job(ended=AGE - 0.01)))


def test_age_counts_from_the_newest_object_where_that_is_later() -> None:
    assert "its newest object was written on" in why_kept(known(job(), leftovers=(left(newest_at=NOW - 13 * DAY),)))


def test_a_single_object_that_is_younger_stays() -> None:
    facts = known(job())
    (item,) = plan_clean(facts, AGE, NOW).items
    assert "it was written on" in (keep_reason("b", f"{item.prefix}x", NOW - 13 * DAY, facts, AGE, NOW, item) or "")


def test_a_higher_age_can_be_asked_for() -> None:
    assert "less than 51 days ago" in why_kept(known(job()), days=51)


@pytest.mark.parametrize("days", [0, -1])
def test_an_age_below_a_day_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        plan_clean(known(job()), days, NOW)


def test_an_age_beyond_all_calendars_keeps_everything() -> None:
    assert why_kept(known(job()), days=10**12)


def test_a_job_whose_end_nobody_knows_keeps_what_it_left_and_points_at() -> None:
    assert "nobody knows when job job-1 ended" in why_kept(known(job(ended=None)))
    other = job("other", ended=None, points_at=(Location("b", "models/training/job-1/"),))
    assert "nobody knows when job other ended, and points at" in why_kept(known(job(), other))


def test_what_holds_nothing_or_nobody_knows_how_old_stays() -> None:
    assert "nothing was found" in why_kept(known(job(), leftovers=(left(objects=0, newest_at=None),)))
    assert "how old" in why_kept(known(job(), leftovers=(left(newest_at=None),)))


# Models


def test_the_artifact_prefix_of_a_bucket_never_goes() -> None:
    prefix = "models/artifacts/job-1/debug-output/"
    assert "models lie under models/artifacts" in why_kept(
        known(job(), leftovers=(left(prefix, "debugger"),), artifact_prefix="models/artifacts")
    )


def test_a_job_s_own_model_never_goes_wherever_it_lies() -> None:
    assert "the model of job other lies there" in why_kept(
        known(job(), job("other", artifact=Location("b", "models/training/job-1/output/model.tar.gz")))
    )


@pytest.mark.parametrize("key", ["models/training/job-1/sub/m.tar.gz", "models/training/job-1", "models/training/", "models/tr", ""])
def test_what_a_model_refers_to_never_goes_nor_what_holds_or_lies_in_it(key: str) -> None:
    assert "model fraud refers to s3://b/" in why_kept(known(job(), references={Location("b", key): "model fraud"}))


def test_a_reference_to_a_longer_name_protects_that_alone() -> None:
    assert item_of(known(job(), references={Location("b", "models/training/job-10/"): "model fraud"}))


def test_a_reference_through_an_access_point_protects_its_key_in_every_bucket() -> None:
    place = Location("arn:aws:s3:us-east-1:111111111111:accesspoint", "ap/models/training/job-1/x")
    assert "model fraud refers to" in why_kept(known(job(), references={place: "model fraud"}))
    assert "model fraud refers to" in why_kept(known(job(), references={Location("ap-s3alias", "models/"): "model fraud"}))


# Jobs that still want it


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Deleting", "Gone", "Paused", "Unknown", ""])
@pytest.mark.parametrize("key", ["models/training/job-1/a/b", "models/training", "models/training/job"])
def test_what_a_job_that_has_not_ended_for_certain_points_at_stays(status: str, key: str) -> None:
    pointing = job("other", status=status, is_live=status in ("InProgress", "Stopping"), points_at=(Location("b", key),))
    assert f"points at s3://b/{key}" in why_kept(known(job(), pointing))


@pytest.mark.parametrize("member", ["points_at", "artifact", "checkpoints"])
@pytest.mark.parametrize("key", ["models/training/job-1/data", "models/training/job-1", "models/training/", "models/training/job"])
def test_inputs_code_models_and_checkpoints_of_a_live_job_stay_with_whatever_begins_like_them(member: str, key: str) -> None:
    named: dict[str, Any] = {member: (Location("b", key),) if member == "points_at" else Location("b", key)}
    assert why_kept(known(job(), replace(live(), **named)))


def test_of_several_jobs_that_point_at_a_place_each_protects_it() -> None:
    place = Location("b", "models/training/job-1/data/")
    over, running = job("over", status="Failed", points_at=(place,)), live(points_at=(place,))
    assert item_of(known(job(), over))
    assert "job live is alive" in why_kept(known(job(), over, running))
    assert "job live is alive" in why_kept(known(job(), running, over))


def test_a_job_that_is_said_to_live_and_to_have_ended_lives() -> None:
    assert "job job-1 is alive (Completed)" in why_kept(known(job(is_live=True)))


@pytest.mark.parametrize("key", ["models/training/job-1/", "models/training/job-1/deeper", "models/training"])
def test_of_an_output_path_only_what_lies_under_the_live_job_s_name_is_its_own(key: str) -> None:
    output = Location("b", key)
    facts = known(job(), live("live", outputs=(output,)), leftovers=(left(),))
    if key == "models/training":
        assert item_of(facts)
    else:
        assert "job live is alive (InProgress), and points at s3://b/models/training/job-1/" in why_kept(facts)


@pytest.mark.parametrize("key", ["models/artifacts/", ""])
def test_an_output_path_that_holds_everything_keeps_not_everything(key: str) -> None:
    assert item_of(known(job(), live(outputs=(Location("b", key),))))


def test_an_output_path_that_cannot_be_told_apart_from_inputs_keeps_all_that_lies_there() -> None:
    assert why_kept(known(job(), live(points_at=(Location("b", ""),))))


@pytest.mark.parametrize("key", ["/", "x//", "models/training/../"])
def test_an_odd_output_path_keeps_all_that_lies_there(key: str) -> None:
    plain, odd = f"{key.rstrip('/')}/job-1/".lstrip("/"), live(outputs=(Location("b", key),))
    assert why_kept(known(job(), odd, leftovers=(left(plain),)))


@pytest.mark.parametrize(("status", "stays"), [("Failed", True), ("Stopped", True), ("Completed", False)])
def test_a_job_that_may_be_started_again_keeps_what_it_points_at(status: str, stays: bool) -> None:
    recent = job("recent", ended=13, status=status, points_at=(Location("b", "models/training/job-1/data/"),))
    assert bool(plan_clean(known(job(), recent), AGE, NOW).kept) is stays
    assert item_of(known(job(), replace(recent, ended_at=NOW - AGE * DAY)))


def test_a_job_on_a_checkpoint_prefix_that_a_live_job_uses_keeps_what_it_points_at() -> None:
    old = job("old", checkpoints=Location("b", "ckpt/run/"), points_at=(Location("b", "models/training/job-1/data/"),))
    assert item_of(known(job(), old))
    assert "job old shares its checkpoint prefix with job live" in why_kept(known(job(), old, live(checkpoints=Location("b", "ckpt"))))
    behind = replace(old, checkpoints=Location("ap-s3alias", "ckpt/run/"))  # which may be the same bucket
    assert "job old shares its checkpoint prefix with job live" in why_kept(known(job(), behind, live(checkpoints=Location("b", "ckpt"))))


# Whose it is


def test_a_name_never_takes_a_longer_one() -> None:
    facts = known(job(), leftovers=(left("models/training/job-10/", name="job-10"), left()))
    assert "no job job-10 is in our books" in why_kept(facts)
    assert [item.prefix for item in plan_clean(facts, AGE, NOW).items] == ["models/training/job-1/"]


def test_a_name_is_told_by_its_case() -> None:
    assert "no job Job-1 is in our books" in why_kept(known(job(), leftovers=(left("models/training/Job-1/", name="Job-1"),)))
    assert item_of(known(job(), job("Training")))  # which is no reason to keep whatever lies under models/training/
    assert "job Training is alive" in why_kept(known(job(), live("Training")))


@pytest.mark.parametrize("name", ["jоb-1", "ｊob-1", "job‑1", "jób-1", "job-1 ", "job -1"])
def test_what_looks_like_a_name_and_is_not_makes_a_path_uncertain(name: str) -> None:
    assert "may be taken for it" in why_kept(known(job(), leftovers=(left(f"models/training/job-1/{name}/"),)))


@pytest.mark.parametrize("part", ["", ".", "..", " ", " ..", "\u200b", "a\u200bb", "a\nb", "\u00a0", "\u0301"])
def test_components_that_nobody_can_read_make_a_path_uncertain(part: str) -> None:
    assert "nobody can be sure whose it is" in why_kept(known(job(), leftovers=(left(f"models/training/job-1/{part}/x/"),)))


@pytest.mark.parametrize("tail", ["../job-2/x", "./x", "a//x", "live/x", "a/live", "lıve/x", "LIVE/x", "models/artifacts/x"])
def test_an_object_whose_own_key_is_uncertain_or_names_a_live_job_stays(tail: str) -> None:
    facts = known(job(), live("live"))
    item = item_of(facts)
    assert keep_reason("b", f"{item.prefix}{tail}", NOW - 50 * DAY, facts, AGE, NOW, item)


@pytest.mark.parametrize("tail", ["x", "a/b/c.pt", "", "epoch=3-step=1200.ckpt", "Ünïcode 检查点/файл.bin", "job-10/x", "a b/x"])
def test_an_object_of_an_ordinary_name_goes(tail: str) -> None:
    facts = known(job(), live("live"))
    item = item_of(facts)
    assert keep_reason("b", f"{item.prefix}{tail}", NOW - 50 * DAY, facts, AGE, NOW, item) is None


def test_a_job_whose_own_addresses_do_not_name_the_bucket_owns_nothing_in_it() -> None:
    assert "does not name bucket b itself" in why_kept(known(job(outputs=(Location("elsewhere", ""),))))


def test_a_job_called_like_a_folder_does_not_own_what_nobody_knows() -> None:
    facts = known(job("training"), leftovers=(left("models/training/unknown/", name="unknown"),))
    assert "no job unknown is in our books" in why_kept(facts)


def test_a_job_called_like_a_folder_does_not_own_what_others_left_in_it() -> None:
    facts = known(job("training"), job(), leftovers=(left("models/training/", name="training"), left()))
    assert "are job job-1's too" in why_kept(facts)


def test_the_name_that_a_collector_saw_has_to_be_in_the_path() -> None:
    assert "does not name job job-1" in why_kept(known(job(), job("x"), leftovers=(left("models/training/x/"),)))
    assert "no job in our books is named" in why_kept(known(job(), leftovers=(left(name=""),)))


def test_a_live_job_s_name_inside_a_dead_one_s_path_keeps_it() -> None:
    assert "job live is alive" in why_kept(known(job(), live("live"), leftovers=(left("models/training/job-1/live/"),)))


def test_all_jobs_of_a_name_must_be_over_in_every_account_and_after_every_reuse() -> None:
    there, again = job(scope=THERE, outputs=()), job(created_at=NOW - 55 * DAY, outputs=())
    assert item_of(known(job(), there, again)).owners == (job().identity,)
    assert "job job-1 is alive" in why_kept(known(job(), replace(there, status="InProgress", is_live=True, ended_at=None)))
    assert "less than 14 days" in why_kept(known(job(), replace(again, ended_at=NOW - DAY)))


def test_an_owner_in_an_account_that_is_not_watched_keeps_what_it_left() -> None:
    assert "is not watched" in why_kept(known(job(scope=THERE), scopes=(HERE,)))
    assert "is not watched" in why_kept(known(job(), leftovers=(left(account="333333333333"),)))


# Checkpoints


def chain(*ends: tuple[str, float]) -> list[CleanJob]:
    """Jobs that used one checkpoint prefix, with or without a slash."""
    return [
        job(f"run-{number}", status=status, ended=ended, checkpoints=Location("b", f"ckpt/run{'/' * (number % 2)}"))
        for number, (status, ended) in enumerate(ends)
    ]


CHECKPOINTS = left("ckpt/run/", "checkpoints", "")


def test_checkpoints_go_when_every_job_of_the_chain_ended_long_ago_and_the_last_completed() -> None:
    jobs = chain(("Failed", 50), ("Stopped", 40), ("Completed", 30))
    item = item_of(known(*jobs, leftovers=(CHECKPOINTS,)))
    assert item.owners == tuple(one.identity for one in jobs)
    assert item.job == "run-2"
    assert "3 jobs, the last run-2 (Completed on" in item.why


@pytest.mark.parametrize("last", ["Failed", "Stopped"])
def test_checkpoints_stay_when_the_last_job_did_not_complete(last: str) -> None:
    assert "was the last with them and did not complete" in why_kept(known(*chain(("Completed", 50), (last, 40)), leftovers=(CHECKPOINTS,)))


def test_checkpoints_stay_while_any_job_of_the_chain_is_young_or_alive() -> None:
    assert "less than 14 days" in why_kept(known(*chain(("Completed", 50), ("Completed", 13)), leftovers=(CHECKPOINTS,)))
    running = live("again", checkpoints=Location("b", "ckpt/run"))
    assert "job again" in why_kept(known(*chain(("Completed", 50)), running, leftovers=(CHECKPOINTS,)))


def test_checkpoints_belong_to_the_jobs_that_say_so_and_to_no_name() -> None:
    assert "no job in our books has its checkpoints there" in why_kept(
        known(job("run"), leftovers=(left("ckpt/run/", "checkpoints", "run"),))
    )
    above = left("ckpt/", "checkpoints", "")
    assert "no job in our books has its checkpoints there" in why_kept(known(*chain(("Completed", 50)), leftovers=(above,)))


def test_checkpoints_stay_with_those_of_a_failed_job_above_or_below_them() -> None:
    for key in ("ckpt/", "ckpt/run/deeper/"):
        failed = job("other", status="Failed", checkpoints=Location("b", key))
        assert "it has checkpoints of job other" in why_kept(known(*chain(("Completed", 50)), failed, leftovers=(CHECKPOINTS,)))


def test_what_is_no_checkpoint_is_not_owned_by_lying_where_checkpoints_do() -> None:
    facts = known(job("run", checkpoints=Location("b", "ckpt/")), leftovers=(left("ckpt/nobody/", "intermediates", "nobody"),))
    assert "no job nobody is in our books" in why_kept(facts)


def test_checkpoints_of_a_longer_name_are_another_s() -> None:
    other = job("other", status="Failed", checkpoints=Location("b", "ckpt/run-10"))
    assert item_of(known(*chain(("Completed", 50)), other, leftovers=(CHECKPOINTS,)))


def test_checkpoints_in_something_else_keep_it_as_they_would_stay_themselves() -> None:
    failed = job(status="Failed", checkpoints=Location("b", "models/training/job-1/checkpoints/"))
    assert "it has checkpoints of job job-1" in why_kept(known(failed))
    assert item_of(known(replace(failed, status="Completed")))


# What lies in each other


def test_a_prefix_stays_with_what_stays_in_it_and_what_may_go_in_one_that_stays_may_go() -> None:
    young = left("models/training/job-1/debug-output/", "debugger", newest_at=NOW - DAY)
    facts = known(job(), leftovers=(left(), young))
    assert "debugger in it stay (models/training/job-1/debug-output/)" in why_kept(facts)
    assert plan_clean(facts, AGE, NOW).items == ()
    outer, inner = replace(left(), newest_at=NOW - DAY), replace(young, newest_at=NOW - 50 * DAY)
    assert [one.prefix for one in plan_clean(known(job(), leftovers=(outer, inner)), AGE, NOW).items] == [inner.prefix]


def test_models_that_were_found_in_a_prefix_keep_it() -> None:
    model = left("models/training/job-1/output/", "artifacts")
    assert "artifacts in it stay" in why_kept(known(job(), leftovers=(left(), model)))


# Facts that are missing, denied or old


@pytest.mark.parametrize("table", ["jobs_at", "references_at"])
@pytest.mark.parametrize("at", [None, NOW - 24 * HOUR - timedelta(seconds=1), NOW + HOUR])
def test_facts_of_any_account_that_are_missing_or_old_keep_everything(table: str, at: datetime | None) -> None:
    old: dict[str, Any] = {table: {HERE: NOW} | ({THERE: at} if at else {})}
    fresh: dict[str, Any] = {table: {HERE: NOW, THERE: NOW - 24 * HOUR}}
    assert "account 222222222222 in us-east-1" in why_kept(replace(known(job()), **old))
    assert item_of(replace(known(job()), **fresh))


def test_without_any_account_everything_stays() -> None:
    assert "no account is watched" in why_kept(known(job(), scopes=()))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"problem": "access denied"}, "cannot be looked into: access denied"),
        ({"object_lock": True}, "locks its objects"),
        ({"object_lock": None}, "nobody could tell"),
        ({"looked_at": NOW - 49 * HOUR}, "not within two days"),
    ],
)
def test_a_bucket_that_is_closed_locked_or_not_known_well_enough_is_left_alone(state: dict[str, Any], words: str) -> None:
    assert words in why_kept(known(job(), buckets={"b": bucket(**state)}))


def test_a_bucket_that_nobody_looked_at_or_that_strangers_read_is_left_alone() -> None:
    assert "never looked at" in why_kept(known(job(), buckets={}))
    assert "is shared" in why_kept(known(job(), shared_buckets=frozenset({"b"})))


@pytest.mark.parametrize("looked_at", [NOW - 48 * HOUR - timedelta(seconds=1), NOW + HOUR])
def test_what_was_looked_at_too_long_ago_stays(looked_at: datetime) -> None:
    assert "not within two days" in why_kept(known(job(), leftovers=(left(looked_at=looked_at),)))


# Teams


def test_other_teams_leftovers_are_left_out_and_keep_what_they_lie_in() -> None:
    other = left("models/training/job-1/debug-output/", "debugger", team="nlp")
    made = plan_clean(known(job(), leftovers=(left(), other)), AGE, NOW, frozenset({"RC"}))
    assert (made.items, [one.prefix for one in made.kept]) == ((), ["models/training/job-1/"])
    assert "it is of team nlp" in made.kept[0].why
    assert len(plan_clean(known(job(), leftovers=(left(), other)), AGE, NOW).items) == 2


def test_what_is_another_team_s_too_stays_when_one_team_s_is_asked_for() -> None:
    facts = known(job(), job(scope=THERE, team="nlp"))
    assert "which is of team nlp" in plan_clean(facts, AGE, NOW, frozenset({"rc"})).kept[0].why
    assert item_of(facts)


# Right before it goes


def test_an_object_that_is_not_in_what_was_planned_stays() -> None:
    facts = known(job(), leftovers=(left(), left("models/training/job-2/", name="job-2")))
    (item,) = plan_clean(facts, AGE, NOW).items
    assert keep_reason("b", "models/training/job-10/x", NOW - 50 * DAY, facts, AGE, NOW, item) == "it does not lie in what was planned"
    assert keep_reason("c", "models/training/job-1/x", NOW - 50 * DAY, facts, AGE, NOW, item) == "it does not lie in what was planned"
    assert keep_reason("b", "x", NOW - 50 * DAY, facts, AGE, NOW, None) == "it lies in nothing that was found as left over"


def test_an_object_that_is_called_like_a_folder_is_not_in_it() -> None:
    facts = known(job())
    for item in (None, item_of(facts)):
        assert keep_reason("b", "models/training/job-1", NOW - 50 * DAY, facts, AGE, NOW, item)


def test_what_is_said_of_uploads_says_nothing_of_objects_nor_of_another_kind() -> None:
    facts = known(job(), leftovers=(left(kind="uploads"),))
    assert keep_reason("b", "models/training/job-1/x", NOW - 50 * DAY, facts, AGE, NOW, None)
    other = replace(item_of(facts), kind="intermediates")
    assert "intermediates were not found again" in (keep_reason("b", f"{other.prefix}x", NOW - 50 * DAY, facts, AGE, NOW, other) or "")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (known(job(created_at=NOW - 59 * DAY)), "no longer certain"),
        (known(job(), job(scope=THERE)), "no longer certain"),
        (known(), "no job job-1 is in our books"),
        (known(job(), leftovers=()), "not found again"),
        (known(job(), leftovers=(left(team="nlp"),)), "of team nlp by now"),
        (known(job(), buckets={"b": bucket(versioning="suspended")}), "could not be undone"),
    ],
)
def test_an_item_that_is_no_longer_what_was_planned_stays(then: CleanFacts, words: str) -> None:
    item = item_of(known(job(), buckets={"b": bucket(versioning="enabled")}))
    assert words in (keep_reason("b", f"{item.prefix}x", NOW - 50 * DAY, then, AGE, NOW, item) or "")


# Limits


@pytest.mark.parametrize(("objects", "size", "code"), [(10, 100, None), (11, 100, "too_many_objects"), (10, 101, "too_many_bytes")])
def test_an_apply_stays_within_its_limits(objects: int, size: int, code: str | None) -> None:
    refusal = within_limits(objects, size, 10, 100)
    assert (refusal.code if isinstance(refusal, Refusal) else None) == code


def test_a_refusal_says_how_much_it_was_and_how_much_may_be() -> None:
    refusal = within_limits(1, 61_500 * 10**9, 1, 50 * 10**12)
    assert refusal
    assert "61.5 TB are more than the 50.0 TB of one apply" in refusal.why
    refusal = within_limits(2_000_000, 0, 1_000_000, 0)
    assert refusal
    assert "2,000,000 objects are more than the 1,000,000" in refusal.why


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50 TB", 50 * 10**12),
        ("50TB", 50 * 10**12),
        (" 1.5 gb ", 15 * 10**8),
        ("1 KiB", 1024),
        ("2 TiB", 2 * 1024**4),
        ("1_000_000", 10**6),
        ("0", 0),
        ("7 B", 7),
        ("1 EB", 10**18),
    ],
)
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "TB", "-1 TB", "1,5 TB", "1.5 B", "0.0001 kB", "fifty TB", "50 TBs", "50 XB", "1e3", "٣ TB", "1 T B", "inf", "."]
)
def test_what_is_no_size_is_an_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"no size|no whole number"):
        parse_bytes(text)
