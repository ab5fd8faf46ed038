"""The state behind Collectors: whether what is shown can be trusted."""

from datetime import timedelta
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from domain.money import NANO
from domain.period import period_named
from storage.views.collection import CallRow, CollectorState, OddityCount, Run
from storage.views.spend import Spend
from ui import places, reads, watching
from ui import words as w
from ui.freshness import LATE_FACTOR, SLACK, Freshness, freshness

C = st.column_config
CALL_DAYS = 30
OUTCOMES = ["ok", "running", "partial", "failed", "abandoned", "late"]
OUTCOME_COLORS = ["green", "blue", "orange", "red", "gray", "orange"]


class State:
    """What Collectors shows; each part is read when it is first asked for, so that it fails alone."""

    def __init__(self) -> None:
        self.now, self.today = reads.now(), reads.today()
        self.month = period_named("month", self.today)

    @cached_property
    def states(self) -> list[CollectorState]:
        """Each collector of each scope, with its newest run."""
        return reads.collector_states()

    @cached_property
    def runs(self) -> list[Run]:
        """The newest runs."""
        return reads.recent_runs()

    @cached_property
    def oddities(self) -> list[OddityCount]:
        """What was unexpected, by kind."""
        return reads.oddity_counts()

    @cached_property
    def calls(self) -> list[CallRow]:
        """Our own calls of the last 30 days."""
        return reads.calls_since(self.today - timedelta(days=CALL_DAYS))

    @cached_property
    def freshness(self) -> Freshness:
        """What the chip says."""
        return freshness(self.states, self.now, reads.current_settings().collect.seconds)

    @cached_property
    def spend(self) -> Spend:
        """The month's spending, for how much of it has a price."""
        return reads.total(self.month)

    @cached_property
    def unpriced(self) -> list[tuple[str, str, Spend]]:
        """Instance types and regions with jobs that have no price this month, most instance time first."""
        found = reads.spend_by(("instance_type", "region"), self.month).items()
        rows = [(key[0], key[1], spend) for key, spend in found if spend.unpriced_jobs]
        return sorted(rows, key=lambda row: -row[2].instance_seconds)

    def outcome(self, one: CollectorState) -> str:
        """How a collector stands: its newest outcome, or that it should have run again long ago."""
        every = reads.current_settings().collect.seconds(one.collector)
        due = one.succeeded_at is not None and self.now - one.succeeded_at > LATE_FACTOR * timedelta(seconds=every) + SLACK
        return "late" if due and one.outcome == "ok" else one.outcome


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
    month, seconds = found.spend, reads.current_settings().collect.jobs_seconds
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
                "outcome": [found.outcome(one)],
                "good": w.ago(one.succeeded_at, found.now),
                "at": w.short_clock(one.succeeded_at, zone, found.today),
                "said": w.cell(one.message),
                "rows": one.rows,
                "calls": one.calls,
            }
            for one in found.states
        ]
    )
    config = {
        "collector": C.TextColumn("Collector", width=80), "where": C.TextColumn("Account and region", width=190),
        "outcome": _outcome_column(), "good": C.TextColumn("Last good", width=100), "at": C.TextColumn("In your zone", width=100),
        "said": C.TextColumn("In words"),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, column_order=list(config))
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
                "started": w.short_clock(run.started_at, zone, found.today),
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
        "started": C.TextColumn("Started", width=96), "collector": C.TextColumn("Collector", width=72),
        "where": C.TextColumn("Account and region", width=180), "outcome": _outcome_column(), "took": C.TextColumn("Took", width=56),
        "rows": C.NumberColumn("Rows", format="localized", width=60), "calls": C.NumberColumn("Calls", width=52),
        "said": C.TextColumn("In words"),
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
        "op": C.TextColumn("Operation", width=200), "calls": C.NumberColumn("Calls", format="localized", width=56),
        "errors": C.NumberColumn("Errors", width=56), "usd": C.NumberColumn("Price", format="$%,.2f", width=60),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="")


def show_untold() -> None:
    """Messages that did not reach their channel lately."""
    found = watching.untold_messages()
    if not found:
        st.caption("Every message of the last days reached its channel, or there are no channels in settings.")
        return
    zone = w.zone_named(st.context.timezone)
    frame = pd.DataFrame(
        [
            {
                "made": w.short_clock(one.made_at, zone, reads.today()),
                "who": w.cell(one.audience, 60),
                "what": w.cell(one.title, 160),
                "tries": one.attempts,
                "why": w.cell(one.problem, 200),
            }
            for one in found
        ]
    )
    config: dict[str, Any] = {
        "made": C.TextColumn("Made", width=96), "who": C.TextColumn("For", width=90), "what": C.TextColumn("Message", width=300),
        "tries": C.NumberColumn("Tries", width=52), "why": C.TextColumn("Why not"),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config)


def show_unpriced(found: State) -> None:
    """What has no price this month, with its instance hours, and the way to the jobs."""
    if not found.unpriced:
        st.caption("Every job of this month has a price." if found.spend.jobs else "No job ran this month.")
        return
    frame = pd.DataFrame([_unpriced_row(*row) for row in found.unpriced])
    config: dict[str, Any] = {
        "kind": C.TextColumn("Instance type", width=132), "region": C.TextColumn("Region", width=100),
        "jobs": C.NumberColumn("Jobs", width=48, help="Without a price"),
        "hours": C.NumberColumn("Instance hours", format="%,.1f", width=100, help="Of all jobs of the type this month"),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="—")
    st.page_link(places.jobs_page(), label="List the jobs without a price", icon=":material/list:", query_params={"price": "Unpriced"})


def _unpriced_row(kind: str, region: str, spend: Spend) -> dict[str, Any]:
    """A row of what has no price; a serverless job has neither instances nor hours of them."""
    known = kind not in ("", "none")
    hours = spend.instance_seconds / 3600 if known else None
    return {"kind": w.cell(kind, 60) if known else "serverless, by tokens", "region": region, "jobs": spend.unpriced_jobs, "hours": hours}


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
