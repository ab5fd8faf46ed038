"""Periods of UTC days, half-open, and the ones people name."""

from dataclasses import dataclass
from datetime import date, timedelta

PERIODS = {"14d": "14 days", "week": "This week", "last-week": "Last week", "month": "This month", "last-month": "Last month"}


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days from `start` up to, but not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"the period from {self.start} to {self.end} holds no day: its end must be after its start")

    @property
    def days(self) -> list[date]:
        """Every day of the period, in order."""
        return [self.start + timedelta(days=offset) for offset in range((self.end - self.start).days)]

    def until(self, day: date) -> "Period":
        """The part of the period before the end of a day; the whole where it ends earlier, one day at the least."""
        end = min(self.end, day + timedelta(days=1))
        return Period(self.start, max(end, self.start + timedelta(days=1)))

    def before(self) -> "Period":
        """What to compare with: as many days of the month before for a period that starts a month, else the days right before.

        A month to date is held against the same days of the month before, cut at that month's end.
        """
        length = self.end - self.start
        if self.start.day == 1 and length.days <= 31:
            start = (self.start - timedelta(days=1)).replace(day=1)
            return Period(start, min(self.start, start + length) if self.end != first_of_next_month(self.start) else self.start)
        return Period(self.start - length, self.start)


def first_of_next_month(day: date) -> date:
    """The first day of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def period_named(name: str, today: date) -> Period:
    """The period of a name in `PERIODS` as seen today; weeks are ISO weeks. Raises KeyError for other names.

    Periods that are under way end with today, so that figures, days and comparisons speak of the same days.
    """
    tomorrow, monday, first = today + timedelta(days=1), today - timedelta(days=today.weekday()), today.replace(day=1)
    return {
        "14d": Period(today - timedelta(days=13), tomorrow),
        "week": Period(monday, tomorrow),
        "last-week": Period(monday - timedelta(days=7), monday),
        "month": Period(first, tomorrow),
        "last-month": Period((first - timedelta(days=1)).replace(day=1), first),
    }[name]
