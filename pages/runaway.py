"""What do I stop?"""

import streamlit as st

from ui import parts, runaway
from ui.figures import show_figure, waste_figure
from ui.filters import team_filter

QUESTION = "What do I stop?"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    teams = team_filter()
    st.space("stretch")
    severities, quiet = runaway.filters()
state = runaway.State(teams, severities, quiet=quiet)
with slot:
    parts.header(QUESTION, lambda: runaway.answer(state))
    with parts.guarded("the age of the facts"):
        runaway.show_stale(state)

parts.figures(lambda: runaway.cards(state))

with parts.panel("Burn rate, last 24 hours", "$/h, estimate. Red: jobs with a critical finding."):
    show_figure(waste_figure(*state.burn), "Burn rate over 24 hours, and how much of it is for nothing", key="burn-waste")

title = "Put aside" if quiet else "Findings"
with parts.panel(title, border=False, beside=lambda: runaway.pick_several(state)) as note:
    note(f"{len(state.shown):,} jobs: critical first, then by $/h" if state.shown else "")
    runaway.export(state)
    if not state.shown:
        parts.empty(
            "task_alt",
            "Nothing was put aside" if quiet else "No job breaks a rule",
            "Findings appear here by themselves, after each collection; docs/findings says when each rule fires.",
        )
    most = st.session_state.get("cards", runaway.MOST_CARDS)
    for card in state.cards(most):
        with parts.guarded("a finding"):
            runaway.show_card(card, state.now)
    if len(state.shown) > most and st.button(f"Show more ({len(state.shown) - most:,} left)", key="more-cards"):
        st.session_state["cards"] = most + runaway.MOST_CARDS
        st.rerun()
