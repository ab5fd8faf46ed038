"""One Plotly template for light and dark, and the figures that pages share.

Colours are written as the placeholders of Streamlit's own template, which the browser replaces by the viewer's theme: the
server never has to know whether a viewer is in light or dark, and a theme switch needs no rerun.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from domain.attribution import UNATTRIBUTED
from domain.money import NANO
from ui import reads
from ui.words import day as day_words
from ui.words import html, usd, zone_named

_SLOTS = pio.templates["streamlit"].layout.colorway
_DIVERGING = [color for _, color in pio.templates["streamlit"].layout.colorscale.diverging]
_SEQUENTIAL = [color for _, color in pio.templates["streamlit"].layout.colorscale.sequential]
RED, RED_SOFT, FAINT, GRAY_SOFT, GRAY_MID, GRAY = _DIVERGING[1], _DIVERGING[3], _DIVERGING[4], _DIVERGING[5], _DIVERGING[6], _DIVERGING[7]
GREEN, ACCENT, ACCENT_SOFT = _DIVERGING[8], _DIVERGING[9], _SEQUENTIAL[2]
TEXT, BACKGROUND = "#000037", "#000038"  # placeholders as well
GRID, TICK = "rgba(128,134,148,0.18)", "#717888"  # readable on both backgrounds

pio.templates["trainwatch"] = go.layout.Template(
    layout={
        "hovermode": "x unified",
        "showlegend": False,
        "bargap": 0.28,
        "barcornerradius": 2,
        "dragmode": False,
        "separators": ".,",
        "hoverlabel": {"align": "left", "namelength": -1},
        "xaxis": {
            "fixedrange": True, "ticks": "", "showline": False, "hoverformat": "%a %-d %b", "spikethickness": 1, "spikedash": "dot",
            "spikecolor": "rgba(128,134,148,0.7)",
        },
        "yaxis": {
            "fixedrange": True, "ticks": "", "nticks": 5, "tickprefix": "$", "tickformat": "~s", "rangemode": "tozero", "side": "left",
        },
    }
)  # fmt: skip


def team_colors(teams: Sequence[str] | None = None) -> dict[str, str]:
    """Each team's colour, stable for life: by its place among all teams; what belongs to nobody is grey."""
    known = reads.team_ids() if teams is None else teams
    named = [team for team in known if team != UNATTRIBUTED]
    # The tenth slot is the grey one.
    return {team: _SLOTS[place % 9] for place, team in enumerate(named)} | {UNATTRIBUTED: _SLOTS[9]}


def styled(figure: go.Figure, height: int = 260, right: int = 8, top: int = 8, bottom: int = 24) -> go.Figure:
    """The figure with what the browser's theme would overwrite in a template."""
    figure.update_layout(
        template="streamlit+trainwatch",
        height=height,
        margin={"l": 0, "r": right, "t": top, "b": bottom, "pad": 6},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    font = {"size": 11, "color": TICK}
    figure.update_xaxes(showgrid=False, zeroline=False, title=None, tickfont=font, tickangle=0)
    figure.update_yaxes(gridwidth=1, gridcolor=GRID, zeroline=False, title=None, tickfont=font)
    return figure


def show_figure(figure: go.Figure, alt: str, key: str) -> None:
    """Draws a figure; `alt` says in a sentence what it shows.

    The theme is part of the key: a chart keeps the colours it was first drawn with until it is mounted anew.
    """
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt, key=f"{key}-{st.context.theme.type}")


def label_right(figure: go.Figure, y: float, text: str, color: str, **more: Any) -> None:
    """A name at the end of a series: a swatch in its colour, the words in the theme's text colour."""
    figure.add_annotation(
        x=1, xref="paper", y=y, text=f'<span style="color:{color}">■</span> {text}', font={"size": 12}, showarrow=False,
        xanchor="left", xshift=8, align="left", **more,
    )  # fmt: skip


