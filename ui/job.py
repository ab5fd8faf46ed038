"""One job: which it is, its figures, its states, its money, and whose it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

import pandas as pd
import streamlit as st

from domain.checkpoint import checkpoint_state, cost_of, own_newest, risk_seconds
from domain.instants import iso
from domain.money import usd
from domain.stopping import StopTarget
from storage.views.findings import FindingRow
from storage.views.joblist import JobDetail, JobRow
from ui import jobwatch, parts, places, reads, tables
from ui import words as w

C = st.column_config
SHORT_REASON = 160
QUESTION = "What is this one?"


def chosen() -> JobDetail:
    """The job of the address. Where the address fits none or several, says so and ends the page."""
    name = st.query_params.get("job", "")
    wanted = {key: st.query_params.get(key, "") for key in ("account", "region", "created")}
    found: list[JobDetail] | None = None
    with parts.guarded("the look for the job"):
        found = [
            detail
            for detail in (reads.jobs_named(name) if name else [])
            if wanted["account"] in ("", detail.row.account)
            and wanted["region"] in ("", detail.row.region)
            and wanted["created"] in ("", iso(detail.row.created_at))
        ]
    if found is None:
        parts.header(QUESTION, lambda: "The database did not answer.")
        st.stop()
    if len(found) == 1:
        return found[0]
    return _choose(found) if found else _none(name)


def _none(name: str) -> NoReturn:
    words = f"No job named “{w.plain(name, 80)}” is in the books." if name else "No job was chosen."
    parts.header(QUESTION, lambda: words)
    parts.empty("search_off", "No such job", "Find it under Jobs; one that AWS deleted before it was ever collected is not known here.")
    st.stop()


def _choose(found: Sequence[JobDetail]) -> NoReturn:
    """Lists the jobs of one name; each opens under an address of its own."""
    zone, rows = w.zone_named(st.context.timezone), [detail.row for detail in found]
    parts.header("Which of these?", lambda: f"**{len(found)} jobs** have this name: it lives in several places, or was used again.")
    frame = pd.DataFrame(
        {
            "job": [w.cell(row.name) for row in rows],
            "created": [f"{w.clock(row.created_at, zone)} ({w.utc(row.created_at)})" for row in rows],
            "place": [f"{row.account} · {row.region}" for row in rows],
            "status": [w.cell(row.status, 40) for row in rows],
            "billed": [usd(row.cost_nusd) for row in rows],
        }
    )
    config = {
        "job": {"label": "Job", "width": 300},
        "created": C.TextColumn("Created"),
        "place": C.TextColumn("Account and region"),
        "status": C.TextColumn("Status", width=90),
        "billed": tables.money_column("Billed"),
    }

    def open_row(place: int) -> None:
        places.open_job(rows[place].name, rows[place].account, rows[place].region, iso(rows[place].created_at) or "")

    tables.clickable_table(frame, "job", "same_name", open_row, config)
    st.stop()


def show_title(detail: JobDetail, findings: Sequence[FindingRow] = (), target: StopTarget | None = None) -> None:
    """The job's name with badges, the answer in a sentence, and the ways on."""
    row = detail.row
    colors = {"Failed": "red", "Completed": "green"}
    status = (row.secondary_status or row.status) if row.live else row.status
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(w.plain(row.name, 100), anchor=False, width="content")
        jobwatch.show_badges(findings)
        st.badge(w.plain(status, 40), color=colors.get(status, "gray"))  # type: ignore[arg-type] # a literal out of a table
        st.badge(row.capacity.replace("_", " "), color="gray")
        st.space("stretch")
        parts.show_chip()
    st.markdown(f"#### {w.md(answer(detail, findings, target))}", anchors=False)
    parts.show_reason()
    show_failure(detail)


