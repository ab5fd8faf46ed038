"""What never goes: thousands of random buckets, job sets and names against the rules said once more."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.cleaning import (
    CleanIndex,
    CleanItem,
    CleanJob,
    Kept,
    keep_reason,
    plan_clean,
)
from domain.cleaning_paths import ArtifactFolder, PlaceIndex, folder, stretch
from domain.leftovers import Kind
from domain.s3 import Location
from tests.effort import examples
from tests.unit.domain.cleaning_facts import AGE, DAY, HERE, HOUR, NOW, THERE, bucket, job, left
from tests.unit.domain.worlds import (
    CHANGES,
    JOBS,
    KINDS,
    NAMES,
    PLACES,
    World,
    changed,
    hundreds,
    is_protected_path,
    is_protected_place,
    places_of,
    planned,
    thousands,
    under,
    with_facts,
    worlds,
)


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
        forged = CleanItem(one.bucket, one.prefix, kind, name, one.team, *HERE, owners, 1, 1, "made up", "off", (one.team,))
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
@given(worlds(), CHANGES)
def test_what_is_wanted_is_never_let_go_and_what_is_let_go_was_not_wanted(world: World, changes: list[tuple[Any, ...]]) -> None:
    rules = changed(world, changes).rules
    for (where, key), written in changed(world, changes).objects.items():
        assert not rules.wanted_reason(where, key) or rules.keep_reason(where, key, written, None), key


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
    assert places_of(planned(with_facts(world, references={**world.facts.references, place: "model new"}))) <= places_of(planned(world))


@hundreds
@given(worlds(), JOBS)
def test_a_new_live_job_never_adds_an_item(world: World, new: CleanJob) -> None:
    running = replace(new, is_live=True, status="InProgress", ended_at=None)
    assert places_of(planned(with_facts(world, jobs=[*world.facts.jobs, running]))) <= places_of(planned(world))


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

    @settings(hundreds, database=None, max_examples=examples(3000))
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
