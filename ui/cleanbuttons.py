"""The buttons that carry a plan to clean out, or undo it: they say what they will do, and why not for whoever may not."""

from collections.abc import Sequence

import streamlit as st

from domain.access import Refusal, may_act
from domain.text import storable
from storage.cleaning import PlanHead, PlannedItem, Tally
from ui import cleanruns, leftovers, parts, watching
from ui import words as w
from ui.viewer import viewer


def show_actions(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally], *, is_expired: bool) -> None:
    """How far it is while it is carried out or undone; else the buttons for these."""
    under_way = cleanruns.progress_of(head.plan_id)
    if under_way is not None and not under_way.is_over:
        cleanruns.show_progress(head.plan_id)
        return
    with st.container(horizontal=True):
        if not is_expired:
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
    why = None if refusal is None else w.plain(refusal.why)
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
    saved = leftovers.monthly_words([one.nusd_per_month for one in items])
    kinds = {one.item.versioning for one in items}
    lines = [
        f"**{left.objects:,} objects**, {w.size(left.bytes)}, in {w.count(len({one.item.bucket for one in items}), 'bucket')}",
        f"the whole plan saves **{saved}**" + ("; in versioned buckets once noncurrent versions expire" if "enabled" in kinds else ""),
        "Every rule is checked again, and every key is held to what was planned; what has changed is skipped.",
    ]
    for line in lines:
        st.markdown(w.md(line))
    if head.mode != "quarantine" and kinds - {"enabled"}:
        st.warning("What lies in buckets without versioning cannot be brought back.", icon=":material/warning:")
    if head.mode == "quarantine":
        st.markdown("Objects get our tag, for a lifecycle rule of yours to delete them; unfinished uploads are aborted now.")
    reason = _reason()
    sure = st.text_input(f"Type {head.plan_id} to confirm", key="clean-sure", max_chars=20)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep everything"):
            st.rerun()
        is_sure = storable(sure).strip() == str(head.plan_id) and reason != ""
        if st.button("Apply the plan", type="primary", disabled=not is_sure, icon=":material/delete_sweep:"):
            cleanruns.start(head.plan_id, viewer(), reason)
            st.rerun(scope="fragment")


def _reason() -> str:
    """Why, for the audit log: whoever reads it later was not there."""
    return storable(st.text_input("Why", key="clean-why", max_chars=400, placeholder="For the audit log")).strip()


def _refused(items: Sequence[PlannedItem]) -> Refusal | None:
    teams = sorted({team for one in items for team in one.item.teams})
    return next((no for team in teams if (no := may_act(viewer(), team)) is not None), None)


def _undo_button(head: PlanHead, items: Sequence[PlannedItem], found: dict[str, Tally]) -> None:
    # Of an apply that was killed, what is still planned may have been done too.
    done = sum(found.get(state, Tally(0, 0)).objects for state in ("deleted", "tagged", "planned", "failed"))
    if head.begun_at is None or head.state == "undone" or not done:
        return
    keeps_versions = any(one.item.versioning == "enabled" for one in items)  # when it was planned; it may have come to since
    if head.mode != "quarantine" and not keeps_versions and not watching.could_come_back(head.plan_id):
        return
    refusal = _refused(items)
    why = None if refusal is None else w.plain(refusal.why)
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
    reason = _reason()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Leave it as it is"):
            st.rerun()
        if st.button("Undo the plan", type="primary", disabled=not reason, icon=":material/undo:"):
            cleanruns.start_undo(head.plan_id, viewer(), reason)
            st.rerun(scope="fragment")
