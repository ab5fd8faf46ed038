"""What did each team spend, on what?"""

import streamlit as st

from ui import leftovers, parts, team_cost
from ui.figures import show_figure, stack_alt, stacked_days_figure, treemap_figure
from ui.filters import period_filter, team_filter
from ui.treemap import treemap_nodes

QUESTION = "What did each team spend, on what?"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    period, words = period_filter("month")
    teams = team_filter()
    st.space("stretch")
    download = st.container(width="content")
state = team_cost.State(period, words, teams)
with slot:
    parts.header(QUESTION, lambda: team_cost.answer(state))
with download:
    team_cost.show_download(state)

parts.figures(lambda: team_cost.cards(state))
with parts.guarded("the look for teams"):
    if not state.rows:
        parts.empty("event_busy", "No job ran in this period", "Choose another period or other teams: costs appear on the days jobs ran.")
        st.stop()

with parts.panel("Cost per day", "Billed, by team, UTC days. Today is partial and paler."):
    show_figure(stacked_days_figure(state.daily, state.days, state.today), stack_alt(state.daily, state.days), key="team-days")

selected = None
with parts.panel("Per team", "Select a row to see its dearest jobs below", border=False):
    selected = team_cost.show_teams(state)

with parts.panel("Where it went", "Billed: team, project, model type, dearest jobs. Click to open one."):
    show_figure(treemap_figure(treemap_nodes(period, state.teams)), "Treemap of billed cost by team, project, model type", key="tree")

with parts.panel("Dearest jobs", team_cost.dearest_note(selected), border=False):
    team_cost.show_dearest(state, selected)

leftovers.show_line(state.teams)
