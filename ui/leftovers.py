"""What keeping leftovers costs: in words, and as one line on pages about money."""

from collections.abc import Sequence

import streamlit as st

from storage.leftover_months import LeftoverMonth
from ui import parts, places, watching
from ui import words as w


def monthly(costs: Sequence[LeftoverMonth]) -> int | None:
    """Nano-dollars a month as far as prices are known; None where none is."""
    known = [one.known_nusd for one in costs if one.known_nusd is not None]
    return sum(known) if known or not costs else None


def monthly_words(costs: Sequence[int | None]) -> str:
    """`$3.20 a month`, or as far as that is known."""
    known = [cost for cost in costs if cost is not None]
    if costs and not known:
        return "a cost that is not known"
    return f"{'at least ' if len(known) < len(costs) else ''}{w.usd(sum(known))} a month"


def growth(costs: Sequence[LeftoverMonth], teams: Sequence[str]) -> str:
    """By how much the cost a month has changed, and since when, at most four weeks ago; empty where nobody looked before."""
    before, now = watching.leftovers_before(teams), monthly(costs)
    return "" if before is None or now is None else f"{w.usd(now - before[1], sign=True)} since {before[0]:%-d %b}"


def show_line(teams: Sequence[str]) -> None:
    """What training left in S3, what that costs a month, how it grows and whose is most, which leads to Clean; nothing before a look."""
    with parts.guarded("the line on leftovers"):
        found = [one for one in watching.leftover_costs() if one.kind != "artifacts" and (not teams or one.team in teams)]
        if not found:
            return
        label = (
            f"Leftovers of training in S3: {w.size(sum(one.bytes for one in found))}, {monthly_words([one.known_nusd for one in found])}"
        )
        grown, most = growth(found, teams), _most(found)
        label += f", {grown}" if grown else ""
        label += f"; most is {w.shown(most, 40)}'s" if most else ""
        st.page_link(places.clean_page(), label=w.plain(f"{label}; at list price, in no figure above"), icon=":material/mop:")


def _most(costs: Sequence[LeftoverMonth]) -> str:
    """The team whose leftovers cost most, of several."""
    by_team: dict[str, int] = {}
    for one in costs:
        by_team[one.team] = by_team.get(one.team, 0) + one.nusd_per_month
    return max(by_team, key=lambda team: by_team[team]) if len(by_team) > 1 else ""
