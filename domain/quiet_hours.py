"""Hours of the day in which people are not to be disturbed, in a time zone of theirs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to another, which may lie on the next day."""

    start: time
    end: time
    zone: ZoneInfo

    def until(self, moment: datetime) -> datetime | None:
        """When the quiet hours that a moment lies in are over, in UTC; None where it lies in none."""
        today = moment.astimezone(self.zone).date()
        for day in (today - timedelta(days=1), today):
            start, end = self._beginning_on(day)
            if start <= moment < end:
                return end
        return None

    def _beginning_on(self, day: date) -> tuple[datetime, datetime]:
        """A time that the clocks skip counts as that much later; one that they show twice begins quiet hours the first time, and
        ends them the second: whoever sleeps until half past two sleeps until it is that for good.
        """
        end_day = day if self.start < self.end else day + timedelta(days=1)
        start, end = datetime.combine(day, self.start, self.zone), datetime.combine(end_day, self.end, self.zone)
        return start.astimezone(UTC), max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def quiet_hours(text: str, zone: str) -> QuietHours | None:
    """The quiet hours that settings spell, such as `22:00-07:00`; None for an empty text, or where they end as they begin."""
    start, _, end = text.partition("-")
    return None if start == end else QuietHours(time.fromisoformat(start), time.fromisoformat(end), ZoneInfo(zone))
