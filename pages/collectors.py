"""Can I trust what I see?"""

import streamlit as st

from ui import collecting, parts

QUESTION = "Can I trust what I see?"
state = collecting.State()
parts.header(QUESTION, lambda: collecting.answer(state), reason=False)
with parts.guarded("the look for runs"):
    if not state.states:
        parts.nothing_yet()
        st.stop()

parts.figures(lambda: collecting.cards(state))

with parts.panel("Collectors", "The newest run of each, by account and region"):
    collecting.show_states(state)

with parts.panel("Recent runs", "Newest first", border=False):
    collecting.show_runs(state)

left, right = st.columns(2, gap="small")
with left, parts.panel("Our own AWS calls", "Last 30 days"):
    collecting.show_calls(state)
with right, parts.panel("Without a price", "This month"):
    collecting.show_unpriced(state)

with parts.panel("Messages that did not arrive", "Last 7 days", border=False):
    collecting.show_untold()

with parts.panel("Oddities", "What was unexpected in AWS's answers; the jobs were kept"):
    collecting.show_oddities(state)
