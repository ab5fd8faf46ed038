"""What keeping leftovers costs, as one line on pages about money."""

from collections.abc import Sequence

import streamlit as st

from ui import parts, places, watching
from ui import words as w


def show_line(teams: Sequence[str]) -> None:
    """The cost a month of what training left in S3, which leads to Clean; nothing where nobody has looked yet."""
    with parts.guarded("the line on leftovers"):
        found = [one for one in watching.leftover_costs() if one.kind != "artifacts" and (not teams or one.team in teams)]
        if not found:
            return
        size, cost = sum(one.bytes for one in found), sum(one.nusd_per_month for one in found)
        label = f"Leftovers of training in S3: {w.size(size)}, {w.usd(cost)} a month at list price, in no figure above"
        st.page_link(places.clean_page(), label=w.plain(label), icon=":material/mop:")
