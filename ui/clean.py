"""The state behind Clean: what lies around and what it costs, plans, and what became of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from actions.cleaning import EXPIRES_AFTER
from actions.planning import make_plan
from domain.access import may_act
from domain.money import usd
from domain.text import storable
from reports.cleaning import ITEM_COLUMNS, OBJECT_COLUMNS, item_data, object_data
from storage.cleaning import PlanHead, PlannedItem, Tally
from storage.leftover_months import LeftoverMonth
from ui import cleanruns, parts, reads, stopping, tables, watching
from ui import words as w
from ui.viewer import viewer

C = st.column_config
KINDS = {
    "intermediates": "Intermediates", "debugger": "Debugger output", "profiler": "Profiler output", "tensorboard": "TensorBoard",
    "checkpoints": "Checkpoints", "uploads": "Unfinished uploads", "artifacts": "Models (never cleaned)",
}  # fmt: skip
MOST_OBJECTS = 2000


class State:
    """What Clean shows for the teams picked; each part is read when it is first asked for, so that it fails alone."""

    def __init__(self, teams: Sequence[str]) -> None:
        self.teams, self.now = tuple(teams), reads.now()

    @cached_property
    def costs(self) -> list[LeftoverMonth]:
        """What is kept, by team, kind, region and storage class, with its cost a month."""
        return [one for one in watching.leftover_costs() if not self.teams or one.team in self.teams]

    @property
    def leftovers(self) -> list[LeftoverMonth]:
        """Those that could ever go: models never do."""
        return [one for one in self.costs if one.kind != "artifacts"]

    @cached_property
    def plans(self) -> list[PlanHead]:
        """The newest plans."""
        return watching.clean_plans()

    @cached_property
    def month_ago_nusd(self) -> int | None:
        """What leftovers cost a month four weeks ago; None where nobody looked then."""
        return watching.leftovers_before(self.teams)


def monthly(costs: Sequence[LeftoverMonth]) -> int:
    """Nano-dollars a month of those whose price is known."""
    return sum(one.nusd_per_month for one in costs)


def answer(found: State) -> str:
    """What is kept for nothing, in a sentence."""
    if not found.costs:
        return "No inventory of the buckets yet; the collectors make one every few hours."
    size = sum(one.bytes for one in found.leftovers)
    return f"Leftovers of training take **{w.size(size)}**, **{w.usd(monthly(found.leftovers))} a month**; a plan says what of it may go."


def cards(found: State) -> list[dict[str, Any]]:
    """The few figures that matter."""
    left, models = found.leftovers, [one for one in found.costs if one.kind == "artifacts"]
    by_team: dict[str, int] = {}
    for one in left:
        by_team[one.team] = by_team.get(one.team, 0) + one.nusd_per_month
    largest = max(by_team, key=lambda team: by_team[team], default=None)
    unpriced = sum(one.unpriced_bytes for one in left)
    before, now = found.month_ago_nusd, monthly(left)
    growth = "no inventory then" if before is None else f"{w.usd(now - before, sign=True)} in 4 weeks"
    return [
        {
            "label": "Leftovers, a month", "value": w.usd(now), "delta": growth,
            "help": f"S3 list price of the bucket's region and class: {w.usd_exact(now)}. {w.size(unpriced)} without a known price.",
        },
        {"label": "Objects", "value": w.short(sum(one.objects for one in left)), "delta": w.size(sum(one.bytes for one in left))},
        {
            "label": "Largest", "value": w.UNKNOWN if largest is None else w.shown(largest, 18),
            "delta": "nothing" if largest is None else f"{w.usd(by_team[largest])} a month",
        },
        {"label": "Models, a month", "value": w.usd(monthly(models)), "delta": "never cleaned"},
    ]  # fmt: skip


def show_costs(found: State) -> None:
    """What is kept, by team and kind."""
    frame = pd.DataFrame(
        [
            {
                "team": tables.chip(one.team),
                "kind": KINDS.get(one.kind, one.kind),
                "objects": one.objects,
                "bytes": w.size(one.bytes),
                "usd": usd(one.nusd_per_month),
            }
            for one in found.costs
        ]
    )
    if frame.empty:
        st.caption("Nothing was found, or nobody has looked yet.")
        return
    config: dict[str, Any] = {
        "team": tables.team_column(), "kind": C.TextColumn("Kind", width=180),
        "objects": C.NumberColumn("Objects", format="localized", width=90),
        "bytes": C.TextColumn("Size", width=90), "usd": tables.money_column("A month", width=90),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config)


def show_buckets() -> None:
    """Buckets that cannot be looked into, or from which nothing can be brought back."""
    for one in watching.buckets():
        if one.problem:
            st.caption(f":orange[:material/warning:] {w.plain(one.name)}: {w.plain(one.problem, 300)}")
        elif one.object_lock:
            st.caption(f":gray[:material/lock:] {w.plain(one.name)}: objects are locked, and are never cleaned")
        elif one.versioning == "suspended":
            st.caption(f":gray[:material/history:] {w.plain(one.name)}: versioning is suspended, so that nothing can be brought back")


def plan_maker(found: State) -> None:
    """Makes a plan of the teams picked: a look at facts and buckets that changes nothing."""
    with st.popover("Make a plan", icon=":material/playlist_add:"):
        least = reads.current_settings().clean.min_age_days
        days = int(st.number_input("Days since a job's end", min_value=least, value=least, key="clean-days"))
        later = st.toggle("Quarantine", key="clean-later", help="Tag the objects; a lifecycle rule of yours deletes them later")
        st.caption(f"For {', '.join(found.teams) or 'all teams'}. Nothing is deleted by making a plan.")
        if st.button("Make it", key="clean-make", type="primary"):
            with parts.guarded("the plan"), st.spinner("Listing what may go…"):
                _make(found, days, "quarantine" if later else "delete")


def _make(found: State, days: int, mode: str) -> None:
    plan_id = make_plan(reads.engine(), reads.current_settings(), stopping.reach(), viewer(), reads.now(), found.teams, days, mode)
    st.query_params["plan"] = str(plan_id)
    st.rerun()


def chosen(found: State) -> PlanHead | None:
    """The plan of the address, else the newest."""
    wanted = st.query_params.get("plan", "")
    return next((one for one in found.plans if str(one.plan_id) == wanted), found.plans[0] if found.plans else None)


def pick(found: State, head: PlanHead) -> None:
    """Another plan."""
    labels = {
        f"Plan {one.plan_id}, {one.state}, {w.ago(one.created_at, found.now)} by {w.shown(one.by, 40)}": one.plan_id for one in found.plans
    }
    here = next(label for label, plan_id in labels.items() if plan_id == head.plan_id)
    label = st.selectbox("Plan", list(labels), index=list(labels).index(here), label_visibility="collapsed", width=420)
    if labels[label] != head.plan_id:
        st.query_params["plan"] = str(labels[label])
        st.rerun()


def plan_words(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally], now: datetime) -> str:
    """What a plan would do, or has done."""
    total = sum(one.item.objects for one in items)
    size, cost = sum(one.item.bytes for one in items), sum(one.nusd_per_month or 0 for one in items)
    if head.state in ("planned", "applying") and now - head.created_at > EXPIRES_AFTER:
        return f"Plan {head.plan_id} is older than a day: the world may have changed. Make a new one."
    what = "tag" if head.mode == "quarantine" else "delete"
    done = {state: tally.objects for state, tally in found.items() if state not in ("planned",)}
    if not done:
        return f"Plan {head.plan_id} would {what} **{total:,} objects**, {w.size(size)}, **{w.usd(cost)} a month**; nothing is changed yet."
    words = ", ".join(f"{count:,} {state}" for state, count in sorted(done.items()))
    left = found.get("planned", Tally(0, 0)).objects
    return f"Plan {head.plan_id}: {words}{f', **{left:,} left**' if left else ''}."


def show_items(head: PlanHead, items: Sequence[PlannedItem]) -> PlannedItem | None:
    """What a plan takes, prefix by prefix; returns the one that is selected."""
    if not items:
        st.caption("Nothing may go. What is kept, and why, stands below.")
        return None
    frame = pd.DataFrame(
        [
            {
                "team": tables.chip(one.item.team),
                "kind": KINDS.get(one.item.kind, one.item.kind),
                "prefix": w.cell(f"s3://{one.item.bucket}/{one.item.prefix}", 200),
                "objects": one.item.objects,
                "bytes": w.size(one.item.bytes),
                "usd": usd(one.nusd_per_month),
                "why": w.cell(f"{one.item.why}{_saving(one)}", 240),
            }
            for one in items
        ]
    )
    config: dict[str, Any] = {
        "team": tables.team_column(), "kind": C.TextColumn("Kind", width=120), "prefix": C.TextColumn("Where", width=360),
        "objects": C.NumberColumn("Objects", format="localized", width=72), "bytes": C.TextColumn("Size", width=76),
        "usd": tables.money_column("A month", width=80), "why": C.TextColumn("Why it may go"),
    }  # fmt: skip
    event = st.dataframe(
        frame, hide_index=True, column_config=config, placeholder="unknown", on_select="rerun", selection_mode="single-row",
        key=f"clean-items-{head.plan_id}",
    )  # fmt: skip
    rows = [[item_data(one)[name] for name in ITEM_COLUMNS] for one in items]
    tables.download("Export", ITEM_COLUMNS, lambda: rows, f"trainwatch-plan-{head.plan_id}.csv")
    selected = event["selection"]["rows"]
    return items[selected[0]] if selected and selected[0] < len(items) else None


def _saving(one: PlannedItem) -> str:
    versions = {"enabled": "; saves once noncurrent versions expire", "suspended": "; cannot be brought back"}
    return versions.get(one.item.versioning, "")


def show_objects(head: PlanHead, planned: PlannedItem) -> None:
    """Every object of one prefix."""
    objects = watching.clean_objects(head.plan_id, planned.number, MOST_OBJECTS)
    rows = [object_data(planned.item.bucket, one) for one in objects]
    frame = pd.DataFrame([{name: w.cell(str(row[name]), 300) if row[name] is not None else "" for name in OBJECT_COLUMNS} for row in rows])
    more = f"; the first {MOST_OBJECTS:,}" if len(objects) == MOST_OBJECTS else ""
    st.caption(f"{w.plain(planned.item.prefix, 120)}: {len(objects):,} objects{more}")
    st.dataframe(frame, hide_index=True)


def show_kept(head: PlanHead) -> None:
    """What a plan keeps, and why."""
    if not head.kept:
        st.caption("Everything that was found may go.")
        return
    frame = pd.DataFrame(
        [
            {"prefix": w.cell(f"s3://{one.bucket}/{one.prefix}", 200), "job": w.cell(one.job, 80), "why": w.cell(one.why, 300)}
            for one in head.kept
        ]
    )
    config = {"prefix": C.TextColumn("Where", width=380), "job": C.TextColumn("Job", width=240), "why": C.TextColumn("Why it stays")}
    st.dataframe(frame, hide_index=True, column_config=config)


def show_apply(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally]) -> None:
    """The button that carries the plan out, saying what it will do; off, with the reason, for whoever may not."""
    left = found.get("planned", Tally(0, 0))
    under_way = cleanruns.progress_of(head.plan_id)
    if under_way is not None and not under_way.is_over:
        cleanruns.show_progress(head.plan_id)
        return
    if not left.objects or head.state in ("applied", "undoing", "undone"):
        return
    refusal = next((no for one in items if (no := may_act(viewer(), one.item.team)) is not None), None)
    verb = "Tag" if head.mode == "quarantine" else "Delete"
    label = f"{'Go on: ' if head.state != 'planned' or len(found) > 1 else ''}{verb} {left.objects:,} objects, {w.size(left.bytes)}"
    why = None if refusal is None else w.shown(refusal.why)
    if st.button(label, type="primary", icon=":material/delete_sweep:", disabled=refusal is not None, help=why, key="clean-apply"):
        parts.hold()
        st.dialog(f"{verb} what plan {head.plan_id} lists?", width=640, icon=":material/delete_sweep:", on_dismiss="rerun")(_confirm)(
            head, items, left
        )


def _confirm(head: PlanHead, items: Sequence[PlannedItem], left: Tally) -> None:
    if cleanruns.progress_of(head.plan_id) is not None:
        cleanruns.show_progress(head.plan_id)
        return
    saved = sum(one.nusd_per_month or 0 for one in items)
    kinds = {one.item.versioning for one in items}
    lines = [
        f"**{left.objects:,} objects**, {w.size(left.bytes)}, in {w.count(len({one.item.bucket for one in items}), 'bucket')}",
        f"about **{w.usd(saved)} a month**" + ("; in versioned buckets once noncurrent versions expire" if "enabled" in kinds else ""),
        "Every rule is checked again, and every key is held to what was planned; what has changed is skipped.",
    ]
    for line in lines:
        st.markdown(w.md(line))
    if head.mode != "quarantine" and kinds - {"enabled"}:
        st.warning("What lies in buckets without versioning cannot be brought back.", icon=":material/warning:")
    sure = st.text_input(f"Type {head.plan_id} to confirm", key="clean-sure", max_chars=20)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep everything"):
            st.rerun()
        if st.button(
            "Apply the plan", type="primary", disabled=storable(sure).strip() != str(head.plan_id), icon=":material/delete_sweep:"
        ):
            cleanruns.start(head.plan_id, viewer())
            st.rerun(scope="fragment")
