"""The figures of one job: its states and the use of its hosts on one clock, and its own metrics."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

from ui.figures import ACCENT, ACCENT_SOFT, GRAY, GRAY_MID, GRAY_SOFT, GREEN, RED, RED_SOFT, TEXT, label_right, spread, styled
from ui.words import html

Span = tuple[str, datetime, datetime, str]
Line = tuple[str, Sequence[datetime], Sequence[float]]
GAP = timedelta(minutes=20)
LINE_COLORS = (ACCENT, GRAY, GRAY_MID)
_TONES = {"Training": ACCENT_SOFT, "Uploading": ACCENT_SOFT, "Interrupted": RED_SOFT, "Stopping": GRAY_SOFT}


def timeline_figure(
    spans: Sequence[Span],
    until: datetime,
    lines: Sequence[Line] = (),
    bad: Sequence[tuple[datetime, datetime, str]] = (),
    saves: Sequence[datetime] = (),
) -> go.Figure:
    """A job's states as (status, start, end, message), with its hosts' use in percent below on the same clock; all in the viewer's zone.

    Stretches that are `bad` are tinted, `saves` are marked between the two. Without lines there are the states alone.
    """
    figure = go.Figure()
    for span in spans:
        _add_state(figure, span, "y2" if lines else "y")
    for place, (title, times, values) in enumerate(lines):
        xs, ys = _with_gaps(times, values)
        figure.add_scatter(
            x=xs, y=ys, mode="lines", name=html(title), hovertemplate=f"{html(title)} %{{y:.0f}}%<extra></extra>",
            line={"color": LINE_COLORS[place % len(LINE_COLORS)], "width": 1.5},
        )  # fmt: skip
    styled(figure, height=300 if lines else 110, top=4, right=76 if lines else 8)
    figure.update_layout(barmode="overlay", uniformtext={"minsize": 10, "mode": "hide"}, hovermode="closest")
    first = min((start for _, start, _, _ in spans), default=until)
    margin = (until - first) * 0.01
    shown = [(first - margin).replace(tzinfo=None), (until + margin).replace(tzinfo=None)]
    figure.update_xaxes(type="date", tickformat="%H:%M\n%-d %b", nticks=7, range=shown)
    bare = {"showticklabels": False, "showgrid": False, "tickprefix": "", "tickformat": "", "fixedrange": True}
    if not lines:
        figure.update_yaxes(**bare)
        return figure
    figure.update_layout(
        yaxis={"domain": [0.0, 0.72], "range": [0, 104], "tickprefix": "", "tickformat": "", "ticksuffix": "%", "nticks": 4},
        yaxis2={"domain": [0.82, 1.0], "anchor": "x", "range": [-0.5, 0.5], **bare},
    )
    if saves:
        figure.add_scatter(
            x=list(saves), y=[0] * len(saves), yaxis="y3", mode="markers", name="checkpoint",
            hovertemplate="saved %{x|%H:%M}<extra></extra>",
            marker={"symbol": "diamond", "size": 8, "color": GREEN},
        )  # fmt: skip
        figure.update_layout(yaxis3={"domain": [0.73, 0.81], "anchor": "x", "range": [-0.5, 0.5], **bare})
        label_right(figure, 0, "saves", GREEN, yref="y3")
    _tint(figure, bad)
    _name_lines(figure, lines)
    return figure


def lines_figure(lines: Sequence[Line], height: int = 240) -> go.Figure:
    """Metrics over time, each named at the right; the axis has their own unit."""
    figure = go.Figure()
    for place, (title, times, values) in enumerate(lines):
        figure.add_scatter(
            x=list(times), y=list(values), mode="lines", name=html(title), hovertemplate=f"{html(title)} %{{y:.4g}}<extra></extra>",
            line={"color": LINE_COLORS[place % len(LINE_COLORS)], "width": 1.8},
        )  # fmt: skip
    styled(figure, height=height, right=120)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(type="date", tickformat="%H:%M\n%-d %b", nticks=5)
    figure.update_yaxes(tickprefix="", tickformat=".3g", rangemode="normal")
    ends = [(title, values[-1]) for title, _, values in lines if len(values) and values[-1] == values[-1]]
    low, high = min((value for _, value in ends), default=0.0), max((value for _, value in ends), default=0.0)
    gap = max(abs(high), abs(low), 1e-9) * 0.12
    for (title, _), y, place in zip(ends, spread([value for _, value in ends], gap), range(len(ends)), strict=True):
        label_right(figure, y, html(title[:18]), LINE_COLORS[place % len(LINE_COLORS)])
    return figure


def _add_state(figure: go.Figure, span: Span, axis: str) -> None:
    status, start, end, message = span
    hover = f"<b>{status}</b><br>{start:%-d %b %H:%M:%S} to {end:%-d %b %H:%M:%S}"
    figure.add_bar(
        x=[(end - start).total_seconds() * 1000], base=[start.replace(tzinfo=None)], y=[0], orientation="h", width=0.8, name=status,
        yaxis=axis,
        marker={"color": _TONES.get(status, GRAY_MID if status.startswith("Download") else GRAY_SOFT), "line": {"width": 0}},
        text=status, textposition="inside", insidetextanchor="middle", textangle=0, textfont={"size": 11, "color": TEXT},
        hovertemplate=f"{hover}{f'<br>{message}' if message else ''}<extra></extra>",
    )  # fmt: skip


def _with_gaps(times: Sequence[datetime], values: Sequence[float]) -> tuple[list[datetime | None], list[float | None]]:
    """The points with a break wherever samples are missing, so that no line is drawn where nobody measured."""
    xs: list[datetime | None] = []
    ys: list[float | None] = []
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        if place and time - times[place - 1] > GAP:
            xs.append(None)
            ys.append(None)
        xs.append(time)
        ys.append(value)
    return xs, ys


def _tint(figure: go.Figure, bad: Sequence[tuple[datetime, datetime, str]]) -> None:
    for start, end, words in bad[:3]:
        figure.add_vrect(x0=start.replace(tzinfo=None), x1=end.replace(tzinfo=None), fillcolor=RED, opacity=0.10, line_width=0)
        figure.add_annotation(
            x=start.replace(tzinfo=None),
            y=60,
            text=html(words),
            font={"color": RED, "size": 12},
            showarrow=False,
            xanchor="right",
            xshift=-4,
        )


def _name_lines(figure: go.Figure, lines: Sequence[Line]) -> None:
    ends = [(place, title, values[-1]) for place, (title, _, values) in enumerate(lines) if len(values)]
    for (place, title, _), y in zip(ends, spread([value for _, _, value in ends], 11.0), strict=True):
        label_right(figure, y, html(title), LINE_COLORS[place % len(LINE_COLORS)])
