"""The state behind Tuning jobs: what each search cost and reached, and the button that ends one."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from domain.instants import iso
from domain.money import NANO, usd
from storage.views.tuning import ChildRow, TuningRow
from ui import places, reads, stopping, tables, watching
from ui import words as w

C = st.column_config


class State:
    """What Tuning jobs shows for the teams picked."""

    def __init__(self, teams: Sequence[str]) -> None:
        self.teams = tuple(teams)

    @cached_property
    def rows(self) -> list[TuningRow]:
        """Tuning jobs, live ones first."""
        return watching.tuning_rows(self.teams)

    @property
    def live(self) -> list[TuningRow]:
        """Those that still search."""
        return [row for row in self.rows if row.job.is_live]


def answer(found: State) -> str:
    """Whether searches run, and what they have cost."""
    if not found.rows:
        return "No tuning job is in the books."
    cost = sum(row.cost_nusd for row in found.rows)
    if not found.live:
        return f"None is searching now; the last {w.count(len(found.rows), 'tuning job')} cost **{w.usd(cost)}** billed."
    burn = sum(row.burn_nusd for row in found.live)
    return f"**{w.count(len(found.live), 'tuning job')}** searching at **{w.usd(burn)} an hour**; {w.usd(cost)} billed over all listed."


def cards(found: State) -> list[dict[str, Any]]:
    """The few figures that matter."""
    early = sum(row.stopped_early for row in found.rows)
    children = sum(len(row.children) for row in found.rows)
    cost, accruing = sum(row.cost_nusd for row in found.rows), sum(row.accruing_nusd for row in found.rows)
    unpriced = sum(row.unpriced for row in found.rows)
    each = cost // max(1, children - unpriced)
    return [
        {"label": "Searching now", "value": f"{len(found.live):,}", "delta": f"{w.usd(sum(row.burn_nusd for row in found.live))}/h"},
        {
            "label": "Billed", "value": w.usd(cost), "delta": f"{w.usd(accruing, sign=True)} accruing",
            "help": f"All tuning jobs listed, at list price: {w.usd_exact(cost)}.",
        },
        {
            "label": "Trials", "value": f"{children:,}",
            "delta": f"{w.count(unpriced, 'cost')} unknown" if unpriced else f"{w.usd(each)} each",
            "delta_color": "orange" if unpriced else "gray",
        },
        {"label": "Stopped early", "value": f"{early:,}", "delta": f"{w.percent(w.ratio_percent(early, children))} of trials"},
    ]  # fmt: skip


def show_table(found: State) -> TuningRow:
    """The tuning jobs; returns the selected one, else the first."""
    frame = pd.DataFrame([_line(row) for row in found.rows])
    config: dict[str, Any] = {
        "name": C.TextColumn("Tuning job", width=240), "team": tables.team_column(), "status": C.TextColumn("Status", width=84),
        "objective": C.TextColumn("Objective", width=150), "best": C.TextColumn("Best", width=72),
        "trials": C.TextColumn("Trials", width=64),
        "early": C.NumberColumn("Early", width=52, help="Stopped early, with a value reached"),
        "usd": tables.money_column("Billed", width=80), "each": tables.money_column("Per trial", width=80),
        "created": C.TextColumn("Created"),
    }  # fmt: skip
    event = st.dataframe(
        frame, hide_index=True, column_config=config, column_order=list(config), placeholder="—", on_select="rerun",
        selection_mode="single-row", key="tuning-table",
    )  # fmt: skip
    selected = event["selection"]["rows"]
    return found.rows[selected[0]] if selected and selected[0] < len(found.rows) else found.rows[0]


def _line(row: TuningRow) -> dict[str, Any]:
    job, zone = row.job, w.zone_named(st.context.timezone)
    priced = len(row.children) - row.unpriced
    return {
        "name": w.cell(job.name, 80),
        "team": tables.chip(row.team),
        "status": w.cell(job.status, 40),
        "objective": w.cell(_objective(row), 80),
        "best": w.UNKNOWN if job.best_value is None else f"{job.best_value:.4g}",
        "trials": f"{len(row.children)} of {job.most_children}" if job.most_children else f"{len(row.children)}",
        "early": row.stopped_early,
        "usd": usd(row.cost_nusd),
        "each": usd(row.cost_nusd // priced) if priced else None,
        "created": w.short_clock(job.created_at, zone, reads.today()),
    }


def _objective(row: TuningRow) -> str:
    one = row.job.objective
    return "unknown" if one is None else f"{one.metric} {'↓' if one.minimise else '↑'}"


def note(row: TuningRow) -> str:
    """Whose search is shown."""
    return f"{w.plain(row.job.name, 80)}: {row.job.strategy}, {w.plain(_objective(row), 80)}"


def steps(row: TuningRow) -> list[tuple[float, float, float, str]]:
    """Trials in order of their end as (dollars spent by then, value, best by then, name); those with a value and a cost."""
    minimise = row.job.objective is None or row.job.objective.minimise
    spent, best, found = 0, None, []
    for child in sorted(row.children, key=lambda one: one.ended_at or one.created_at):
        spent += child.cost_nusd or child.accruing_nusd or 0
        if child.objective is None:
            continue
        better = best is None or (child.objective < best if minimise else child.objective > best)
        best = child.objective if better else best
        found.append((spent / NANO, child.objective, best or 0.0, child.name))
    return found


def show_children(row: TuningRow) -> None:
    """The trials with their parameters, best first; a click opens the job."""
    minimise = row.job.objective is None or row.job.objective.minimise
    children = sorted(row.children, key=lambda one: _order(one, minimise=minimise))
    zone = w.zone_named(st.context.timezone)
    frame = pd.DataFrame(
        [
            {
                "job": w.cell(child.name, 80),
                "status": w.cell(child.status, 40),
                "value": w.UNKNOWN if child.objective is None else f"{child.objective:.4g}",
                "usd": usd(child.cost_nusd if child.cost_nusd is not None else child.accruing_nusd),
                "parameters": w.cell(", ".join(f"{key}={value}" for key, value in sorted(child.parameters.items())), 300),
                "created": w.short_clock(child.created_at, zone, reads.today()),
            }
            for child in children
        ]
    )
    config = {
        "job": {"label": "Trial", "width": 250}, "status": C.TextColumn("Status", width=84), "value": C.TextColumn("Value", width=72),
        "usd": tables.money_column("Cost", width=72), "parameters": C.TextColumn("Parameters"),
        "created": C.TextColumn("Created", width=100),
    }  # fmt: skip

    def open_row(place: int) -> None:
        child = children[place]
        places.open_job(child.name, row.account, row.region, w.iso_text(child.created_at))

    tables.clickable_table(frame, "job", "trials", open_row, config)


def _order(child: ChildRow, *, minimise: bool) -> tuple[bool, float]:
    value = child.objective
    return value is None, (value or 0.0) * (1 if minimise else -1)


def show_stop(row: TuningRow) -> None:
    """The button that stops a search that still goes on."""
    target = watching.tuning_target(row.job.name, row.account, row.region, iso(row.job.created_at))
    if row.job.is_live and target is not None:
        stopping.show_button(target, None, f"stop-tuner-{row.tuning_id}")
