"""Where the simulated account gets its time from: the machine, or a test."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the present instant, aware and in UTC."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class SetClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, at: datetime) -> None:
        self._at = _aware(at)

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._at

    def set(self, at: datetime) -> None:
        """Move to `at`, forwards or backwards; raises ValueError for a naive datetime."""
        self._at = _aware(at)

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self._at += by


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"a clock needs an aware datetime, got the naive {at.isoformat()}")
    return at.astimezone(UTC)
