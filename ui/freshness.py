"""How old what is shown is, and whether it can be trusted: grey, amber when a collector is late, red when it failed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from storage.views.collection import CollectorState
from ui.words import ago, plain, utc

LATE_FACTOR = 3
SLACK = timedelta(minutes=1)
Level = Literal["fresh", "late", "failed", "never", "collecting"]
LOOK: dict[Level, tuple[str, str]] = {
    "fresh": ("gray", ":material/check_circle:"),
    "late": ("orange", ":material/schedule:"),
    "failed": ("red", ":material/sync_problem:"),
    "never": ("gray", ":material/hourglass_empty:"),
    "collecting": ("gray", ":material/sync:"),
}


class Freshness(NamedTuple):
    """The state of what is shown: its level, a few words for the chip, the details behind it, and why it failed (Markdown)."""

    level: Level
    words: str
    details: str
    reason: str = ""


SEEN_BY = ("metrics", "logs", "checkpoints", "tuning")  # the collectors beside that of jobs on which findings rest


def freshness(states: Sequence[CollectorState], now: datetime, seconds: Callable[[str], int]) -> Freshness:
    """How fresh the jobs, and what findings rest on, are over all scopes: the worst one speaks. `seconds` is how often each runs."""
    jobs = [state for state in states if state.collector == "jobs"]
    if not jobs:
        return Freshness("never", "Nothing collected yet", "The collectors have not run; `trainwatch collect` starts them.")
    details = "  \n".join(_line(state, now) for state in states)
    failed = [state for state in jobs if state.outcome == "failed"]
    if failed:
        since = failed[0].succeeded_at
        words = f"Failed; data of {ago(since, now)}" if since else "Failed; no data yet"
        return Freshness("failed", words, details, plain(failed[0].message, 300))
    if all(state.succeeded_at is None for state in jobs):
        progress = f": {jobs[0].message}" if jobs[0].message else ""
        return Freshness("collecting", f"Collecting{plain(progress, 40)}", details)
    oldest = min((state.succeeded_at for state in jobs if state.succeeded_at), default=None)
    late = oldest is None or _is_late(oldest, now, seconds("jobs"))
    others = [state.collector for state in states if state.outcome == "failed"]
    if others and not late:
        return Freshness("late", f"{others[0].capitalize()} failed; jobs {ago(oldest, now)}", details)
    for state in states if not late else ():
        if state.collector in SEEN_BY and state.succeeded_at and _is_late(state.succeeded_at, now, seconds(state.collector)):
            return Freshness("late", f"{state.collector.capitalize()} of {ago(state.succeeded_at, now)}; jobs {ago(oldest, now)}", details)
    return Freshness("late" if late else "fresh", f"Updated {ago(oldest, now)}", details)


def _is_late(at: datetime, now: datetime, seconds: int) -> bool:
    return now - at > LATE_FACTOR * timedelta(seconds=seconds) + SLACK


def _line(state: CollectorState, now: datetime) -> str:
    where = plain(f"{state.account_name or state.account} {state.region}")
    said = f": {plain(state.message, 200)}" if state.outcome in ("failed", "partial") else ""
    return f"**{state.collector}** {where}: {state.outcome}, last good {ago(state.succeeded_at, now)} ({utc(state.succeeded_at)}){said}"
