"""Addresses in S3: read from URIs, and compared by whole components."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.s3 import Location, location

PARTS = st.sampled_from(["a", "job-1", "job-10", "job-1-2", "Job-1", "jоb-1", "x y", "..", ""])
KEYS = st.lists(PARTS, max_size=4).map("/".join)
PLACES = st.builds(Location, st.sampled_from(["b", "b2"]), KEYS)


def _parts(key: str) -> list[str]:
    """A key's components, without what slashes at its end make."""
    parts = key.split("/")
    while parts and parts[-1] == "":
        parts.pop()
    return parts


@given(PLACES, PLACES)
def test_a_place_holds_what_begins_with_all_its_components(one: Location, other: Location) -> None:
    own, theirs = _parts(one.key), _parts(other.key)
    assert one.holds(other) is (one.bucket == other.bucket and theirs[: len(own)] == own)


@given(PLACES, PLACES)
def test_places_meet_both_ways_or_not_at_all(one: Location, other: Location) -> None:
    assert one.meets(other) is other.meets(one) is (one.holds(other) or other.holds(one))


@given(PLACES)
def test_a_place_holds_itself_with_and_without_a_slash_at_its_end(place: Location) -> None:
    slashed = Location(place.bucket, f"{place.key}/")
    assert place.holds(place)
    assert place.holds(slashed)
    assert slashed.holds(place)


@given(PLACES, PLACES, PLACES)
def test_what_is_held_by_what_is_held_is_held(one: Location, other: Location, third: Location) -> None:
    assert one.holds(third) or not (one.holds(other) and other.holds(third))


@given(PLACES, PARTS)
def test_a_longer_last_component_is_another_place(place: Location, part: str) -> None:
    name = f"{place.key}/job-1".lstrip("/")
    assert not Location(place.bucket, name).meets(Location(place.bucket, f"{name}0/{part}"))


@given(PLACES)
def test_a_bucket_without_a_key_holds_all_of_its_own(place: Location) -> None:
    assert Location(place.bucket, "").holds(place)
    assert not Location("another", "").meets(place)


@given(PLACES)
def test_a_location_is_the_one_of_its_uri(place: Location) -> None:
    assert location(place.uri) == place


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://b/k", Location("b", "k")),
        ("S3://b/k/", Location("b", "k/")),
        ("s3://b", Location("b", "")),
        ("s3://b/", Location("b", "")),
        ("s3://b//k", Location("b", "/k")),
        ("s3://b/a b/c ", Location("b", "a b/c ")),  # a space at the end is part of the key
        ("https://b.s3.us-east-1.amazonaws.com/a%20b/c/?X-Amz-Signature=1", Location("b", "a b/c/")),
        ("https://s3.us-east-1.amazonaws.com/b/a/", Location("b", "a/")),
        ("https://b.s3.amazonaws.com/", Location("b", "")),
        ("https://a.b.s3.dualstack.eu-west-1.amazonaws.com/k", Location("a.b", "k")),
        ("https://example.com/b/a", None),
        ("https://s3.us-east-1.amazonaws.com/", None),
        (" s3://b/a", None),
        ("s3://", None),
        ("s3:///k", None),
        ("/opt/ml/model", None),
        ("file://b/k", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_an_address_is_read_as_it_stands_or_not_at_all(uri: object, place: Location | None) -> None:
    assert location(uri) == place
