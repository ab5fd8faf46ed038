"""What a job's page shows of how it does: findings, utilisation per host, its own metrics, and what can be done about it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

import pandas as pd
import streamlit as st

from domain.findings.judge import TITLES
from domain.findings.series import Series
from domain.findings.situation import CPU, GPU
from domain.instances import instance_type
from domain.stopping import StopTarget
from storage.samples import MEAN, OWN, WORST
from storage.views.findings import FindingRow
from storage.views.joblist import JobDetail
from ui import console, quieting, stopping, watching
from ui import words as w
from ui.runaway import SEVERITY

C = st.column_config
MOST_HOSTS, MOST_METRICS = 8, 6
LATELY = 12  # points
Line = tuple[str, list[datetime], list[float]]


def open_findings(detail: JobDetail) -> list[FindingRow]:
    """The job's findings that are open, gravest first."""
    return [row for row in watching.findings_of(detail.row.job_id)[0] if row.closed_at is None]


def show_badges(rows: Sequence[FindingRow]) -> None:
    """What is wrong, beside the name."""
    for row in rows[:3]:
        color, icon = SEVERITY.get(row.severity, SEVERITY["info"])
        st.badge(TITLES.get(row.rule, w.plain(row.rule, 40)), icon=icon, color=color)  # type: ignore[arg-type] # a literal out of a table


def stop_target(detail: JobDetail) -> StopTarget | None:
    """The job as something to stop; None where it does not live."""
    return watching.stop_targets([detail.row.job_id]).get(detail.row.job_id) if detail.row.live else None


def show_actions(detail: JobDetail, rows: Sequence[FindingRow], target: StopTarget | None) -> None:
    """Stop, what can be done about findings, and the ways into AWS."""
    row = detail.row
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if target is not None:
            stopping.show_button(target, rows[0].rule if rows else None, "stop-job", primary=True)
        for offer in quieting.offers(rows) if rows else []:
            if st.button(offer, key=f"quiet-{offer}"):
                quieting.chosen(rows, offer)
        st.space("stretch")
        st.link_button("Logs", console.logs_url(row.region, row.name), icon=":material/notes:", type="tertiary")
        st.link_button("AWS console", console.job_url(row.region, row.name), icon=":material/open_in_new:", type="tertiary")


def show_findings(detail: JobDetail) -> None:
    """Every finding there has been, and what cannot be judged."""
    rows, unjudged = watching.findings_of(detail.row.job_id)
    for row in rows:
        color, icon = SEVERITY.get(row.severity, SEVERITY["info"])
        title = TITLES.get(row.rule, w.plain(row.rule, 40))
        if row.closed_at is None:
            st.markdown(f":{color}-badge[{icon} {title}] {w.plain(row.evidence)}")
            st.caption(w.md(f"{_since(row).capitalize()}. {w.plain(row.advice)}"))
            if row.quiet_kind:
                st.caption(f":material/notifications_paused: {quieting.quiet_words(row)}")
        else:
            closed = f"closed {w.utc(row.closed_at)}: {w.plain(row.closed_because, 100)}"
            st.caption(f"{icon} {title}, {_since(row)}, {closed}. {w.plain(row.evidence)}")
    for why in dict.fromkeys(unjudged.values()):
        rules = ", ".join(TITLES.get(rule, rule) for rule, reason in unjudged.items() if reason == why)
        st.caption(f":gray[:material/help:] No verdict ({rules}): {w.plain(why, 300)}")
    if not rows and not unjudged:
        st.caption("No rule has found anything.")


def _since(row: FindingRow) -> str:
    wasted = "" if row.wasted_nusd is None else f", wasted {w.usd(row.wasted_nusd)}, an estimate"
    return f"since {w.utc(row.since)}{wasted}"


