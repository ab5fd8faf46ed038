"""When people are not to be disturbed, over midnight and over nights in which the clocks change."""

from datetime import UTC, datetime

import pytest

from domain.quiet_hours import quiet_hours


def _until(hours: str, zone: str, moment: str) -> str | None:
    quiet = quiet_hours(hours, zone)
    assert quiet is not None
    end = quiet.until(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    return None if end is None else end.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("hours", "moment", "end"),
    [
        ("22:00-07:00", "2026-11-20T21:59", None),
        ("22:00-07:00", "2026-11-20T22:00", "2026-11-21T07:00"),
        ("22:00-07:00", "2026-11-21T06:59:59", "2026-11-21T07:00"),
        ("22:00-07:00", "2026-11-21T07:00", None),
        ("12:00-13:00", "2026-11-20T12:30", "2026-11-20T13:00"),
        ("12:00-13:00", "2026-11-20T13:00", None),
        ("00:00-06:00", "2026-11-20T00:00", "2026-11-20T06:00"),
        ("18:00-00:00", "2026-11-20T23:59", "2026-11-21T00:00"),
    ],
)
def test_quiet_hours_begin_and_end_to_the_minute(hours: str, moment: str, end: str | None) -> None:
    assert _until(hours, "UTC", moment) == end


@pytest.mark.parametrize(
    ("hours", "moment", "end"),
    [
        ("22:00-07:00", "2026-10-24T20:00", "2026-10-25T06:00"),  # ten hours: 22:00 is CEST, 07:00 is CET
        ("22:00-07:00", "2026-03-28T21:00", "2026-03-29T05:00"),  # eight hours
        ("22:00-02:30", "2026-03-29T01:15", "2026-03-29T01:30"),  # there is no half past two; half past three it is
        ("22:00-02:30", "2026-03-29T01:30", None),
        ("22:00-02:30", "2026-10-25T00:45", "2026-10-25T01:30"),  # half past two has been, and comes again
        ("22:00-02:30", "2026-10-25T01:30", None),
        ("02:30-06:00", "2026-10-25T00:30", "2026-10-25T05:00"),
        ("02:30-06:00", "2026-03-29T01:30", "2026-03-29T04:00"),
    ],
)
def test_quiet_hours_follow_the_clocks_of_their_zone(hours: str, moment: str, end: str | None) -> None:
    assert _until(hours, "Europe/Berlin", moment) == end


@pytest.mark.parametrize("hours", ["", "22:00-22:00"])
def test_there_need_be_no_quiet_hours(hours: str) -> None:
    assert quiet_hours(hours, "UTC") is None
