"""What is this one?"""

import streamlit as st

from ui import job, jobfacts, parts
from ui.figures import show_figure, timeline_figure

detail = job.chosen()
job.show_title(detail)
parts.figures(lambda: job.cards(detail))

spans, until = job.spans(detail)
if spans:
    with parts.panel("What happened", job.timeline_note(detail)):
        show_figure(timeline_figure(spans, until), job.timeline_alt(detail), key="timeline")

left, right = st.columns(2, gap="small")
with left:
    with parts.panel("Where the money went", jobfacts.money_note(detail)):
        jobfacts.show_money(detail)
    with parts.panel("Settings of the job", "What looked like a secret was masked before it was stored."):
        jobfacts.show_parameters(detail)
with right, parts.panel("Whose job, on what"):
    jobfacts.show_facts(detail)

if detail.oddities:
    with parts.panel("Oddities", "What was unexpected in AWS's answer"):
        jobfacts.show_oddities(detail)
