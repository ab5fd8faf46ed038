"""Can I trust what I see?"""

import streamlit as st

from ui import collecting, parts

state = collecting.state()
parts.header("Can I trust what I see?", collecting.answer(state))
if not state.states:
    parts.nothing_yet()
    st.stop()

parts.figures(collecting.cards(state))

with parts.panel("Collectors", "The newest run of each, by account and region"):
    collecting.show_states(state)

with parts.panel("Recent runs", "Newest first", border=False):
    collecting.show_runs(state)

left, right = st.columns(2, gap="small")
with left, parts.panel("Our own AWS calls", "Last 30 days"):
    collecting.show_calls(state)
with right, parts.panel("Oddities", "What was unexpected in AWS's answers; the jobs were kept"):
    collecting.show_oddities(state)
