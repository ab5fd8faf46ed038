"""What every page is made of: header, figures, panels with their four states, empty states."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException

from storage.engine import DatabaseUnusable
from ui import reads
from ui.freshness import LOOK, Freshness, freshness
from ui.words import md

_DRAWN, _HELD = "drawn", "held"
log = logging.getLogger("trainwatch.ui")


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """A part of a page whose failure is logged, said in a sentence in its place, and stays in it.

    A page is never taken down by one of its parts. (The threads of ui.cleanruns have the other broad except of the browser's side.)
    """
    try:
        yield
    except (RerunException, StopException, DatabaseUnusable):
        raise  # a database that cannot be used at all is said once, by the frame
    except Exception:
        log.exception("%s failed", what)
        failure()


def begin() -> None:
    """Notes which data this run of a page starts from, before anything is read: what comes in meanwhile is newer than the page."""
    st.session_state[_HELD] = False
    with guarded("the pulse of the data"):
        st.session_state[_DRAWN] = reads.pulse()


def hold() -> None:
    """Keeps the page as it is while a dialog is open over it, which drawing the page anew would close; until the next whole run."""
    st.session_state[_HELD] = True


def show_chip() -> None:
    """How fresh what is shown is, at the top right."""
    with st.container(width="content"), guarded("the pulse of the data"):
        chip = st.fragment(_chip, run_every=reads.current_settings().dashboard.refresh_seconds)
        chip(st.session_state.get(_DRAWN) or reads.pulse())


def _chip(drawn: str) -> None:
    """The chip looks again by itself, at our database alone, and where there is something newer than what was `drawn`
    (see `reads.pulse`) the whole page is drawn anew, so that no figure is older than the chip says.
    """
    with guarded("the freshness chip"):
        if reads.pulse() != drawn and not st.session_state.get(_HELD):
            st.rerun()
        found = _freshness()
        color, icon = LOOK[found.level]
        st.badge(found.words, icon=icon, color=color, help=found.details)  # type: ignore[arg-type] # a literal out of a table


def _freshness() -> Freshness:
    return freshness(reads.collector_states(), reads.now(), reads.current_settings().collect.seconds)


def show_reason() -> None:
    """Why the last collection failed, on every page, since then no figure is complete; nothing while it goes well."""
    with guarded("the reason of a failure"):
        reason = _freshness().reason
        if reason:
            st.caption(f":red[:material/sync_problem: The last collection failed.] {reason}")


def header(question: str, answer: Callable[[], str], *, reason: bool = True) -> None:
    """The page's question, how fresh its data is, and the answer in a sentence of our own words (Markdown)."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(question, anchor=False, width="stretch")
        show_chip()
    with guarded(f"the answer to {question!r}"):
        st.markdown(f"#### {md(answer())}", anchors=False)
    if reason:
        show_reason()


def require_jobs(question: str) -> None:
    """Ends the page where nothing was collected yet, saying what would be here and the next step."""
    there = None
    slot = st.container(gap="small")
    with guarded("the look for jobs"):
        there = reads.has_jobs()
    if there:
        return
    with slot:
        header(question, lambda: "Nothing has been collected yet." if there is False else "The database did not answer.")
    if there is False:
        nothing_yet()
    st.stop()


def figures(cards: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
    """Bordered figures, each with its comparison and what it means on hover."""
    looks: dict[str, Any] = {"border": True, "height": "stretch", "delta_arrow": "off", "delta_color": "gray", "chart_type": "line"}
    with guarded("the figures"):
        found = cards()
        grid = st.grid(len(found), min_column_width=150, gap="small")
        for card in found:
            words: dict[str, Any] = {key: md(value) if isinstance(value, str) and key != "help" else value for key, value in card.items()}
            grid.metric(**looks | words)


@contextmanager
def panel(title: str, note: str = "", *, border: bool = True, beside: Callable[[], None] | None = None) -> Iterator[Callable[[str], Any]]:
    """A titled part of a page, which fails alone; gives a function that puts a note, of our own words, beside its title.

    `beside` draws what stands at the right end of the title's row.
    """
    with st.container(border=border, gap="xsmall"):
        line = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall") if beside else None
        row = (line or st).container(horizontal=True, vertical_alignment="bottom", gap="xsmall")
        row.subheader(title, anchor=False, width="content")
        if note:
            row.caption(md(note))
        if line is not None and beside is not None:
            with line, guarded(f"what stands beside {title!r}"):
                beside()
        with guarded(f"the panel {title!r}"):
            yield lambda words: row.caption(md(words)) if words else None


def failure() -> None:
    """Says that something could not be read, and what to do; the log has the rest."""
    st.markdown(
        ":red[:material/error:] This part could not be read. Reload the page; if it keeps failing, the server's log says why.",
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
