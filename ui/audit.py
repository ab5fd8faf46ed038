"""The state behind Audit: who did what, refusals included, and what came of it."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from reports.actions import AUDIT_COLUMNS, audit_data
from storage.views.audit import AuditRow
from ui import reads, tables, watching
from ui import words as w

C = st.column_config
PAGE, MOST_EXPORTED = 100, 10_000


def search() -> tuple[str, int]:
    """What is looked for, and how many rows are shown."""
    text = st.text_input(
        "Search", key="find", bind="query-params", placeholder="Job, person, action or reason", label_visibility="collapsed"
    )
    return text.strip(), int(st.session_state.get("audit-rows", PAGE))


def answer(rows: Sequence[AuditRow], text: str, limit: int) -> str:
    """Who acted last."""
    if not rows:
        return f"Nothing fits “{w.plain(text, 60)}”." if text else "Nobody has done anything yet."
    last = rows[0]
    more = "or more " if len(rows) >= limit else ""
    count = w.count(len(rows), "action")
    return f"**{count}** {more}listed; the last by **{w.plain(last.by, 60)}** {w.ago(last.at, reads.now())}: {_action(last)}."


def show(rows: Sequence[AuditRow]) -> None:
    """The table, with everything about the row that is selected below it."""
    zone = w.zone_named(st.context.timezone)
    frame = pd.DataFrame([_line(row, zone) for row in rows])
    config: dict[str, Any] = {
        "at": C.TextColumn("When", width=110), "by": C.TextColumn("Who", width=120), "action": C.TextColumn("Action", width=90),
        "target": C.TextColumn("On", width=200), "outcome": C.TextColumn("Outcome", width=240), "reason": C.TextColumn("Reason"),
    }  # fmt: skip
    event = st.dataframe(
        frame,
        hide_index=True,
        column_config=config,
        column_order=list(config),
        on_select="rerun",
        selection_mode="single-row",
        key="audit-table",
    )
    selected = event["selection"]["rows"]
    if selected and selected[0] < len(rows):
        _show_one(rows[selected[0]])
    else:
        st.caption("Select a row to see all of it.")


def _line(row: AuditRow, zone: Any) -> dict[str, str]:
    return {
        "at": w.short_clock(row.at, zone, reads.today()),
        "by": w.cell(row.by, 80),
        "action": row.action.replace("_", " "),
        "target": w.cell(_target(row), 120),
        "outcome": w.cell(row.outcome, 200),
        "reason": w.cell(row.reason, 200),
    }


def _target(row: AuditRow) -> str:
    """What it was done to, without the part of an ARN that account and region say already."""
    return ", ".join(part.rpartition("/")[2] if part.startswith("arn:") else part for part in row.target.split(", "))


def _action(row: AuditRow) -> str:
    return f"{row.action.replace('_', ' ')} {w.plain(_target(row), 80)}"


def _show_one(row: AuditRow) -> None:
    facts = {
        "Entry": str(row.audit_id),
        "Who": f"{w.plain(row.by, 120)} ({row.role}, by {row.via})",
        "AWS identity": w.plain(row.caller, 200) if row.caller else None,
        "What": w.plain(f"{row.action.replace('_', ' ')}: {row.target}", 400),
        "Where": w.plain(f"{row.account}, {row.region}") if row.account else None,
        "Team": w.plain(row.team, 60) if row.team else None,
        "Reason": w.plain(row.reason, 400) or "none given",
        "Before": w.plain(json.dumps(row.before), 600) if row.before else None,
        "After": w.plain(json.dumps(row.after), 600) if row.after else None,
    }
    facts |= {f"Event {number}": f"{w.utc(at)}: {w.plain(said, 400)}" for number, (at, said) in enumerate(row.events, 1)}
    frame = pd.DataFrame([{"what": f":gray[{what}]", "value": w.md(value)} for what, value in facts.items() if value is not None])
    st.table(frame, border="horizontal", hide_index=True, hide_header=True)


def show_more(rows: Sequence[AuditRow], limit: int) -> None:
    """The way to older rows."""
    if len(rows) >= limit and st.button("Show older ones"):
        st.session_state["audit-rows"] = limit + PAGE
        st.rerun()


def show_download(text: str) -> None:
    """All that fits, as CSV."""

    def rows() -> list[list[Any]]:
        found = [audit_data(row) for row in watching.audit_rows(MOST_EXPORTED, 0, text)]
        return [[one[name] for name in AUDIT_COLUMNS] for one in found]

    tables.download("Export", AUDIT_COLUMNS, rows, "trainwatch-audit.csv")
