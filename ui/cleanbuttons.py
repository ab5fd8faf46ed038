"""The buttons that carry a plan to clean out, or undo it: they say what they will do, and why not for whoever may not."""

from collections.abc import Sequence

import streamlit as st

from domain.access import Refusal, may_act
from domain.text import storable
from storage.cleaning import PlanHead, PlannedItem, Tally
from ui import cleanruns, parts
from ui import words as w
from ui.viewer import viewer


def show_actions(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally]) -> None:
    """How far it is while it is carried out or undone; else the buttons for these."""
    under_way = cleanruns.progress_of(head.plan_id)
    if under_way is not None and not under_way.is_over:
        cleanruns.show_progress(head.plan_id)
        return
    with st.container(horizontal=True):
        _apply_button(head, items, found)
        _undo_button(head, items, found)


def _apply_button(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally]) -> None:
    """The button that carries the plan out, saying what it will do; off, with the reason, for whoever may not."""
    left = found.get("planned", Tally(0, 0))
    if not left.objects or head.state in ("making", "applied", "undoing", "undone"):
        return
    refusal = _refused(items)
    verb = "Tag" if head.mode == "quarantine" else "Delete"
    label = f"{'Go on: ' if head.state != 'planned' or len(found) > 1 else ''}{verb} {left.objects:,} objects, {w.size(left.bytes)}"
    why = None if refusal is None else w.shown(refusal.why)
    if st.button(label, type="primary", icon=":material/delete_sweep:", disabled=refusal is not None, help=why, key="clean-apply"):
        parts.hold()
        cleanruns.forget(head.plan_id)
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


def _refused(items: Sequence[PlannedItem]) -> Refusal | None:
    return next((no for one in items if (no := may_act(viewer(), one.item.team)) is not None), None)


def _undo_button(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally]) -> None:
    done = sum(found.get(state, Tally(0, 0)).objects for state in ("deleted", "tagged"))
    possible = head.mode == "quarantine" or any(one.item.versioning == "enabled" for one in items)
    if head.begun_at is None or head.state == "undone" or not done or not possible:
        return
    refusal = _refused(items)
    why = None if refusal is None else w.shown(refusal.why)
    if st.button("Undo", icon=":material/undo:", disabled=refusal is not None, help=why, key="clean-undo"):
        parts.hold()
        cleanruns.forget(head.plan_id)
        st.dialog(f"Undo plan {head.plan_id}?", width=640, icon=":material/undo:", on_dismiss="rerun")(_confirm_undo)(head, items)


def _confirm_undo(head: PlanHead, items: Sequence[PlannedItem]) -> None:
    if cleanruns.progress_of(head.plan_id) is not None:
        cleanruns.show_progress(head.plan_id)
        return
    if head.mode == "quarantine":
        st.markdown("Our tag is taken off every object that still has it; what a lifecycle rule has deleted by now stays deleted.")
    else:
        st.markdown("Delete markers that the plan put over objects are removed, so that the versions below them are back.")
        without = sorted({one.item.bucket for one in items if one.item.versioning != "enabled"})
        if without:
            named = ", ".join(w.plain(name, 80) for name in without[:5])
            named += f" and {w.count(len(without) - 5, 'more bucket')}" if len(without) > 5 else ""
            st.warning(f"What was deleted in buckets without versioning cannot be brought back: {named}", icon=":material/warning:")
    st.markdown("A plan that was undone is never applied again; make a new one for that.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Leave it as it is"):
            st.rerun()
        if st.button("Undo the plan", type="primary", icon=":material/undo:"):
            cleanruns.start_undo(head.plan_id, viewer())
            st.rerun(scope="fragment")
