"""What would an interruption cost us?"""

import streamlit as st

from ui import coverage, parts
from ui.figures import risk_figure, show_figure
from ui.filters import team_filter

QUESTION = "What would an interruption cost us?"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    state = coverage.State(team_filter())
    st.space("stretch")
    coverage.show_download(state)
with slot:
    parts.header(QUESTION, lambda: coverage.answer(state))

parts.figures(lambda: coverage.cards(state))

with parts.panel("Work at risk per running spot job", "Dollars since the newest checkpoint, or since start. Red: not fresh."):
    bars = coverage.bars(state)
    if bars:
        words = ", ".join(f"{name} {said}" for name, _, said, _ in bars[:3])
        show_figure(risk_figure(bars), f"Dollars of work at risk per running spot job, most first: {words}", key="risk")
    else:
        st.caption("No spot job runs now, or nobody could look at what they have saved.")

with parts.panel("Coverage per team", "Spot jobs of the last 30 days; cost is billed and accruing", border=False):
    coverage.show_teams(state)

with parts.panel("Running jobs", "Spot, and on demand beyond 4 h; what is not known first, then most at risk", border=False):
    coverage.show_jobs(state)
    coverage.show_shared(state)
