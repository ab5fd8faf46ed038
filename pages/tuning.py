"""Was the search worth it?"""

import streamlit as st

from ui import parts, tuning
from ui.figures import search_figure, show_figure
from ui.filters import team_filter

QUESTION = "Was the search worth it?"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
state = tuning.State(team_filter())
with slot:
    parts.header(QUESTION, lambda: tuning.answer(state))
with parts.guarded("the look for tuning jobs"):
    if not state.rows:
        parts.empty(
            "tune", "No tuning job", "Hyperparameter tuning jobs of these teams appear here, with what each search cost and reached."
        )
        st.stop()

parts.figures(lambda: tuning.cards(state))

row = None
with parts.panel("Tuning jobs", "Live ones first. Select one to see its trials below.", border=False):
    row = tuning.show_table(state)
if row is not None:
    chosen = row
    with parts.panel("Best objective against money spent", beside=lambda: tuning.show_stop(chosen)) as note:
        note(tuning.note(row))
        steps = tuning.steps(row)
        if steps:
            show_figure(search_figure(steps), "The objective of each trial, and the best so far, against dollars spent", key="search")
        else:
            st.caption("No trial has reported its objective yet.")
    with parts.panel("Trials", "Best first; cost is billed, or accruing while one runs", border=False):
        tuning.show_children(row)
