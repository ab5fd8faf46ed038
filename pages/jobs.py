"""Find any job."""

import streamlit as st

from ui import joblist, parts, reads

QUESTION = "Find any job"
if not reads.has_jobs():
    parts.header(QUESTION, "Nothing has been collected yet.")
    parts.nothing_yet()
    st.stop()

slot = st.container(gap="small")
wanted, sort = joblist.filters()
page, number = joblist.read(wanted, sort)
with slot:
    parts.header(QUESTION, joblist.answer(page, wanted))

if not page.rows:
    parts.empty(
        "search_off",
        "No job fits these filters",
        "Take one away, choose a longer period, or look for a shorter part of the name.",
    )
    st.stop()

joblist.show(page)
with st.container(horizontal=True, vertical_alignment="center"):
    joblist.pager(page)
    st.space("stretch")
    joblist.show_download(wanted, sort, page.total)
