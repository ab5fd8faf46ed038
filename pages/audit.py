"""Who did what?"""

import streamlit as st

from ui import audit, parts, watching

QUESTION = "Who did what?"

slot = st.container(gap="small")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    text, limit = audit.search()
    st.space("stretch")
    audit.show_download(text)

rows = None
with parts.guarded("the audit log"):
    rows = watching.audit_rows(limit, 0, text)
with slot:
    parts.header(QUESTION, lambda: "The audit log could not be read." if rows is None else audit.answer(rows, text, limit))
if rows is None:
    st.stop()
if not rows:
    parts.empty(
        "history",
        "Nothing here" if text else "No action yet",
        "Every stop, acknowledgement and policy step is listed here with who, why and what came of it, refusals too; for good.",
    )
    st.stop()

with parts.guarded("the table of actions"):
    audit.show(rows)
    audit.show_more(rows, limit)