def spread(values: Sequence[float], gap: float) -> list[float]:
    """The positions moved apart until each is at least `gap` above the one before."""
    placed, last = [0.0] * len(values), float("-inf")
    for place in sorted(range(len(values)), key=lambda index: values[index]):
        placed[place] = last = max(values[place], last + gap)
    return placed


def stacked_days_figure(daily: Mapping[str, Mapping[date, int]], days: Sequence[date], today: date, height: int = 262) -> go.Figure:
    """Bars per UTC day stacked by team, in dollars; teams named at the right, today drawn paler."""
    figure, colors = go.Figure(), team_colors()
    teams = [team for team in colors if any(daily.get(team, {}).values())]
    stamps = [datetime(one.year, one.month, one.day) for one in days]  # noqa: DTZ001 - an axis of days has no zone
    totals = [0.0] * len(days)
    for team in teams:
        values = [daily[team].get(one, 0) / NANO for one in days]
        totals = [before + value for before, value in zip(totals, values, strict=True)]
        opacity = [0.45 if one == today else 1.0 for one in days]
        figure.add_bar(x=stamps, y=values, name=_name(team), marker={"color": colors[team], "opacity": opacity}, hovertemplate="$%{y:,.2f}")
    figure.add_scatter(
        x=stamps, y=totals, name="<b>total</b>", mode="lines", line={"width": 0, "color": "rgba(0,0,0,0)"},
        hovertemplate="<b>$%{y:,.2f}</b>",
    )  # fmt: skip
    figure.update_layout(barmode="stack")
    _name_stack(figure, daily, teams, days, max(totals, default=0.0), colors)
    longest = max((len(_name(team)) for team in teams), default=4)
    styled(figure, height=height, right=26 + 7 * min(longest, 14))
    figure.update_xaxes(tickformat="%-d %b", nticks=6)
    return figure


def _name_stack(
    figure: go.Figure,
    daily: Mapping[str, Mapping[date, int]],
    teams: Sequence[str],
    days: Sequence[date],
    top: float,
    colors: Mapping[str, str],
) -> None:
    """Team names at the height of their bars on the tallest day, moved apart where they would lie on each other."""
    if not teams or top <= 0:
        return
    reference = max(days, key=lambda one: sum(daily[team].get(one, 0) for team in teams))
    middles, total = [], 0.0
    for team in teams:
        value = daily[team].get(reference, 0) / NANO
        middles.append(total + value / 2)
        total += value
    for team, y in zip(teams, spread(middles, top * 0.085), strict=True):
        label_right(figure, y, _name(team), colors[team])