def use_lines(detail: JobDetail) -> tuple[str, list[Line]]:
    """Each host's use in percent of its capacity: of its GPUs where it has any, else of its cores; and which of the two it is."""
    series = _series(detail)
    hosts = [kind for kind, count, _ in detail.row.instances for _ in range(count)]
    metric = GPU if any(name == GPU for _, name in series) else CPU
    lines: list[Line] = []
    for (number, name), one in sorted(series.items()):
        capacity = _capacity(hosts, number, metric)
        if name == metric and number != OWN and capacity:
            title = {WORST: "worst host", MEAN: "mean"}.get(number, f"algo-{number}")
            lines.append((title, _instants(one), [value / capacity for value in one.values]))
    return "GPU" if metric == GPU else "CPU", _worst(lines)


def use_note(detail: JobDetail, kind: str, lines: Sequence[Line]) -> str:
    """Whose use is drawn."""
    hosts = sum(count for _, count, _ in detail.row.instances)
    if not lines:
        return "No samples of its use are kept."
    few = f"; of {hosts:,} hosts the {len(lines)} that use least" if hosts > len(lines) and hosts > MOST_HOSTS else ""
    return f"{kind} use per host below the states{few}"


def _worst(lines: list[Line]) -> list[Line]:
    """All lines of a few hosts; of more those that end lowest, since these are what somebody looks for."""
    if len(lines) <= MOST_HOSTS:
        return lines
    lowest = sorted(lines, key=lambda line: fmean(line[2][-LATELY:] or [0.0]))[:MOST_HOSTS]
    return [line for line in lines if any(line is one for one in lowest)]


def own_lines(detail: JobDetail) -> list[Line]:
    """The job's own metrics, by name."""
    own = [(name, one) for (number, name), one in sorted(_series(detail).items()) if number == OWN]
    return [(name, _instants(one), list(one.values)) for name, one in own[:MOST_METRICS]]


def _series(detail: JobDetail) -> Mapping[tuple[int, str], Series]:
    return watching.series_of(detail.row.job_id, detail.row.ended_at or detail.row.observed_at)


def _capacity(hosts: Sequence[str], number: int, metric: str) -> int | None:
    kind = instance_type(hosts[number - 1 if 0 < number <= len(hosts) else 0]) if hosts else None
    return None if kind is None else kind.gpus if metric == GPU else kind.vcpus


def _instants(one: Series) -> list[datetime]:
    zone = w.zone_named(st.context.timezone)
    return [datetime.fromtimestamp(time, UTC).astimezone(zone).replace(tzinfo=None) for time in one.times]


def bad_spans(rows: Sequence[FindingRow], until: datetime) -> list[tuple[datetime, datetime, str]]:
    """Stretches that critical findings speak of, as (start, end, words) in the viewer's zone."""
    zone = w.zone_named(st.context.timezone)
    return [
        (row.since.astimezone(zone), (row.closed_at or until).astimezone(zone), TITLES.get(row.rule, row.rule))
        for row in rows
        if row.severity == "critical"
    ]


def use_alt(kind: str, lines: Sequence[Line]) -> str:
    """What the lines show, in a sentence."""
    latest = ", ".join(f"{title} at {values[-1]:.0f} percent" for title, _, values in lines if values)
    return f"{kind} use per host over the last week: {latest}" if latest else f"No {kind} samples"


def show_final_metrics(detail: JobDetail) -> None:
    """The last value of each metric as SageMaker keeps it, of jobs whose series nobody collected."""
    found = detail.description.get("FinalMetricDataList")
    rows = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    if not rows:
        st.caption("The job has reported no metric of its own; metric definitions tell SageMaker what to read from its log.")
        return
    frame = pd.DataFrame([{"metric": w.cell(str(one.get("MetricName")), 120), "value": _number(one.get("Value"))} for one in rows])
    st.dataframe(frame, hide_index=True, column_config={"metric": C.TextColumn("Metric"), "value": C.TextColumn("Last value", width=120)})


def _number(value: Any) -> str:
    try:
        return f"{float(value):.6g}"
    except (TypeError, ValueError):
        return w.UNKNOWN