def show_failure(detail: JobDetail) -> None:
    """Why the job failed, in AWS's words; long ones whole, as they were written, behind their beginning."""
    reason = detail.job.failure_reason
    if not reason:
        return
    st.markdown(f":red[:material/error:] {w.plain(reason, SHORT_REASON)}")
    if len(reason) > SHORT_REASON or "\n" in reason:
        with st.expander("All of it"):
            st.code(w.block(reason), language=None, wrap_lines=True)


def answer(detail: JobDetail, findings: Sequence[FindingRow] = (), target: StopTarget | None = None) -> str:
    """What the job is doing or did, and what it cost; what is wrong with it comes first."""
    row, live = detail.row, detail.row.live
    worst = findings[0] if findings else None
    if live and worst is not None and worst.severity == "critical" and live.accrual.burn_nusd_per_hour:
        wasted = "" if worst.wasted_nusd is None else f"; **{w.usd(worst.wasted_nusd)}** wasted so far"
        lost = (
            "" if target is None else f". Stopping now loses **{w.usd(target.work_lost_nusd)}** of work: {w.plain(target.work_lost, 120)}"
        )
        return f"{w.plain(worst.evidence.rstrip('.'), 160)}, at **{w.usd(live.accrual.burn_nusd_per_hour)}/h**{wasted}{lost}."
    if live:
        if live.started_at is None:
            return "Waits for instances: nothing is billed before they start."
        burn, accrued = w.usd(live.accrual.burn_nusd_per_hour), w.usd(live.accrual.accruing_nusd)
        if live.accrual.burn_nusd_per_hour is None:
            return f"Running for **{w.duration(live.accrual.seconds)}**; what it costs is unknown, no price for its instances."
        return f"Running for **{w.duration(live.accrual.seconds)}** at **{burn}/h**; **{accrued}** accrued, an estimate."
    if row.gone_at and row.status == "Gone":
        return f"AWS no longer lists it; **{w.usd(row.cost_nusd)}** until it was last seen running."
    if row.basis == "unpriced":
        return "Ended; what it cost is unknown: there is no price for its instances."
    if row.started_at is None:
        return f"{row.status} without ever starting: it cost nothing."
    return f"{row.status} after **{w.duration(row.training_seconds)}**, **{w.usd(row.cost_nusd)}** billed at list price."


def cards(detail: JobDetail, target: StopTarget | None = None) -> list[dict[str, Any]]:
    """The few figures that matter for a live, or an ended, job; `target` is what stopping it would mean."""
    row, live = detail.row, detail.row.live
    kind = "spot" if row.capacity == "spot" else "not spot"
    waited = f"{w.duration(live.waited_seconds)} waited" if live and row.interruptions else kind
    interruptions = {"label": "Interruptions", "value": f"{row.interruptions}", "delta": waited}
    if live:
        used, accrued = live.limit_used_percent, live.accrual.accruing_nusd
        share = f"{w.percent(100 * live.billable_share)} of list" if row.capacity == "spot" else "list price"
        return [
            {"label": "Accrued", "value": w.usd(accrued), "delta": "estimate", "help": w.usd_exact(accrued)},
            {"label": "Burn", "value": _per_hour(live.accrual.burn_nusd_per_hour), "delta": share} | _if_left(target),
            {
                "label": "Running", "value": w.duration(live.accrual.seconds),
                "delta": "no limit known" if used is None else f"{w.percent(used)} of {w.duration(row.max_runtime_seconds)}",
            },
            *_checkpoint_card(detail),
            interruptions,
        ]  # fmt: skip
    listed = (row.compute_nusd or 0) + (row.spot_savings_nusd or 0)
    saved = w.percent(w.ratio_percent(row.spot_savings_nusd or 0, listed))
    return [
        {"label": "Billed", "value": w.usd(row.cost_nusd), "delta": _basis(detail), "help": w.usd_exact(row.cost_nusd)},
        {
            "label": "Saved by spot", "value": w.usd(row.spot_savings_nusd),
            "delta": f"{saved} of list price" if row.spot_savings_nusd else "list price",
        },
        {"label": "Trained", "value": w.duration(row.training_seconds), "delta": _billed_time(row)},
        interruptions,
    ]  # fmt: skip