def treemap_figure(nodes: Sequence[tuple[str, str, str, int, str]], height: int = 320) -> go.Figure:
    """A treemap of (id, label, parent id, nano-dollars, team), two levels at a time; a click opens the next."""
    colors = team_colors()
    ids, labels, parents, values, owners = [list(column) for column in zip(*nodes, strict=True)] or [[], [], [], [], []]
    figure = go.Figure(
        go.Treemap(
            ids=ids, labels=labels, parents=parents, values=[value / NANO for value in values], texttemplate="%{label}",
            branchvalues="total", maxdepth=2, sort=True, tiling={"pad": 0, "squarifyratio": 1.4}, textfont={"size": 12}, opacity=0.92,
            marker={
                "colors": [colors.get(team, GRAY) for team in owners], "line": {"width": 1, "color": BACKGROUND},
                "pad": {"t": 24, "l": 3, "r": 3, "b": 3}, "cornerradius": 3,
            },
            pathbar={"visible": True, "thickness": 20},
            hovertemplate="%{id}<br>$%{value:,.2f}<br>%{percentParent:.0%} of its parent<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(uniformtext={"minsize": 11, "mode": "hide"})
    return styled(figure, height=height, bottom=0, right=0, top=0)


def waste_figure(moments: Sequence[datetime], total: Sequence[int], waste: Sequence[int], height: int = 190) -> go.Figure:
    """Burn per hour over time, and at the top of it in red how much of it is for nothing; moments are shown in the viewer's zone."""
    zone = zone_named(st.context.timezone)
    stamps = [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]
    lost = [amount / NANO for amount in waste]
    good = [amount / NANO - wasted for amount, wasted in zip(total, lost, strict=True)]
    figure = go.Figure()
    for values, name, color in ((good, "working", GRAY_SOFT), (lost, "for nothing", RED)):
        figure.add_scatter(
            x=stamps, y=values, name=name, mode="lines", stackgroup="burn", line={"width": 0 if name == "working" else 1, "color": color,
            "shape": "hv"}, hovertemplate="$%{y:,.2f}/h",
        )  # fmt: skip
    styled(figure, height=height, right=96)
    top = max((amount / NANO for amount in total), default=0.0)
    if top > 0:
        places = spread([good[-1] / 2, good[-1] + lost[-1] / 2], top * 0.14)
        label_right(figure, places[0], "working", GRAY_MID)
        label_right(figure, places[1], "for nothing", RED)
    figure.update_xaxes(tickformat="%H:%M", hoverformat="%a %H:%M", nticks=6)
    return figure


def risk_figure(bars: Sequence[tuple[str, float, str, bool]]) -> go.Figure:
    """Horizontal bars of (name, dollars, words, red), the first on top."""
    figure = go.Figure()
    names = [html(name if len(name) <= 28 else f"{name[:27]}…") for name, *_ in bars]
    figure.add_bar(
        x=[dollars for _, dollars, _, _ in bars], y=list(range(len(bars))), orientation="h", width=0.5,
        text=[html(words) for _, _, words, _ in bars],
        textposition="outside", cliponaxis=False, marker={"color": [RED if red else GRAY_MID for *_, red in bars]},
        customdata=[html(name) for name, *_ in bars], hovertemplate="%{customdata}<br>$%{x:,.2f}<extra></extra>",
    )  # fmt: skip
    styled(figure, height=40 + 30 * len(bars), right=150, bottom=8)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(bars))),
        ticktext=names,
        tickprefix="",
        tickformat="",
        showgrid=False,
        autorange="reversed",
    )
    return figure


def search_figure(steps: Sequence[tuple[float, float, float, str]], height: int = 240) -> go.Figure:
    """Trials of a search as (dollars spent by then, value, best by then, name): each a point, the best so far a line."""
    figure = go.Figure()
    spent = [step[0] for step in steps]
    figure.add_scatter(
        x=spent, y=[step[2] for step in steps], mode="lines", name="best so far", line={"color": ACCENT, "width": 2, "shape": "hv"},
        hovertemplate="best %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=spent, y=[step[1] for step in steps], mode="markers", name="trial", marker={"color": GRAY_MID, "size": 8},
        customdata=[html(step[3]) for step in steps], hovertemplate="%{customdata}<br>%{y:.4g} after $%{x:,.2f}<extra></extra>",
    )  # fmt: skip
    styled(figure, height=height, right=96)
    label_right(figure, steps[-1][2], "best so far", ACCENT)
    figure.update_layout(hovermode="closest")
    # Below ten dollars ~s would write cents as thousandths: $500m.
    figure.update_xaxes(tickprefix="$", tickformat="~s" if max(spent) >= 10 else ".2f", nticks=6)
    figure.update_yaxes(tickprefix="", tickformat=".3g", rangemode="normal")
    return figure


def _name(team: str) -> str:
    """A team's id as a label: HTML means nothing in it."""
    cut = team if len(team) <= 14 else f"{team[:13]}…"
    return html(cut)


def stack_alt(daily: Mapping[str, Mapping[date, int]], days: Sequence[date]) -> str:
    """What a stack of days shows, in a sentence for those who cannot see it."""
    totals = {team: sum(values.get(one, 0) for one in days) for team, values in daily.items()}
    if not any(totals.values()):
        return "Nothing was billed on these days."
    largest = max(totals, key=lambda team: totals[team])
    whole = usd(sum(totals.values()))
    when = f"from {day_words(days[0])} to {day_words(days[-1])}"
    return f"Billed per UTC day {when}, {whole} in all; {largest} is the largest with {usd(totals[largest])}"
