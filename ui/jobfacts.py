"""What is known of one job: its money, whose it is, its settings, and what was odd."""

from typing import Any

import pandas as pd
import streamlit as st

from domain.money import usd
from storage.views.joblist import JobDetail
from ui import words as w

C = st.column_config
MOST_ROWS, MOST_HEIGHT = 16, 480
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
    if live:
        lines = [("Compute, accruing", w.duration(live.accrual.seconds), live.accrual.accruing_nusd)]
    else:
        seconds = row.billable_seconds if row.billable_seconds is not None else row.training_seconds
        lines = [("Compute", f"{w.duration(seconds)} billed", row.compute_nusd)]
        lines.append(("ML storage", f"{detail.job.volume_gb} GB × {w.duration(row.training_seconds)}", row.storage_nusd))
        if detail.job.warm_pool_status:
            lines.append(("Warm pool", f"{w.duration(detail.job.warm_pool_billable_seconds)} kept", row.warm_pool_nusd))
    if row.plan_covered_nusd or (live and live.accrual.plan_covered_nusd):
        lines.append(("Covered by plan", "paid beforehand", live.accrual.plan_covered_nusd if live else row.plan_covered_nusd))
    if row.effective_nusd is not None and row.effective_nusd != row.cost_nusd:
        lines.append(("Effective", "after discounts", row.effective_nusd))
    frame = pd.DataFrame([{"part": part, "time": time, "usd": usd(amount)} for part, time, amount in lines])
    config: dict[str, Any] = {
        "part": C.TextColumn("Part", width=140), "time": C.TextColumn("Time", width=160),
        "usd": C.NumberColumn("Cost", format="$%,.2f", width=90),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, column_order=list(config), placeholder="unknown")
    for kind, number, rate in row.instances:
        st.caption(w.md(f"{w.plain(kind)} × {number} at {_rate(rate)}"))
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
        "Team": f"{w.plain(row.team, 60)}, by {RULES.get(row.team_rule, 'no rule')}{known}",
        "Project": f"{w.plain(row.project, 60)}, by {RULES.get(row.project_rule, 'no rule')}",
        "Model type": w.plain(row.model_type, 60),
        "Tuning job": w.plain(row.tuning_job, 80) if row.tuning_job else None,
        "Pipeline": w.plain(row.pipeline, 80) if row.pipeline else None,
        "Account, region": w.plain(f"{row.account}, {row.region}"),
        "Created": f"{w.clock(row.created_at, zone)} ({w.utc(row.created_at)})",
        "Started": w.clock(row.started_at, zone),
        "Ended": "still running" if row.live else w.clock(row.ended_at, zone),
        "Instances": w.plain(", ".join(f"{kind} × {number}" for kind, number, _ in row.instances)) or w.UNKNOWN,
        "Time limit": w.duration(job.max_runtime_seconds),
        "Warm pool": w.plain(job.warm_pool_status, 40) if job.warm_pool_status else None,
        "Output": w.plain(job.output_uri, 200),
        "Checkpoints": w.plain(job.checkpoint_uri, 200) if job.checkpoint_uri else "none configured",
    }
    # This kind of table wraps, and reads Markdown: every value of AWS's is defused above.
    frame = pd.DataFrame([{"what": f":gray[{what}]", "value": w.md(value)} for what, value in facts.items() if value is not None])
    st.table(frame, border="horizontal", hide_index=True, hide_header=True)


def show_parameters(detail: JobDetail) -> None:
    """Tags, hyperparameters and environment, as names and values."""
    environment = detail.description.get("Environment") or {}
    rows = [("tag", key, value) for key, value in detail.job.tags.items()]
    rows += [("hyperparameter", key, value) for key, value in (detail.description.get("HyperParameters") or {}).items()]
    rows += [("environment", key, "never stored") for key in environment]
    if not rows:
        st.caption("The job has no tags, hyperparameters or environment.")
        return
    # Markdown again, and wraps: names and values are often longer than a column.
    frame = pd.DataFrame(
        [{"name": f"{w.plain(str(key), 120)} :gray[{kind}]", "value": w.plain(str(value), 400)} for kind, key, value in rows]
    )
    st.table(frame, border="horizontal", hide_index=True, hide_header=True, height=MOST_HEIGHT if len(rows) > MOST_ROWS else "content")


def show_oddities(detail: JobDetail) -> None:
    """What was unexpected in AWS's answer."""
    frame = pd.DataFrame([{"what": note.kind, "where": note.member, "detail": w.cell(note.detail)} for note in detail.oddities])
    st.dataframe(frame, hide_index=True, column_config={"what": "What", "where": "Where", "detail": "Detail"})