def _if_left(target: StopTarget | None) -> dict[str, Any]:
    """What it costs at most if nobody stops it, as part of a card."""
    if target is None or target.avoided_nusd is None:
        return {}
    return {"delta": f"≤ {w.usd(target.avoided_nusd)} if left", "help": w.md(f"At most: {target.avoided}")}


def _checkpoint_card(detail: JobDetail) -> list[dict[str, Any]]:
    """When the job last saved, and what would be lost now; nothing for a job that needs no checkpoints."""
    state = checkpoint_state(detail.job, detail.ran, detail.checkpoint)
    if state == "not_needed":
        return []
    newest = own_newest(detail.job, detail.checkpoint) if detail.checkpoint else None
    seconds = risk_seconds(detail.job, detail.ran, detail.checkpoint)
    share = detail.row.live.billable_share if detail.row.live else 1.0
    rate = None if detail.row.list_rate_nusd is None else round(detail.row.list_rate_nusd * share)
    risk = cost_of(seconds, rate)
    value = w.ago(newest, reads.now()) if newest else {"unknown": w.UNKNOWN, "not_configured": "None"}.get(state, "Never")
    at_risk = "risk unknown" if risk is None else f"{w.usd(risk)} at risk"
    why = detail.checkpoint.problem if detail.checkpoint else ""
    words = f"State: {state.replace('_', ' ')}. {w.plain(why, 200)}"
    return [
        {"label": "Last checkpoint", "value": value, "delta": at_risk, "delta_color": "gray" if state == "fresh" else "red", "help": words}
    ]


def saves(detail: JobDetail) -> list[datetime]:
    """The job's own saves that we have seen, in the viewer's zone."""
    zone, started = w.zone_named(st.context.timezone), detail.job.started_at
    known = detail.checkpoint.saves if detail.checkpoint else ()
    return [save.astimezone(zone).replace(tzinfo=None) for save in known if started is not None and save >= started]


def _per_hour(burn_nusd: int | None) -> str:
    return w.UNKNOWN if burn_nusd is None else f"{w.usd(burn_nusd)}/h"


def _billed_time(row: JobRow) -> str:
    return "billed time unknown" if row.billable_seconds is None else f"{w.duration(row.billable_seconds)} billed"


def _basis(detail: JobDetail) -> str:
    words = {"final": "AWS's seconds", "derived": "from its stamps", "unpriced": "no price known"}
    if detail.row.basis == "derived" and detail.row.capacity == "spot":
        return "upper bound"
    return words.get(detail.row.basis, detail.row.basis)


def spans(detail: JobDetail) -> tuple[list[tuple[str, datetime, datetime, str]], datetime]:
    """The job's states as (status, start, end, message) in the viewer's zone, and when the clock ends."""
    zone = w.zone_named(st.context.timezone)
    until = detail.row.ended_at or detail.row.observed_at
    rows = [
        (
            w.html(w.shown(row.status, 30)),
            row.start.astimezone(zone),
            (row.end or until).astimezone(zone),
            w.html(w.shown(row.message, 120)),
        )
        for row in detail.job.transitions
        if (row.end or until) > row.start
    ]
    return rows, until.astimezone(zone)


def timeline_note(detail: JobDetail) -> str:
    """Where the clock is read."""
    seen = "" if detail.row.ended_at else f", last looked at {w.utc(detail.row.observed_at)}"
    return f"Times in your zone ({w.plain(st.context.timezone or 'UTC')}){seen}"


def timeline_alt(detail: JobDetail) -> str:
    """What the timeline shows, in a sentence."""
    steps = ", ".join(row.status for row in detail.job.transitions)
    return f"Timeline of the job's states: {steps}; {w.count(detail.row.interruptions, 'interruption')}"
