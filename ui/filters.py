"""Filters that live in the address: a pasted link shows the same to whoever opens it."""

from datetime import date, timedelta

import streamlit as st

from domain.period import PERIODS, Period, period_named
from ui import reads

CUSTOM = "custom"
NAMES = PERIODS | {CUSTOM: "Custom"}


def team_filter() -> list[str]:
    """Pills of all teams; none picked means all. Its key `team` is in the address."""
    return list(
        st.pills(
            "Teams", reads.team_ids(), selection_mode="multi", label_visibility="collapsed", key="team", bind="query-params", wrap=True
        )
    )


def period_filter(default: str) -> tuple[Period, str]:
    """The period and its words; `period`, and `from` and `to` of a custom one (to is inclusive), are in the address."""
    # The label is what the address holds, so names stand for themselves and are shown through captions of the control.
    labels = {label: name for name, label in NAMES.items()}
    chosen = st.segmented_control(
        "Period",
        list(labels),
        default=NAMES[default],
        required=True,
        label_visibility="collapsed",
        key="period",
        bind="query-params",
    )
    name = labels[str(chosen or NAMES[default])]
    if name != CUSTOM:
        return period_named(name, reads.today()), NAMES[name].lower()
    return _custom(), "these days"


def _custom() -> Period:
    today = reads.today()
    start = st.date_input("From", today - timedelta(days=29), key="from", bind="query-params", format="YYYY-MM-DD", width=150)
    last = st.date_input("To, included", today, key="to", bind="query-params", format="YYYY-MM-DD", width=150)
    first = start if isinstance(start, date) else today
    end = last if isinstance(last, date) else today
    return Period(min(first, end), max(first, end) + timedelta(days=1))
