"""What is this one?"""

import streamlit as st

from ui import job, jobfacts, jobwatch, parts
from ui.figures import show_figure
from ui.jobfigures import lines_figure, timeline_figure

detail = job.chosen()
findings = []
with parts.guarded("the job's findings"):
    findings = jobwatch.open_findings(detail)
target = None
with parts.guarded("what stopping would mean"):
    target = jobwatch.stop_target(detail)
job.show_title(detail, findings, target)
with parts.guarded("the actions"):
    jobwatch.show_actions(detail, findings, target)
parts.figures(lambda: job.cards(detail, target))

spans, until = job.spans(detail)
if spans:
    with parts.panel("What happened", job.timeline_note(detail)) as note:
        kind, lines = jobwatch.use_lines(detail)
        note(jobwatch.use_note(detail, kind, lines))
        figure = timeline_figure(spans, until, lines, jobwatch.bad_spans(findings, until), job.saves(detail))
        show_figure(figure, f"{job.timeline_alt(detail)}. {jobwatch.use_alt(kind, lines)}", key="timeline")

left, right = st.columns(2, gap="small")
with left, parts.panel("Findings", "What the rules say of it, and have said"):
    jobwatch.show_findings(detail)
with right, parts.panel("Training metrics", "What SageMaker reads from its log"):
    own = jobwatch.own_lines(detail)
    if own:
        show_figure(lines_figure(own), f"Training metrics over time: {', '.join(name for name, _, _ in own)}", key="own-metrics")
    else:
        jobwatch.show_final_metrics(detail)

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
