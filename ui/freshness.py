"""How old what is shown is, and whether it can be trusted: grey, amber when a collector is late, red when it failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import streamlit as st

from storage.views.collection import CollectorState
from ui import reads
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
    """The state of what is shown: its level, a few words for the chip, and the details behind it."""

    level: Level
    words: str
    details: str


def freshness(states: Sequence[CollectorState], now: datetime, jobs_seconds: int) -> Freshness:
    """How fresh the jobs are over all scopes: the worst one speaks."""
    jobs = [state for state in states if state.collector == "jobs"]
    if not jobs:
        return Freshness("never", "Nothing collected yet", "The collectors have not run; `trainwatch collect` starts them.")
    details = "  \n".join(_line(state, now) for state in states)
    failed = [state for state in jobs if state.outcome == "failed"]
    if failed:
        return Freshness("failed", f"Failed; data of {ago(failed[0].succeeded_at, now)}", details)
    if all(state.succeeded_at is None for state in jobs):
        progress = f": {jobs[0].message}" if jobs[0].message else ""
        return Freshness("collecting", f"Collecting{plain(progress, 40)}", details)
    oldest = min((state.succeeded_at for state in jobs if state.succeeded_at), default=None)
    late = oldest is None or now - oldest > LATE_FACTOR * timedelta(seconds=jobs_seconds) + SLACK
    return Freshness("late" if late else "fresh", f"Updated {ago(oldest, now)}", details)


def _line(state: CollectorState, now: datetime) -> str:
    where = plain(f"{state.account_name or state.account} {state.region}")
    said = f": {plain(state.message, 200)}" if state.outcome in ("failed", "partial") else ""
    return f"**{state.collector}** {where}: {state.outcome}, last good {ago(state.succeeded_at, now)} ({utc(state.succeeded_at)}){said}"


@st.fragment(run_every="20s")
def show_chip() -> None:
    """The chip at the top right; it looks again by itself, at our database alone."""
    found = freshness(reads.collector_states(), reads.now(), reads.current_settings().collect.jobs_seconds)
    color, icon = LOOK[found.level]
    st.badge(found.words, icon=icon, color=color, help=found.details)  # type: ignore[arg-type] # a literal out of a table
