"""How far the jobs collector has come, and what it has to do next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collectors.watermark import DAY_SECONDS, Descent, Watermark

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())
seconds = st.integers(0, 2**40)
descents = st.none() | st.builds(Descent, seconds, seconds)


@given(st.builds(Watermark, st.none() | seconds, st.none() | seconds, descents, descents, st.none() | seconds))
def test_what_is_written_down_is_what_is_read_again(mark: Watermark) -> None:
    assert Watermark.from_state(mark.state()) == mark


def test_the_first_run_goes_down_from_now_through_the_history() -> None:
    mark = Watermark.from_state({}).opened(NOW, 10)
    assert mark.descent == Descent(SECOND + 1, SECOND - 10 * DAY_SECONDS)
    assert mark.modified_through == SECOND


def test_a_run_that_was_cut_short_goes_on_where_it_was() -> None:
    begun = Watermark().opened(NOW, 10)
    half = replace(begun, descent=Descent(SECOND - 4 * DAY_SECONDS, SECOND - 10 * DAY_SECONDS))
    assert half.opened(NOW + timedelta(days=3), 10) == half


def test_a_longer_history_is_gone_down_to_from_where_the_shorter_ended() -> None:
    done = replace(Watermark().opened(NOW, 10), descent=None)
    assert done.opened(NOW, 10) == done
    assert done.opened(NOW, 30).descent == Descent(SECOND - 10 * DAY_SECONDS + 1, SECOND - 30 * DAY_SECONDS)


def test_a_sweep_is_due_a_day_after_the_last_and_never_before_the_history_is_there() -> None:
    begun = Watermark().opened(NOW, 400)
    assert begun.with_sweep_if_due(NOW, 60).sweep is None
    done = replace(begun, descent=None, swept_at=SECOND)
    assert done.with_sweep_if_due(NOW + timedelta(hours=23), 60).sweep is None
    later = NOW + timedelta(days=1)
    assert done.with_sweep_if_due(later, 60).sweep == Descent(SECOND + DAY_SECONDS + 1, SECOND - 59 * DAY_SECONDS)
