"""What did each team spend, on what?"""

import streamlit as st

from ui import parts, reads, team_cost
from ui.figures import show_figure, stack_alt, stacked_days_figure, treemap_figure
from ui.filters import period_filter, team_filter

QUESTION = "What did each team spend, on what?"
if not reads.has_jobs():
    parts.header(QUESTION, "Nothing has been collected yet.")
    parts.nothing_yet()
    st.stop()

slot = st.container(gap="small")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    period, words = period_filter("month")
    teams = team_filter()
    st.space("stretch")
    download = st.container(width="content")
state = team_cost.state(period, words, teams)
with slot:
    parts.header(QUESTION, team_cost.answer(state))
with download:
    team_cost.show_download(state)

parts.figures(team_cost.cards(state))
if not state.rows:
    parts.empty("event_busy", "No job ran in this period", "Choose another period or other teams: costs appear on the days jobs ran.")
    st.stop()

with parts.panel("Cost per day", "Billed, by team, UTC days. Today is partial and paler."):
    show_figure(stacked_days_figure(state.daily, state.days, state.today), stack_alt(state.daily, state.days), key="team-days")

with parts.panel("Per team", "Select a row to see its dearest jobs below", border=False):
    selected = team_cost.show_teams(state)

with parts.panel("Where it went", "Billed: team, project, model type, dearest jobs. Click to open one."):
    show_figure(treemap_figure(team_cost.treemap_nodes(state)), "Treemap of billed cost by team, project, model type", key="tree")

with parts.panel("Dearest jobs", team_cost.dearest_note(state, selected), border=False):
    team_cost.show_dearest(state, selected)
