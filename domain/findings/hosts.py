"""What the rules about use have in common: which hosts, over which window, and whether their samples say anything."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from domain.findings.finding import NoVerdict
from domain.findings.series import Series
from domain.findings.situation import GPU, Situation, epoch


class Window(NamedTuple):
    """Hosts by number with their use in percent of capacity, all of which cover the time from `start` to `end` (epoch seconds)."""

    hosts: dict[int, Series]
    start: int
    end: int
    training: int


def window(situation: Situation, rule: str, minutes: int, hosts: tuple[int, ...], metric: str = GPU) -> Window | NoVerdict | None:
    """The last `minutes` of these hosts; None while the job has not trained for so long, NoVerdict where samples are missing."""
    training = situation.training_since
    if training is None or situation.now - training < timedelta(minutes=minutes):
        return None
    why = situation.missing(numbers=hosts, metric=metric)
    if why:
        return NoVerdict(rule, why)
    found = {number: series for number in hosts if (series := situation.percent(number, metric)) is not None}
    if len(found) < len(hosts):
        return NoVerdict(rule, "the capacity of its instance type is not in the catalogue")
    end = situation.newest(list(found.values()))
    if end is None:
        return NoVerdict(rule, "its newest samples are too old")
    end = min(end, epoch(situation.now))
    start = end - minutes * 60
    if start < epoch(training) - 60:
        return None
    if not all(series.covers(start, end) for series in found.values()):
        return NoVerdict(rule, "samples are missing in the window")
    return Window(found, start, end, epoch(training))


def idle_since(found: Window, numbers: Sequence[int], holds: Callable[[int, float], bool]) -> int | None:
    """Since when all of these hosts have been so, up to the newest sample of each; None when one is not any more."""
    began = [found.hosts[number].held_since(partial(holds, number)) for number in numbers]
    if not began or any(start is None for start in began):
        return None
    return max(found.training, *(start for start in began if start is not None))


def gpu_window(situation: Situation, rule: str, minutes: int) -> Window | NoVerdict | None:
    """As `window`, of all hosts with GPUs; None for a job without any."""
    hosts = situation.gpu_hosts()
    if hosts is None:
        return NoVerdict(rule, "the catalogue does not know how many GPUs its instance type has")
    return window(situation, rule, minutes, hosts) if hosts else None
