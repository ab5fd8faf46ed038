"""One job: which it is, its figures, its states, its money, and whose it is."""

from datetime import datetime
from typing import Any, NoReturn

import pandas as pd
import streamlit as st

from domain.instants import iso
from domain.money import NANO, usd
from storage.views.joblist import JobDetail
from ui import console, parts, reads
from ui import words as w
from ui.freshness import show_chip

C = st.column_config
RULES = {
    "tag": "its tags",
    "name": "its name",
    "parent": "its tuning job or pipeline",
    "role": "its role",
    "bucket": "its output bucket",
}
SOURCES = {
    "price_list": "Price List",
    "shipped": "shipped price table, not your account's Price List",
    "override": "a price in settings",
}


def chosen() -> JobDetail:
    """The job of the address. Where the address fits none or several, says so and ends the page."""
    name = st.query_params.get("job", "")
    wanted = {key: st.query_params.get(key, "") for key in ("account", "region", "created")}
    found = [
        detail
        for detail in (reads.jobs_named(name) if name else [])
        if wanted["account"] in ("", detail.row.account)
        and wanted["region"] in ("", detail.row.region)
        and wanted["created"] in ("", iso(detail.row.created_at))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        return _choose(found)
    return _none(name)


def _none(name: str) -> NoReturn:
    parts.header("What is this one?", f"No job named “{w.plain(name, 80)}” is in the books." if name else "No job was chosen.")
    parts.empty("search_off", "No such job", "Find it under Jobs; one that AWS deleted before it was ever collected is not known here.")
    st.stop()


def _choose(found: list[JobDetail]) -> JobDetail:
    zone = w.zone_named(st.context.timezone)
    labels = {f"{detail.row.account} · {detail.row.region} · created {w.clock(detail.row.created_at, zone)}": detail for detail in found}
    st.caption(f"{len(found)} jobs have this name: it lives in several accounts or regions, or was used again.")
    return labels[str(st.selectbox("Which one?", list(labels)))]


def show_title(detail: JobDetail) -> None:
    """The job's name with badges, the answer in a sentence, and the ways on."""
    row = detail.row
    colors = {"Failed": "red", "Completed": "green"}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(w.plain(row.name, 100), anchor=False, width="content")
        st.badge(w.plain(row.status, 40), color=colors.get(row.status, "gray"))  # type: ignore[arg-type] # a literal out of a table
        st.badge(row.capacity.replace("_", " "), color="gray")
        st.space("stretch")
        with st.container(width="content"):
            show_chip()
    st.markdown(f"#### {w.md(answer(detail))}", anchors=False)
    if detail.job.failure_reason:
        st.markdown(f":red[:material/error:] {w.plain(detail.job.failure_reason, 600)}")
    with st.container(horizontal=True, gap="small"):
        st.link_button("Logs", console.logs_url(row.region, row.name), icon=":material/notes:", type="tertiary")
        st.link_button("AWS console", console.job_url(row.region, row.name), icon=":material/open_in_new:", type="tertiary")


def answer(detail: JobDetail) -> str:
    """What the job is doing or did, and what it cost."""
    row, live = detail.row, detail.row.live
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


def cards(detail: JobDetail) -> list[dict[str, Any]]:
    """The few figures that matter for a live, or an ended, job."""
    row, live = detail.row, detail.row.live
    kind = "spot" if row.capacity == "spot" else "not spot"
    waited = f"{w.duration(live.waited_seconds)} waited" if live and row.interruptions else kind
    interruptions = {"label": "Interruptions", "value": f"{row.interruptions}", "delta": waited}
    if live:
        used, accrued = live.limit_used_percent, live.accrual.accruing_nusd
        share = f"{w.percent(100 * live.billable_share)} of list" if row.capacity == "spot" else "list price"
        return [
            {"label": "Accrued", "value": w.usd(accrued), "delta": "estimate", "help": w.usd_exact(accrued)},
            {"label": "Burn", "value": f"{w.usd(live.accrual.burn_nusd_per_hour)}/h", "delta": share},
            {
                "label": "Running", "value": w.duration(live.accrual.seconds),
                "delta": "no limit known" if used is None else f"{w.percent(used)} of {w.duration(row.max_runtime_seconds)}",
            },
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
        {"label": "Trained", "value": w.duration(row.training_seconds), "delta": f"{w.duration(row.billable_seconds)} billed"},
        interruptions,
    ]  # fmt: skip


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
            w.cell(row.status, 30),
            row.start.astimezone(zone),
            (row.end or until).astimezone(zone),
            _html(w.shown(row.message, 120)),
        )
        for row in detail.job.transitions
        if (row.end or until) > row.start
    ]
    return rows, until.astimezone(zone)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def timeline_note(detail: JobDetail) -> str:
    """Where the clock is read."""
    seen = "" if detail.row.ended_at else f", last looked at {w.utc(detail.row.observed_at)}"
    return f"Times in your zone ({w.plain(st.context.timezone or 'UTC')}){seen}"


def timeline_alt(detail: JobDetail) -> str:
    """What the timeline shows, in a sentence."""
    steps = ", ".join(row.status for row in detail.job.transitions)
    return f"Timeline of the job's states: {steps}; {w.count(detail.row.interruptions, 'interruption')}"


