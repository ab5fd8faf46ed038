"""Are we all right?"""

import streamlit as st

from ui import leftovers, overview, parts
from ui.figures import show_figure, stack_alt, stacked_days_figure
from ui.filters import team_filter

QUESTION = "Are we all right?"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
state = overview.State(team_filter())
with slot:
    parts.header(QUESTION, lambda: overview.answer(state))

parts.figures(lambda: overview.cards(state))

with parts.panel("Daily cost by team", "Billed, UTC days. Today is partial and paler."):
    if any(any(values.values()) for values in state.daily.values()):
        show_figure(stacked_days_figure(state.daily, state.days, state.today), stack_alt(state.daily, state.days), key="overview-days")
    else:
        st.caption("No job of these teams ended with time on the last 14 days.")

with parts.panel("Open findings", "Critical first, then by $/h; estimates at list price", border=False):
    if state.findings:
        overview.show_findings(state)
    else:
        st.caption("No live job breaks a rule. Findings appear here by themselves after each collection.")

with parts.panel("Dearest running jobs", border=False) as note:
    note(overview.running_note(state))
    if state.live:
        overview.show_dearest(state.live[:5])
    else:
        st.caption("Nothing is running. Running jobs are listed here, the dearest per hour first.")

leftovers.show_line(state.teams)
