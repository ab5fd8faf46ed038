"""The dialog that stops: what it would mean, why, and what came of it. What refuses is the plan, and the action itself."""

from collections.abc import Sequence

import streamlit as st

from actions.reach import Reach
from actions.stopping import StopResult, execute, refuse
from domain.access import Refusal, may_act
from domain.findings.finding import span
from domain.stopping import StopLimits, StopPlan, StopTarget, plan_stop
from ui import parts, places, reads, watching
from ui import words as w
from ui.viewer import viewer

REASONS = ["Hung", "Idle", "Wrong settings", "Superseded", "Budget", "Other"]
_OF_RULES = {"hung": "Hung", "idle_gpu": "Idle", "idle_cpu": "Idle", "over_budget": "Budget"}
_DONE = "stop-results"
_REFUSED = "stop-refused"
NOTE_LIMIT = 300


@st.cache_resource(show_spinner=False)
def reach() -> Reach:
    """The clients that actions use, made at the first action."""
    return Reach(reads.current_settings())


def refusal_words(target: StopTarget) -> str | None:
    """Why whoever is looking may not stop it, for the hover of a button that is off; None when they may."""
    refusal = may_act(viewer(), target.team)
    return None if refusal is None else w.plain(refusal.why)


def open_dialog(targets: Sequence[StopTarget], rule: str | None = None) -> None:
    """Opens the dialog over these; `rule` is the finding it was opened from."""
    for name in (_DONE, _REFUSED):
        st.session_state.pop(name, None)
    parts.hold()
    one = targets[0]
    title = f"Stop {w.plain(one.name, 60)}?" if len(targets) == 1 else f"Stop {len(targets)} jobs?"
    st.dialog(title, width=640, icon=":material/stop_circle:", on_dismiss="rerun")(_body)(tuple(targets), rule)


def _body(targets: Sequence[StopTarget], rule: str | None) -> None:
    done = st.session_state.get(_DONE)
    if done is not None:
        _show_results(done)
        return
    limits = StopLimits(reads.current_settings().actions.max_jobs, reads.current_settings().runaway.stale_minutes)
    preview = plan_stop(targets, viewer(), "to be given", limits, reads.now())
    for target in targets[: limits.max_jobs]:  # of more nothing is stopped
        _show_target(target, several=len(targets) > 1)
    if len(targets) > limits.max_jobs:
        st.caption(f"and {len(targets) - limits.max_jobs} more")
    if isinstance(preview, Refusal):
        st.error(w.plain(preview.why), icon=":material/block:")
        if preview.code == "tuning_child":
            st.page_link(places.tuning_page(), label="To its tuning job, which can be stopped", icon=":material/tune:")
        _audit_refusal(targets, preview)
        return
    _show_words(preview)
    kind = st.pills("Reason", REASONS, default=_OF_RULES.get(rule or ""), key="stop-kind")
    note = st.text_input(
        "Note for the owner and the audit log", placeholder="What you saw, and what should happen next", max_chars=NOTE_LIMIT
    )
    reason = ": ".join(part for part in (kind, note.strip()) if part)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep running"):
            st.rerun()
        label = _button_words(targets)
        if st.button(
            w.md(label), type="primary", icon=":material/stop_circle:", disabled=not reason, help=None if reason else "Choose a reason"
        ):
            _stop(targets, reason, limits)


def _stop(targets: Sequence[StopTarget], reason: str, limits: StopLimits) -> None:
    """Plans again with who is looking now, and acts."""
    person = viewer()
    plan = plan_stop(targets, person, reason, limits, reads.now())
    if isinstance(plan, Refusal):
        refuse(reads.engine(), person, ", ".join(target.arn for target in targets), reason, plan, reads.now())
        st.error(w.plain(plan.why), icon=":material/block:")
        return
    with parts.guarded("the stop"), st.spinner("Asking AWS…"):
        st.session_state[_DONE] = execute(plan, reads.engine(), reach(), reads.now)
    st.rerun(scope="fragment")


