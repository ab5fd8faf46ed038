"""Columns and downloads that tables share."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from domain.attribution import UNATTRIBUTED
from reports.figures import csv_cell
from ui import reads
from ui.words import cell

C = st.column_config


def team_column(label: str = "Team") -> Any:
    """A badge in the team's colour."""
    named = [team for team in reads.team_ids() if team != UNATTRIBUTED]
    # Colours go by place: what belongs to nobody stands tenth, where the grey one is.
    places = [*named[:9], *(f"\u200b{place}" for place in range(len(named), 9)), UNATTRIBUTED, *named[9:]]
    return C.MultiselectColumn(label, options=places, color="auto", width=96)


def chip(text: str) -> list[str]:
    """A badge's value: a list of one, or empty."""
    return [cell(text, 60)] if text else []


def money_column(label: str, **more: Any) -> Any:
    """Dollars with cents."""
    return C.NumberColumn(label, format="$%,.2f", **more)


def share_column(label: str, **more: Any) -> Any:
    """A quiet bar from 0 to 100 percent."""
    return C.ProgressColumn(label, format="%d%%", min_value=0, max_value=100, color="gray", **more)


def clickable_table(
    rows: pd.DataFrame, opens: str, key: str, open_row: Callable[[int], None], config: Mapping[str, Any], **more: Any
) -> None:
    """A table of which one column is buttons: a click on row n calls `open_row(n)`."""
    button = C.ButtonColumn(config[opens]["label"], type="tertiary", alignment="left", key=key, width=config[opens]["width"])
    st.dataframe(rows, hide_index=True, column_config={**config, opens: button}, placeholder="", **more)
    clicked = st.session_state.get(key)
    if clicked is not None:
        open_row(int(clicked["row"]))


def download(label: str, columns: Sequence[str], rows: Callable[[], Iterable[Sequence[Any]]], name: str) -> None:
    """A CSV download, made when it is asked for; no cell is taken for a formula."""

    def made() -> bytes:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(columns)
        writer.writerows([csv_cell(value) for value in row] for row in rows())
        return buffer.getvalue().encode("utf-8-sig")  # spreadsheets take UTF-8 for UTF-8 only with the mark

    st.download_button(
        label,
        made,
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"download-{name}",
    )
