"""The state behind Clean: what lies around and what it costs, plans, and what became of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

import pandas as pd
import streamlit as st

from actions.cleaning import EXPIRES_AFTER
from domain.access import Refusal
from domain.cleaning_diff import ItemChange
from domain.money import usd
from reports.cleaning import ITEM_COLUMNS, OBJECT_COLUMNS, item_data, object_data
from storage.cleaning import PlanHead, PlannedItem, Tally
from storage.leftover_months import AGES, LeftoverMonth
from ui import cleanruns, leftovers, parts, reads, tables, watching
from ui import words as w
from ui.viewer import viewer

C = st.column_config
KINDS = {
    "intermediates": "Intermediates", "debugger": "Debugger output", "profiler": "Profiler output", "tensorboard": "TensorBoard",
    "checkpoints": "Checkpoints", "uploads": "Unfinished uploads", "artifacts": "Models (never cleaned)",
}  # fmt: skip
MOST_OBJECTS = 2000
BY_AGE = "A month, by the age of the newest object of each prefix"


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


def answer(found: State) -> str:
    """What is kept for nothing, in a sentence."""
    if not found.costs:
        return "No inventory of the buckets yet; the collectors make one every few hours."
    size = sum(one.bytes for one in found.leftovers)
    cost = leftovers.monthly_words([one.known_nusd for one in found.leftovers])
    words = f"Leftovers of training take **{w.size(size)}**, **{cost}**; a plan says what of it may go."
    gone = watching.deleted_since(found.teams)
    return f"{words} Of that, {w.size(gone.bytes)} were deleted since the buckets were last looked at." if gone.objects else words


def cards(found: State) -> list[dict[str, Any]]:
    """The few figures that matter."""
    left, models = found.leftovers, [one for one in found.costs if one.kind == "artifacts"]
    by_team: dict[str, int] = {}
    for one in left:
        by_team[one.team] = by_team.get(one.team, 0) + one.nusd_per_month
    largest = max(by_team, key=lambda team: by_team[team], default=None)
    unpriced = sum(one.unpriced_bytes for one in left)
    now = leftovers.monthly(left)
    exact = f"{w.usd_exact(now)}. {w.size(unpriced)} without a known price."
    estimated = " Prices of some storage classes are estimates." if any(one.is_estimated for one in left) else ""
    return [
        {
            "label": "Leftovers, a month", "value": w.usd(now), "delta": leftovers.growth(left, found.teams) or "first inventory",
            "help": f"S3 list price of the bucket's region and class: {exact}{estimated}",
        },
        {"label": "Objects", "value": w.short(sum(one.objects for one in left)), "delta": w.size(sum(one.bytes for one in left))},
        {
            "label": "Largest", "value": w.UNKNOWN if largest is None else w.shown(largest, 18),
            "delta": "nothing" if largest is None else f"{w.usd(by_team[largest])} a month",
        },
        {"label": "Models, a month", "value": w.usd(leftovers.monthly(models)), "delta": "never cleaned"},
    ]  # fmt: skip


def show_costs(found: State) -> None:
    """What is kept, by team and kind, and what it costs by the age of the newest object of each prefix."""
    if not found.costs:
        st.caption("Nothing was found, or nobody has looked yet.")
        return
    bands = [f"< {AGES[0]} d", *(f"{low}–{high} d" for low, high in pairwise(AGES)), f"> {AGES[-1]} d", "Age unknown"]
    shown = [number for number in range(len(bands)) if number <= len(AGES) or any(one.by_age[number] for one in found.costs)]
    frame = pd.DataFrame(
        [
            {
                "team": tables.chip(one.team),
                "kind": KINDS.get(one.kind, one.kind),
                "objects": one.objects,
                "bytes": w.size(one.bytes),
                "usd": usd(one.known_nusd),
            }
            | {str(number): usd(one.by_age[number]) if one.by_age[number] else None for number in shown}
            for one in found.costs
        ]
    )
    config: dict[str, Any] = {
        "team": tables.team_column(), "kind": C.TextColumn("Kind", width=180),
        "objects": C.NumberColumn("Objects", format="localized", width=90),
        "bytes": C.TextColumn("Size", width=90), "usd": tables.money_column("A month", width=90),
    } | {str(number): tables.money_column(bands[number], width=84, help=BY_AGE) for number in shown}  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="")


def show_buckets() -> None:
    """Every bucket that was looked at: what keeps us out of it, what is never cleaned, what could be brought back."""
    found = sorted(watching.buckets(), key=lambda one: (not one.problem, one.object_lock is False, one.name))
    if not found:
        st.caption("No bucket was looked at yet.")
        return
    frame = pd.DataFrame([{"bucket": w.cell(one.name), "state": w.cell(one.in_words, 400), "region": w.cell(one.region)} for one in found])
    config = {"bucket": C.TextColumn("Bucket", width=180), "state": C.TextColumn("State", width=600), "region": C.TextColumn("Region")}
    st.dataframe(frame, hide_index=True, column_config=config)


def plan_maker(found: State) -> None:
    """Makes a plan of the teams picked: a look at facts and buckets that changes nothing."""
    shut_once_made = f"clean-maker-{st.query_params.get('plan', '')}"
    refusal = cleanruns.may_plan(found.teams)
    if refusal is not None:
        st.button("Make a plan", icon=":material/playlist_add:", disabled=True, help=w.plain(refusal.why))
        return
    with st.popover("Make a plan", icon=":material/playlist_add:", key=shut_once_made):
        least = reads.current_settings().clean.min_age_days
        days = int(st.number_input("Days since a job's end", min_value=least, value=least, key="clean-days"))
        later = st.toggle("Quarantine", key="clean-later", help="Tag the objects; a lifecycle rule of yours deletes them later")
        st.caption(f"For {', '.join(w.plain(team, 60) for team in found.teams) or 'all teams'}. Nothing is deleted by making a plan.")
        if st.button("Make it", key="clean-make", type="primary"):
            with parts.guarded("the plan"):
                made = cleanruns.make(found.teams, days, "quarantine" if later else "delete", viewer())
                if isinstance(made, Refusal):
                    st.error(w.plain(made.why), icon=":material/block:")
                    return
                st.query_params["plan"] = str(made)
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


def is_expired(head: PlanHead, now: datetime) -> bool:
    """Whether a plan can no longer be applied, or gone on with."""
    return head.state in ("planned", "applying") and now - head.created_at > EXPIRES_AFTER


def plan_words(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally], now: datetime) -> str:
    """What a plan would do, or has done."""
    total = sum(one.item.objects for one in items)
    size, cost = sum(one.item.bytes for one in items), leftovers.monthly_words([one.nusd_per_month for one in items])
    if head.forgotten_at is not None:
        begun = "what became of each was forgotten, and stands in Audit in sum" if head.begun_at else "it was never applied"
        return f"Plan {head.plan_id} was for {total:,} objects, {w.size(size)}; {begun}."
    if is_expired(head, now):
        return f"Plan {head.plan_id} is older than a day: the world may have changed. Make a new one."
    if head.state == "making":
        return f"Plan {head.plan_id} is being made: {sum(tally.objects for tally in found.values()):,} objects so far."
    what = "tag" if head.mode == "quarantine" else "delete"
    done = {state: tally.objects for state, tally in found.items() if state not in ("planned",)}
    if not done:
        return f"Plan {head.plan_id} would {what} **{total:,} objects**, {w.size(size)}, **{cost}**; nothing is changed yet."
    words = ", ".join(f"{count:,} {state}" for state, count in sorted(done.items()))
    left = found.get("planned", Tally(0, 0)).objects
    return f"Plan {head.plan_id}: {words}{f', **{left:,} left**' if left else ''}."


def show_items(head: PlanHead, items: Sequence[PlannedItem]) -> PlannedItem | None:
    """What a plan takes, prefix by prefix, the dearest first; returns the one that is selected."""
    if not items:
        st.caption("Nothing may go. What is kept, and why, stands below.")
        return None
    items = sorted(items, key=lambda one: (-(one.nusd_per_month or 0), -one.item.bytes))
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
        "team": tables.team_column(), "kind": C.TextColumn("Kind", width=100), "prefix": C.TextColumn("Where", width=270),
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
    st.caption(f"{w.plain(planned.item.prefix, 120)}: {len(objects):,} objects{more}; {w.plain(planned.item.why, 240)}{_saving(planned)}")
    st.dataframe(frame, hide_index=True)


def changes_words(found: tuple[PlanHead, list[ItemChange]] | None, now: datetime) -> str:
    """How a plan differs from the one before it for the same teams, in a sentence."""
    if found is None:
        return "The first plan for these teams."
    before, changes = found
    since = f"plan {before.plan_id}, {w.ago(before.created_at, now)}"
    if not changes:
        return f"Nothing is different from {since}."
    kinds = [(what, sum(one.what == what for one in changes)) for what in ("new", "grown", "shrunk", "gone")]
    words = ", ".join(f"{count:,} {what}" for what, count in kinds if count)
    more = sum(one.bytes for one in changes)
    return f"Since {since}: {words}; {w.size(abs(more))} {'more' if more >= 0 else 'less'}."


def show_changes(found: tuple[PlanHead, list[ItemChange]]) -> None:
    """What is different from the plan before, prefix by prefix, and why what is gone is."""
    frame = pd.DataFrame(
        [
            {
                "what": one.what,
                "team": tables.chip(one.team),
                "kind": KINDS.get(one.kind, one.kind),
                "prefix": w.cell(f"s3://{one.bucket}/{one.prefix}", 200),
                "objects": one.objects,
                "bytes": f"{'−' if one.bytes < 0 else '+'}{w.size(abs(one.bytes))}",
                "why": w.cell(one.why, 240),
            }
            for one in found[1]
        ]
    )
    config: dict[str, Any] = {
        "what": C.TextColumn("", width=60), "team": tables.team_column(), "kind": C.TextColumn("Kind", width=120),
        "prefix": C.TextColumn("Where", width=360), "objects": C.NumberColumn("Objects", format="%+,d", width=72),
        "bytes": C.TextColumn("Size", width=84), "why": C.TextColumn("Why"),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=config)


def show_kept(head: PlanHead) -> None:
    """What a plan keeps, and why; the reasons that few have come first, since those of many are rules that everybody knows."""
    if not head.kept:
        st.caption("Everything that was found may go.")
        return
    common = Counter(one.why for one in head.kept)
    frame = pd.DataFrame(
        [
            {"prefix": w.cell(f"s3://{one.bucket}/{one.prefix}", 200), "why": w.cell(one.why, 300), "job": w.cell(one.job, 80)}
            for one in sorted(head.kept, key=lambda one: (common[one.why], one.why))
        ]
    )
    config = {
        "prefix": C.TextColumn("Where", width=320),
        "why": C.TextColumn("Why it stays", width=580),
        "job": C.TextColumn("Job", width=240),
    }
    st.dataframe(frame, hide_index=True, column_config=config)
