"""Find any job."""

import streamlit as st

from ui import joblist, parts

QUESTION = "Find any job"
parts.require_jobs(QUESTION)

slot = st.container(gap="small")
asked = page = None
with parts.guarded("the list of jobs"):
    asked = joblist.filters()
    page = joblist.read(*asked)
with slot:
    parts.header(QUESTION, lambda: joblist.answer(page, asked[0]) if page and asked else "The list could not be read.")
if page is None or asked is None:
    st.stop()

if not page.rows:
    parts.empty(
        "search_off",
        "No job fits these filters",
        "Take one away, choose a longer period, or look for a shorter part of the name.",
    )
    st.stop()

with parts.guarded("the table of jobs"):
    joblist.show(page)
with st.container(horizontal=True, vertical_alignment="center"):
    joblist.pager(page)
    st.space("stretch")
    joblist.show_download(*asked, page.total)
