"""What every page is made of: header, figures, panels with their four states, empty states."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException

from ui.freshness import show_chip
from ui.words import md

log = logging.getLogger("trainwatch.ui")


def header(question: str, answer: str) -> None:
    """The page's question, how fresh its data is, and the answer in a sentence of our own words (Markdown)."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(question, anchor=False, width="stretch")
        with st.container(width="content"):
            show_chip()
    st.markdown(f"#### {md(answer)}", anchors=False)


def figures(cards: Sequence[Mapping[str, Any]]) -> None:
    """Bordered figures, each with its comparison and what it means on hover."""
    grid = st.grid(len(cards), min_column_width=150, gap="small")
    looks: dict[str, Any] = {"border": True, "height": "stretch", "delta_arrow": "off", "delta_color": "gray", "chart_type": "line"}
    for card in cards:
        words: dict[str, Any] = {key: md(value) if isinstance(value, str) and key != "help" else value for key, value in card.items()}
        grid.metric(**looks | words)


@contextmanager
def panel(title: str, note: str = "", *, border: bool = True) -> Iterator[None]:
    """A titled part of a page. What fails in it is logged, said in a sentence, and stays in it.

    This is the one broad except of the browser's side: a page is never taken down by one of its parts.
    """
    with st.container(border=border, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            st.subheader(title, anchor=False, width="content")
            if note:
                st.caption(md(note))
        try:
            yield
        except (RerunException, StopException):
            raise
        except Exception:
            log.exception("the panel %r failed", title)
            failure()


def failure() -> None:
    """Says that something could not be read, and what to do; the log has the rest."""
    st.markdown(
        ":red[:material/error:] This part could not be read. Reload the page; if it stays so, the server's log says why.",
        anchors=False,
    )


def empty(icon: str, title: str, why: str) -> None:
    """What would be here, and why it is not."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("medium")
        st.markdown(f"## :gray[:material/{icon}:]", width="content", anchors=False)
        st.subheader(title, anchor=False, width="content")
        st.caption(md(why), width="content")
        st.space("medium")


NOTHING_YET = (
    "Jobs appear here a moment after the collectors first reach AWS. "
    "`trainwatch doctor` says what stands in the way; `trainwatch collect --once` asks at once."
)


def nothing_yet() -> None:
    """The empty state of every page before the first collection."""
    empty("hourglass_empty", "Nothing collected yet", NOTHING_YET)
