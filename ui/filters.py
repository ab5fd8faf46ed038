"""Filters that live in the address: a pasted link shows the same to whoever opens it."""

from datetime import date, timedelta

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from domain.period import PERIODS, Period, period_named
from ui import reads
from ui.parts import guarded
from ui.words import day, label

WITH_TEAMS = ("", "overview", "team-cost", "jobs", "runaway", "tuning", "checkpoints", "clean")
MOST_PILLS = 24
_LAST_PAGE = "last_page"
CUSTOM = "custom"
NAMES = PERIODS | {CUSTOM: "Custom"}


def keep_teams(page: StreamlitPage) -> None:
    """Takes the teams along, in the address too, when another page is chosen in the menu.

    Streamlit does so for teams that were clicked, but not for those that came with the address of the first visit.
    """
    came_from, st.session_state[_LAST_PAGE] = st.session_state.get(_LAST_PAGE), page.url_path
    teams = st.session_state.get("team")
    if teams and came_from not in (None, page.url_path) and page.url_path in WITH_TEAMS and "team" not in st.query_params:
        st.switch_page(page, query_params={"team": teams})


def team_filter() -> list[str]:
    """All teams to pick from; none picked means all. Its key `team` is in the address."""
    known: list[str] | None = None
    with guarded("the list of teams"):
        known = reads.team_ids()
    if known is None:
        return st.query_params.get_all("team")
    if len(known) > MOST_PILLS:
        return list(st.multiselect("Teams", known, key="team", bind="query-params", placeholder="All teams", label_visibility="collapsed"))
    return list(
        st.pills(
            "Teams", known, selection_mode="multi", format_func=label, label_visibility="collapsed", key="team", bind="query-params",
            wrap=True,
        )
    )  # fmt: skip


def period_filter(default: str) -> tuple[Period, str]:
    """The period and its words; `period`, and `from` and `to` of a custom one (to is inclusive), are in the address."""
    # The label is what the address holds, so names stand for themselves and are shown through captions of the control.
    labels = {words: name for name, words in NAMES.items()}
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
    return (period_named(name, reads.today()), NAMES[name].lower()) if name != CUSTOM else _custom()


def _custom() -> tuple[Period, str]:
    today = reads.today()
    start = st.date_input("From", today - timedelta(days=29), key="from", bind="query-params", format="YYYY-MM-DD", width=150)
    last = st.date_input("To, included", today, key="to", bind="query-params", format="YYYY-MM-DD", width=150)
    one = start if isinstance(start, date) else today
    another = last if isinstance(last, date) else today
    first, end = min(one, another), max(one, another)
    return Period(first, end + timedelta(days=1)), f"on {day(first)}" if first == end else f"from {day(first)} to {day(end)}"
