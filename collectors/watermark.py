"""How far the jobs collector has come; written in the transaction that keeps what it found, so that no crash loses its place."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

DAY_SECONDS = 86_400


class Descent(NamedTuple):
    """A stretch of creation times that is read newest first: what lies in [floor, upper) is still to come. Epoch seconds."""

    upper: int
    floor: int


@dataclass(frozen=True, slots=True)
class Watermark:
    """Epoch seconds all: changes are known up to `modified_through`, jobs created since `floor` are known but for `descent`.

    `sweep` is what the daily sweep has still to look at, `swept_at` when the last one ended. None means never.
    """

    modified_through: int | None = None
    floor: int | None = None
    descent: Descent | None = None
    sweep: Descent | None = None
    swept_at: int | None = None

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Watermark":
        """The watermark as it was written down; a new one from an empty state."""
        descents = {name: Descent(*state[name]) for name in ("descent", "sweep") if state.get(name)}
        return cls(state.get("modified_through"), state.get("floor"), swept_at=state.get("swept_at"), **descents)

    def state(self) -> dict[str, Any]:
        """The watermark for writing down."""
        return {
            "modified_through": self.modified_through,
            "floor": self.floor,
            "descent": self.descent and list(self.descent),
            "sweep": self.sweep and list(self.sweep),
            "swept_at": self.swept_at,
        }

    def opened(self, now: datetime, history_days: int) -> "Watermark":
        """The watermark at the start of a run: the first run, and one with a longer history than before, has a descent to make.

        Whatever is modified while the first descent lasts is found afterwards, since changes are known up to its start only.
        """
        second = int(now.timestamp())
        wanted = second - history_days * DAY_SECONDS
        if self.modified_through is None or self.floor is None:
            return Watermark(second, wanted, Descent(second + 1, wanted))
        if self.descent is None and wanted < self.floor - DAY_SECONDS:
            return replace(self, floor=wanted, descent=Descent(self.floor + 1, wanted))
        return self

    def with_sweep_if_due(self, now: datetime, sweep_days: int) -> "Watermark":
        """The watermark with a sweep to make where the last one is a day ago, and the back-fill is done."""
        second = int(now.timestamp())
        is_due = self.swept_at is None or second - self.swept_at >= DAY_SECONDS
        if self.descent or self.sweep or not is_due:
            return self
        return replace(self, sweep=Descent(second + 1, max(second - sweep_days * DAY_SECONDS, self.floor or 0)))
