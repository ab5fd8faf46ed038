"""Periods, and what they are compared with."""

from datetime import date

import pytest

from domain.period import PERIODS, Period, period_named

SUNDAY = date(2026, 11, 22)


def test_named_periods_as_seen_on_a_sunday() -> None:
    assert period_named("week", SUNDAY) == Period(date(2026, 11, 16), date(2026, 11, 23))
    assert period_named("last-week", SUNDAY) == Period(date(2026, 11, 9), date(2026, 11, 16))
    assert period_named("month", SUNDAY) == Period(date(2026, 11, 1), date(2026, 11, 23))
    assert period_named("last-month", SUNDAY) == Period(date(2026, 10, 1), date(2026, 11, 1))
    assert len(period_named("14d", SUNDAY).days) == 14
    assert all(period_named(name, SUNDAY) for name in PERIODS)


def test_a_month_to_date_is_held_against_the_same_days_of_the_month_before() -> None:
    assert period_named("month", SUNDAY).before() == Period(date(2026, 10, 1), date(2026, 10, 23))
    assert Period(date(2026, 3, 1), date(2026, 3, 31)).before() == Period(date(2026, 2, 1), date(2026, 3, 1))


def test_a_whole_month_is_held_against_the_whole_month_before() -> None:
    assert Period(date(2026, 3, 1), date(2026, 4, 1)).before() == Period(date(2026, 2, 1), date(2026, 3, 1))


def test_other_periods_are_held_against_as_many_days_right_before() -> None:
    assert period_named("week", SUNDAY).before() == period_named("last-week", SUNDAY)


def test_a_period_without_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no day"):
        Period(SUNDAY, SUNDAY)
