"""The state behind Collectors: whether what is shown can be trusted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from domain.money import NANO
from domain.period import period_named
from storage.views.collection import CallRow, CollectorState, OddityCount, Run
from storage.views.spend import Spend
from ui import reads
from ui import words as w
from ui.freshness import Freshness, freshness

C = st.column_config
CALL_DAYS = 30
OUTCOMES = ["ok", "running", "partial", "failed", "abandoned"]
OUTCOME_COLORS = ["green", "blue", "orange", "red", "gray"]


@dataclass(frozen=True)
class State:
    """What Collectors shows."""

    now: datetime
    states: list[CollectorState]
    runs: list[Run]
    oddities: list[OddityCount]
    calls: list[CallRow]
    freshness: Freshness
    month: Spend


def state() -> State:
    """Everything Collectors shows."""
    now, today = reads.now(), reads.today()
    found = reads.collecting(today - timedelta(days=CALL_DAYS))
    fresh = freshness(found["states"], now, reads.current_settings().collect.jobs_seconds)
    return State(now, found["states"], found["runs"], found["oddities"], found["calls"], fresh, reads.total(period_named("month", today)))


def answer(found: State) -> str:
    """Whether what is shown can be trusted, in a sentence."""
    failed = [one for one in found.states if one.outcome == "failed"]
    if not found.states:
        return "Nothing has been collected yet."
    if failed:
        one = failed[0]
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        where = w.plain(f"{one.collector} of {one.account_name or one.account} {one.region}")
        return f":red[**Not all of it:**] {where} failed{more}; what was collected before stays."
    if found.freshness.level == "late":
        return "**It is late:** the collectors have not finished a run for a while. Are they running?"
    if found.freshness.level == "collecting":
        return "**Not yet:** the first collection is under way, newest jobs first."
    places = len({(one.account, one.region) for one in found.states})
    return f"**Yes:** every collector of {w.count(places, 'account and region', 'accounts and regions')} went well the last time."


def cards(found: State) -> list[dict[str, Any]]:
    """Freshness, calls, their price, and how much of the month has a price."""
    good = min((one.succeeded_at for one in found.states if one.collector == "jobs" and one.succeeded_at), default=None)
    calls, errors = sum(row.calls for row in found.calls), sum(row.errors for row in found.calls)
    month, seconds = found.month, reads.current_settings().collect.jobs_seconds
    return [
        {"label": "Jobs, last good run", "value": w.ago(good, found.now), "delta": f"every {w.duration(seconds)}", "help": w.utc(good)},
        {
            "label": "Our AWS calls", "value": f"{calls:,}", "delta": f"{w.count(errors, 'error')}, 30 days",
            "delta_color": "orange" if errors else "gray",
        },
        {"label": "Their price", "value": w.usd(sum(row.cost_nusd for row in found.calls)), "delta": "list price, 30 days"},
        {
            "label": "Unpriced this month", "value": f"{month.unpriced_jobs:,}", "delta": f"of {w.count(month.jobs, 'job')}",
            "delta_color": "orange" if month.unpriced_jobs else "gray", "help": "Jobs on instance types that no price list we have knows.",
        },
        {"label": "Oddities", "value": f"{len(found.oddities):,}", "delta": "kinds, all time"},
    ]  # fmt: skip


def _outcome_column() -> Any:
    return C.MultiselectColumn("Outcome", options=OUTCOMES, color=OUTCOME_COLORS, width=90)


def show_states(found: State) -> None:
    """Each collector of each scope."""
    zone = w.zone_named(st.context.timezone)
    frame = pd.DataFrame(
        [
            {
                "collector": one.collector,
                "where": f"{one.account_name or one.account} · {one.region}",
                "outcome": [one.outcome],
                "good": w.ago(one.succeeded_at, found.now),
                "at": w.clock(one.succeeded_at, zone),
                "said": w.cell(one.message),
                "rows": one.rows,
                "calls": one.calls,
            }
            for one in found.states
        ]
    )
    config = {
        "collector": C.TextColumn("Collector", width=80), "where": C.TextColumn("Account and region", width=190),
        "outcome": _outcome_column(), "good": C.TextColumn("Last good", width=100), "at": C.TextColumn("In your zone", width=140),
        "said": C.TextColumn("In words", width=420), "rows": C.NumberColumn("Rows", format="localized", width=70),
        "calls": C.NumberColumn("Calls", width=60),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config)
    for one in found.states:
        if one.outcome in ("failed", "partial"):
            color = "red" if one.outcome == "failed" else "orange"
            st.markdown(f":{color}[:material/error:] **{one.collector}** {w.plain(one.message, 800)}")


def show_runs(found: State) -> None:
    """The newest runs, whole."""
    zone = w.zone_named(st.context.timezone)
    frame = pd.DataFrame(
        [
            {
                "started": w.clock(run.started_at, zone),
                "collector": run.collector,
                "where": f"{run.account_name or run.account} · {run.region}",
                "outcome": [run.outcome],
                "took": w.duration((run.finished_at - run.started_at).total_seconds()) if run.finished_at else "under way",
                "rows": run.rows,
                "calls": run.calls,
                "said": w.cell(run.message),
            }
            for run in found.runs
        ]
    )
    config = {
        "started": C.TextColumn("Started", width=130), "collector": C.TextColumn("Collector", width=80),
        "where": C.TextColumn("Account and region", width=170), "outcome": _outcome_column(), "took": C.TextColumn("Took", width=60),
        "rows": C.NumberColumn("Rows", format="localized", width=70), "calls": C.NumberColumn("Calls", width=60),
        "said": C.TextColumn("In words", width=420),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config)


def show_calls(found: State) -> None:
    """Our calls by operation."""
    frame = pd.DataFrame(
        [{"op": row.operation, "calls": row.calls, "errors": row.errors or None, "usd": row.cost_nusd / NANO} for row in found.calls]
    )
    if frame.empty:
        st.caption("No call yet.")
        return
    config: dict[str, Any] = {
        "op": "Operation", "calls": C.NumberColumn("Calls", format="localized", width=80), "errors": C.NumberColumn("Errors", width=70),
        "usd": C.NumberColumn("Price", format="$%,.2f", width=80),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="")


def show_oddities(found: State) -> None:
    """What was unexpected, by kind, with an example of each."""
    if not found.oddities:
        st.caption("Nothing was unexpected so far.")
        return
    frame = pd.DataFrame(
        [
            {
                "what": one.kind,
                "where": one.member,
                "jobs": one.jobs,
                "detail": w.cell(one.example_detail, 120),
                "job": w.cell(one.example_job, 80),
            }
            for one in found.oddities
        ]
    )
    config: dict[str, Any] = {
        "what": C.TextColumn("What", width=120), "where": C.TextColumn("Where", width=130), "jobs": C.NumberColumn("Jobs", width=55),
        "detail": C.TextColumn("For example", width=180), "job": "In job",
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config)
