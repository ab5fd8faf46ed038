"""What can be said of a stretch of samples, some of which are missing or no numbers."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.findings.series import GAP_SECONDS, NOTHING, Series

MINUTES = Series([0, 60, 120, 180], [1, 2, 3, 4])


def test_the_newest_sample_is_the_last_one() -> None:
    assert (MINUTES.last, NOTHING.last) == (180, None)


def test_both_ends_of_a_stretch_belong_to_it() -> None:
    assert list(MINUTES.between(60, 120)) == [2, 3]
    assert list(MINUTES.between(61, 119)) == []
    assert list(NOTHING.between(0, 1000)) == []


def test_a_gap_of_ten_minutes_is_bridged_and_one_second_more_is_not() -> None:
    assert Series([0, GAP_SECONDS], [1, 1]).covers(0, GAP_SECONDS)
    assert not Series([0, GAP_SECONDS + 1], [1, 1]).covers(0, GAP_SECONDS + 1)


@pytest.mark.parametrize(("start", "end"), [(-601, 180), (0, 781), (1000, 2000), (-2000, -1000)])
def test_samples_must_reach_to_both_ends_of_a_stretch(start: int, end: int) -> None:
    assert not MINUTES.covers(start, end)


def test_nothing_covers_nothing() -> None:
    assert not NOTHING.covers(0, 60)


def test_what_held_began_with_the_first_sample_after_the_last_that_did_not() -> None:
    assert MINUTES.held_since(lambda value: value > 2) == 120
    assert MINUTES.held_since(lambda value: value > 0) == 0


def test_what_does_not_hold_of_the_newest_sample_does_not_hold() -> None:
    assert MINUTES.held_since(lambda value: value < 4) is None
    assert NOTHING.held_since(lambda _: True) is None


def test_nobody_knows_whether_it_held_before_a_gap() -> None:
    assert Series([0, 60, 661, 721], [1, 1, 1, 1]).held_since(lambda value: value == 1) == 661
    assert Series([0, 60, 660, 720], [1, 1, 1, 1]).held_since(lambda value: value == 1) == 0


def test_what_is_no_number_is_not_under_a_threshold() -> None:
    assert Series([0, 60, 120], [1, nan, 1]).held_since(lambda value: value < 5) == 120
    assert Series([0, 60], [1, nan]).held_since(lambda value: value < 5) is None


def test_the_median_is_that_of_finite_values() -> None:
    assert Series([0, 60, 120, 180, 240, 300], [1, nan, 3, inf, 100, -inf]).middle(0, 300) == 3


def test_two_values_have_no_median() -> None:
    assert MINUTES.middle(0, 60) is None
    assert Series([0, 60, 120], [1, 2, nan]).middle(0, 120) is None


moments = st.lists(st.integers(0, 20_000), unique=True, max_size=60).map(sorted)
levels = st.sampled_from([0.0, 50.0, nan, inf])


@given(moments, st.data())
def test_all_samples_since_it_held_hold_and_are_without_a_gap(times: list[int], data: st.DataObject) -> None:
    series = Series(times, data.draw(st.lists(levels, min_size=len(times), max_size=len(times))))
    since = series.held_since(lambda value: value < 5)
    if since is not None and series.last is not None:
        assert all(value < 5 for value in series.between(since, series.last))
        assert series.covers(since, series.last)


@given(moments, st.integers(0, 20_000), st.integers(0, 20_000))
def test_what_covers_a_stretch_covers_every_shorter_one_between_its_samples(times: list[int], start: int, end: int) -> None:
    series = Series(times, [1.0] * len(times))
    if series.covers(start, end):
        inside = [time for time in times if start <= time <= end]
        assert series.covers(inside[0], inside[-1])
