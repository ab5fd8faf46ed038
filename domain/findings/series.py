"""A metric over time, and what can be said of a stretch of it when samples may be missing, late or not a number."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from statistics import median

GAP_SECONDS = 600  # CloudWatch has one sample a minute; more than ten in a row missing, and nobody knows what happened meanwhile
LATE_SECONDS = 900  # the newest samples arrive some minutes late


@dataclass(frozen=True, slots=True)
class Series:
    """Samples in order of time, each instant once: epoch seconds and values in CloudWatch's own units."""

    times: Sequence[int]
    values: Sequence[float]

    @property
    def last(self) -> int | None:
        """When the newest sample is from."""
        return self.times[-1] if self.times else None

    def between(self, start: int, end: int) -> Sequence[float]:
        """The values from `start` up to and with `end`."""
        return self.values[bisect_left(self.times, start) : bisect_right(self.times, end)]

    def covers(self, start: int, end: int) -> bool:
        """Whether samples reach from `start` to `end` without a gap of more than ten minutes."""
        inside = self.times[bisect_left(self.times, start) : bisect_right(self.times, end)]
        if not inside:
            return False
        edges = [start, *inside, end]
        return all(after - before <= GAP_SECONDS for before, after in pairwise(edges))

    def held_since(self, holds: Callable[[float], bool], gap: int | None = GAP_SECONDS) -> int | None:
        """Since when every value up to the newest has been so, without a gap; None when the newest is not."""
        since: int | None = None
        for time, value in self._backwards():
            if not holds(value) or (since is not None and gap is not None and since - time > gap):
                break
            since = time
        return since

    def middle(self, start: int, end: int) -> float | None:
        """The median of the values between; None where there are fewer than three finite ones."""
        values = [value for value in self.between(start, end) if isfinite(value)]
        return median(values) if len(values) >= 3 else None

    def _backwards(self) -> Iterator[tuple[int, float]]:
        return zip(reversed(self.times), reversed(self.values), strict=True)


NOTHING = Series((), ())