def _audit_refusal(targets: Sequence[StopTarget], refusal: Refusal) -> None:
    """A refusal is written down once for each time the dialog was opened, not for each time it is drawn."""
    if st.session_state.get(_REFUSED) == refusal.code:
        return
    st.session_state[_REFUSED] = refusal.code
    one = targets[0] if len(targets) == 1 else None
    refuse(reads.engine(), viewer(), ", ".join(target.arn for target in targets), "", refusal, reads.now(), one)


def _show_target(target: StopTarget, *, several: bool) -> None:
    name = w.plain(reads.team_name(target.team), 60)
    capacity = f" · {target.capacity.replace('_', ' ')}" if target.capacity else ""
    where = w.plain(f"{target.account} {target.region}")
    if several:
        st.markdown(f"**{w.plain(target.name, 80)}**")
    st.caption(w.md(f"{name} · {w.plain(target.instances, 80)}{capacity} · running {span(target.ran_seconds)} · {where}"))
    if several:
        so_far = f"{w.usd(target.accruing_nusd)} so far"
        st.caption(w.md(f"Burning {_rate(target)}, {so_far}; stopping loses {w.usd(target.work_lost_nusd)}: {target.work_lost}"))
        return
    burning = "ends about 2 min after you confirm" if target.burn_nusd else "it burns nothing at this moment"
    rows = (
        (":material/local_fire_department:", "Burning now", f":red[**{_rate(target)}**]", burning),
        (":material/payments:", "Cost so far", f"**{w.usd(target.accruing_nusd)}**", "accruing: an estimate until it has ended"),
        (":material/history:", "Work lost", f"**{w.usd(target.work_lost_nusd)}**", target.work_lost),
        (":material/savings:", "Avoided, at most", f"**{w.usd(target.avoided_nusd)}**", target.avoided),
    )
    with st.container(border=True, gap="small"):
        for icon, label, value, note in rows:
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.markdown(f":gray[{icon}] {label}", width=170)
                st.markdown(w.md(value), width=110)
                st.caption(w.md(note), width="stretch")


def _show_words(plan: StopPlan) -> None:
    for words in plan.consequences:
        st.warning(w.plain(words), icon=":material/warning:")
    for words in plan.warnings:
        st.warning(w.plain(words), icon=":material/schedule:")


def _show_results(results: Sequence[StopResult]) -> None:
    """What came of each, in words; the list shows how they go on."""
    for one in results:
        words = f"{w.plain(one.target.name, 80)}: {w.plain(one.words)}"
        if one.is_done:
            st.success(words, icon=":material/check_circle:")
        else:
            st.error(words, icon=":material/error:")
    st.caption(f"Audit entries {', '.join(str(one.audit_id) for one in results)}. Each is followed until it has stopped.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Close", type="primary"):
            st.session_state.pop(_DONE, None)
            st.rerun()


def _button_words(targets: Sequence[StopTarget]) -> str:
    burns = [target.burn_nusd for target in targets]
    what = "Stop job" if len(targets) == 1 else f"Stop {len(targets)} jobs"
    return what if None in burns else f"{what}, end {w.usd(sum(burn or 0 for burn in burns))}/h"


def _rate(target: StopTarget) -> str:
    return "unknown" if target.burn_nusd is None else f"{w.usd(target.burn_nusd)}/h"


def show_button(target: StopTarget, rule: str | None, key: str, *, primary: bool = False, critical: bool = False) -> None:
    """The button that opens the dialog, saying what it ends; in its place, how far a stop is that was asked for already."""
    identity = (target.kind, target.account, target.region, target.name, int(target.created_at.timestamp()))
    under_way = watching.stops_under_way().get(identity)
    if under_way is not None or target.status == "Stopping":
        by = f", asked by {w.plain(under_way.by, 40)} {w.ago(under_way.asked_at, reads.now())}" if under_way else ""
        st.badge(f"Stopping{by}", icon=":material/hourglass_top:", color="orange")
        return
    rate = "" if target.burn_nusd is None else f", {w.usd(target.burn_nusd)}/h"
    label = w.md(f":red[**Stop{rate}**]" if critical and not primary else f"Stop{rate}")
    why = refusal_words(target)
    kind = "primary" if primary else "secondary"
    if st.button(label, key=key, icon=":material/stop_circle:", type=kind, disabled=why is not None, help=why):  # type: ignore[arg-type] # one of two
        open_dialog([target], rule)
