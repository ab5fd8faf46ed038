"""The dialog that puts findings aside: acknowledged until they change, or snoozed until a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import streamlit as st

from actions.quieting import Kind, put_aside
from domain.access import Refusal
from domain.findings.judge import TITLES
from storage.views.findings import FindingRow
from ui import parts, reads
from ui import words as w
from ui.viewer import viewer

ACKNOWLEDGE, SNOOZE, BRING_BACK = "Acknowledge", "Snooze", "Bring back"
LENGTHS = {
    "1 h": timedelta(hours=1),
    "4 h": timedelta(hours=4),
    "12 h": timedelta(hours=12),
    "1 day": timedelta(days=1),
    "3 days": timedelta(days=3),
}
REASON_LIMIT = 300


def open_dialog(rows: Sequence[FindingRow], what: str) -> None:
    """Opens the dialog for the findings of one job."""
    parts.hold()
    st.dialog(f"{what} {w.plain(rows[0].job, 60)}", width=560, icon=":material/notifications_paused:", on_dismiss="rerun")(_body)(
        tuple(rows), what
    )


def _body(rows: Sequence[FindingRow], what: str) -> None:
    for row in rows:
        st.markdown(f"**{TITLES.get(row.rule, w.plain(row.rule, 40))}**: {w.plain(row.evidence)}")
    until = None
    if what == SNOOZE:
        chosen = st.segmented_control("For", list(LENGTHS), default="4 h", required=True, key="snooze-for")
        until = reads.now() + LENGTHS[str(chosen)]
        st.caption(f"It is not told of until {w.utc(until)}; it stays in the list.")
    else:
        st.caption("Nobody is notified of it again until it closes or becomes more severe, for at most two weeks; it stays in the list.")
    reason = st.text_input(
        "Why, for whoever looks next", max_chars=REASON_LIMIT, placeholder="The owner knows; it is meant to wait for data"
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel"):
            st.rerun()
        kind: Kind = "snoozed" if what == SNOOZE else "acknowledged"
        if st.button(what, type="primary", disabled=not reason.strip(), help=None if reason.strip() else "Say why"):
            _apply(rows, kind, reason, until)


def _apply(rows: Sequence[FindingRow], kind: Kind, reason: str, until: datetime | None) -> None:
    result = put_aside(reads.engine(), viewer(), [row.finding_id for row in rows], kind, reason, until, reads.now())
    if isinstance(result, Refusal):
        st.error(w.plain(result.why), icon=":material/block:")
        return
    st.rerun()


def bring_back(rows: Sequence[FindingRow]) -> None:
    """Takes an acknowledgement or a snooze back at once."""
    result = put_aside(reads.engine(), viewer(), [row.finding_id for row in rows], "unquieted", "brought back", None, reads.now())
    if isinstance(result, Refusal):
        st.toast(w.plain(result.why), icon=":material/block:")
    else:
        st.rerun()


def chosen(rows: Sequence[FindingRow], what: str | None) -> None:
    """Does what a menu offers."""
    if what == BRING_BACK:
        bring_back(rows)
    elif what in (ACKNOWLEDGE, SNOOZE):
        open_dialog(rows, what)


def offers(rows: Sequence[FindingRow]) -> list[str]:
    """What a menu offers for these findings now."""
    quiet = all(row.is_quiet(reads.now()) for row in rows)
    return [BRING_BACK] if quiet else [ACKNOWLEDGE, SNOOZE]


def quiet_words(row: FindingRow) -> str:
    """Who put it aside, until when and why; Markdown."""
    kind = "Acknowledged" if row.quiet_kind == "acknowledged" else "Snoozed"
    until = f" until {w.utc(row.quiet_until)}" if row.quiet_until else ""
    return f"{kind} by {w.plain(row.quiet_by, 60)}{until}: {w.plain(row.quiet_reason, 200)}"