def money_note(detail: JobDetail) -> str:
    """What the figures rest on."""
    row = detail.row
    if row.live:
        return "estimate, until it ends"
    source = SOURCES.get(row.price_source or "", "")
    older = "; older than our oldest price, which it took" if row.predates_prices else ""
    return f"billed at list price{f': {source}' if source else ''}{older}"


def show_money(detail: JobDetail) -> None:
    """The parts of the cost, each with what it rests on."""
    row, live = detail.row, detail.row.live
    rates = "; ".join(f"{kind} × {number} at {_rate(rate)}" for kind, number, rate in row.instances) or "no instances"
    if live:
        part, seconds, amount = "Compute, accruing", live.accrual.seconds, live.accrual.accruing_nusd
        lines = [(part, f"{w.duration(seconds)}, {rates}", amount)]
    else:
        lines = [
            (
                "Compute",
                f"{w.duration(row.billable_seconds if row.billable_seconds is not None else row.training_seconds)} billed, {rates}",
                row.compute_nusd,
            ),
            ("ML storage", f"{detail.job.volume_gb} GB × {w.duration(row.training_seconds)}", row.storage_nusd),
            ("Warm pool", f"{w.duration(detail.job.warm_pool_billable_seconds)} kept", row.warm_pool_nusd),
        ]
    if row.plan_covered_nusd or (live and live.accrual.plan_covered_nusd):
        covered = live.accrual.plan_covered_nusd if live else row.plan_covered_nusd
        lines.append(("Covered by training plan", "paid beforehand, at list price", covered))
    if row.effective_nusd is not None and row.effective_nusd != row.cost_nusd:
        lines.append(("Effective", "after the discounts in settings", row.effective_nusd))
    frame = pd.DataFrame([{"part": part, "time": time, "usd": None if amount is None else amount / NANO} for part, time, amount in lines])
    config: dict[str, Any] = {
        "part": C.TextColumn("Part", width=135),
        "usd": C.NumberColumn("Cost", format="$%,.2f", width=85),
        "time": "What",
    }
    st.dataframe(frame, hide_index=True, column_config=config, column_order=list(config), placeholder="unknown")
    if row.basis == "derived":
        bound = "; for spot this is an upper bound" if row.capacity == "spot" else ""
        st.caption(f"AWS sent no billable seconds: whole seconds from start to end stand in{bound}.")


def _rate(rate_nusd: int | None) -> str:
    return "no known price" if rate_nusd is None else f"${usd(rate_nusd):,.4f}/h"


def show_facts(detail: JobDetail) -> None:
    """Whose job it is and by which rule, and what it runs on."""
    row, job, zone = detail.row, detail.job, w.zone_named(st.context.timezone)
    known = "" if row.team_known or row.team_rule == "none" else ", not in settings"
    facts = {
        "Team": f"{w.cell(row.team, 60)}, by {RULES.get(row.team_rule, 'no rule')}{known}",
        "Project": f"{w.cell(row.project, 60)}, by {RULES.get(row.project_rule, 'no rule')}",
        "Model type": w.cell(row.model_type, 60),
        "Tuning job": w.cell(row.tuning_job, 80) if row.tuning_job else None,
        "Pipeline": w.cell(row.pipeline, 80) if row.pipeline else None,
        "Account, region": f"{row.account}, {row.region}",
        "Created": f"{w.clock(row.created_at, zone)} ({w.utc(row.created_at)})",
        "Started": w.clock(row.started_at, zone),
        "Ended": w.clock(row.ended_at, zone),
        "Instances": ", ".join(f"{kind} × {number}" for kind, number, _ in row.instances) or w.UNKNOWN,
        "Time limit": w.duration(job.max_runtime_seconds),
        "Warm pool": w.cell(job.warm_pool_status, 40) if job.warm_pool_status else None,
        "Output": w.cell(job.output_uri, 200),
        "Checkpoints": w.cell(job.checkpoint_uri, 200) if job.checkpoint_uri else "none configured",
    }
    frame = pd.DataFrame([{"what": what, "value": value} for what, value in facts.items() if value is not None])
    config: dict[str, Any] = {"what": C.TextColumn("", width=120), "value": ""}
    st.dataframe(frame, hide_index=True, column_config=config, height="content")


def show_parameters(detail: JobDetail) -> None:
    """Tags, hyperparameters and environment, as names and values."""
    environment = detail.description.get("Environment") or {}
    rows = [("tag", key, value) for key, value in detail.job.tags.items()]
    rows += [("hyperparameter", key, value) for key, value in (detail.description.get("HyperParameters") or {}).items()]
    rows += [("environment", key, "never stored") for key in environment]
    if not rows:
        st.caption("The job has no tags, hyperparameters or environment.")
        return
    frame = pd.DataFrame([{"kind": kind, "name": w.cell(str(key), 120), "value": w.cell(str(value), 400)} for kind, key, value in rows])
    config: dict[str, Any] = {"kind": C.TextColumn("", width=105), "name": C.TextColumn("Name", width=150), "value": "Value"}
    st.dataframe(frame, hide_index=True, column_config=config)


def show_oddities(detail: JobDetail) -> None:
    """What was unexpected in AWS's answer."""
    frame = pd.DataFrame([{"what": note.kind, "where": note.member, "detail": w.cell(note.detail)} for note in detail.oddities])
    st.dataframe(frame, hide_index=True, column_config={"what": "What", "where": "Where", "detail": "Detail"})
