"""What can go?"""

import streamlit as st

from ui import clean, cleanbuttons, parts, watching
from ui.filters import team_filter
from ui.words import md

QUESTION = "What can go?"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    state = clean.State(team_filter())
    st.space("stretch")
    clean.plan_maker(state)
with slot:
    parts.header(QUESTION, lambda: clean.answer(state))

parts.figures(lambda: clean.cards(state))

head = None
with parts.panel("Plan", border=False) as note:
    head = clean.chosen(state)
    if head is None:
        parts.empty(
            "cleaning_services",
            "No plan yet",
            "A plan lists what may go, object by object, and what is kept and why. Making one changes nothing.",
        )
    else:
        items, states = watching.clean_plan(head.plan_id)
        clean.pick(state, head)
        st.markdown(md(clean.plan_words(head, items, states, state.now)))
        cleanbuttons.show_actions(head, items, states, is_expired=clean.is_expired(head, state.now))
        changes = watching.clean_changes(head, items)
        st.caption(md(clean.changes_words(changes, state.now)))
        if changes is not None and changes[1]:
            with st.expander("What is different"):
                clean.show_changes(changes)
        selected = clean.show_items(head, items)
        if selected is not None:
            clean.show_objects(head, selected)

if head is not None:
    with parts.panel("Kept", "What the plan leaves, and why", border=False):
        clean.show_kept(head)

with parts.panel(
    "What is kept in S3, and what that costs", "By team, kind and age, list price of the bucket's region and class", border=False
):
    clean.show_costs(state)

with parts.panel("Buckets", "What keeps us out, what is never cleaned, what could be brought back", border=False):
    clean.show_buckets()
