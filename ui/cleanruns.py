"""Plans that are carried out, or undone, from the browser: in a thread of the server, so that closing a page stops nothing half-way."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock, Thread

import streamlit as st

from actions.cleaning import CleanReport, apply_plan, in_words
from actions.planning import make_plan, may_not_plan
from actions.undoing import UndoReport, undo_plan
from domain.access import Person, Refusal
from ui import parts, reads, stopping
from ui import words as w
from ui.viewer import viewer

EACH_SECONDS = 0.3


@dataclass
class Run:
    """How far an apply or an undo is; `report` is its end, or why it did not begin."""

    done: int = 0
    total: int = 0
    report: CleanReport | UndoReport | Refusal | None = None
    problem: str = ""

    def advance(self, done: int, total: int) -> None:
        """Notes how far it is."""
        self.done, self.total = done, total

    @property
    def share(self) -> float:
        """How far it is, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.report is not None or bool(self.problem)


class Runs:
    """The runs of this server, by plan; one at a time each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: dict[int, Run] = {}

    def of(self, plan_id: int) -> Run | None:
        """The newest run of a plan."""
        return self._runs.get(plan_id)

    def forget(self, plan_id: int) -> None:
        """Drops a run that has ended, whose report was read."""
        with self._lock:
            if self._runs.get(plan_id, Run()).is_over:
                self._runs.pop(plan_id, None)

    def start(self, plan_id: int, work: Callable[[Run], None]) -> Run:
        """Begins a run, or gives the one that is under way."""
        with self._lock:
            before = self._runs.get(plan_id)
            if before is not None and not before.is_over:
                return before
            run = self._runs[plan_id] = Run()
            Thread(target=work, args=(run,), name=f"clean-{plan_id}", daemon=True).start()
            return run


@st.cache_resource(show_spinner=False)
def runs() -> Runs:
    """Shared by all visitors: who comes second sees the same progress."""
    return Runs()


@st.cache_resource(show_spinner=False)
def _makers() -> ThreadPoolExecutor:
    """Where plans are made, so that whoever turns to something else meanwhile finds a whole one."""
    return ThreadPoolExecutor(2, thread_name_prefix="plan")


def make(teams: Sequence[str], days: int, mode: str, person: Person) -> int | Refusal:
    """Makes a plan and says here how far it is; its id, or why there is none."""
    run = Run()
    making = _makers().submit(
        make_plan, reads.engine(), reads.current_settings(), stopping.reach(), person, reads.now(), teams, days, mode, run.advance
    )
    bar = st.progress(0.0, text="Deciding what may go…")
    while not wait([making], EACH_SECONDS).done:
        bar.progress(run.share, text=f"{run.done:,} of {run.total:,} prefixes are listed" if run.total else "Deciding what may go…")
    return making.result()


def progress_of(plan_id: int) -> Run | None:
    """How far the newest apply of a plan is that was started here."""
    return runs().of(plan_id)


def forget(plan_id: int) -> None:
    """Drops the report of a run that has ended: something else is asked for now."""
    runs().forget(plan_id)


def may_plan(teams: Sequence[str]) -> Refusal | None:
    """Why whoever looks at the page may not have a plan made of these teams; None when they may."""
    return may_not_plan(viewer(), teams)


def start(plan_id: int, person: Person, reason: str) -> None:
    """Begins to carry a plan out as somebody who was just asked."""
    engine, settings, reach = reads.engine(), reads.current_settings(), stopping.reach()
    _begin(plan_id, lambda progress: apply_plan(engine, settings, reach, person, plan_id, reads.now, reason=reason, progress=progress))


def start_undo(plan_id: int, person: Person, reason: str) -> None:
    """Begins to undo a plan."""
    engine, reach = reads.engine(), stopping.reach()
    _begin(plan_id, lambda progress: undo_plan(engine, reach, person, plan_id, reads.now, progress, reason))


def _begin(plan_id: int, act: Callable[[Callable[[int, int], None]], CleanReport | UndoReport | Refusal]) -> None:
    def work(run: Run) -> None:
        try:
            run.report = act(run.advance)
        except Exception as error:  # noqa: BLE001 - a thread's boundary: logged, and said in its place
            parts.log.exception("plan %s could not be carried out", plan_id)
            run.problem = f"{type(error).__name__}; the server's log says why. Do it again to go on."

    runs().start(plan_id, work)


@st.fragment(run_every="1s")
def show_progress(plan_id: int) -> None:
    """How far it is, looked at each second, and at the end exactly what came of it."""
    run = progress_of(plan_id)
    if run is None:
        return
    if run.problem:
        st.error(run.problem, icon=":material/error:")
    elif run.report is None:
        st.progress(run.share, text=f"{run.done:,} of {run.total:,} objects")
        return
    elif isinstance(run.report, Refusal):
        st.error(w.plain(run.report.why), icon=":material/block:")
    elif isinstance(run.report, UndoReport):
        _show_undone(run.report)
    else:
        _show_report(run.report)
    if st.button("Close", key=f"clean-close-{plan_id}", type="primary"):
        forget(plan_id)
        st.rerun()


def _show_report(report: CleanReport) -> None:
    words = in_words(report)
    if report.left or report.failed_objects:
        st.warning(w.plain(words), icon=":material/warning:")
    else:
        st.success(w.plain(words), icon=":material/check_circle:")
    for one in [*report.skipped[:10], *report.failed[:10]]:
        st.caption(f"{w.plain(one.key, 120)}: {w.plain(one.why, 200)}")
    st.caption(f"Audit entry {report.audit_id}.")


def _show_undone(report: UndoReport) -> None:
    words = f"{report.restored_objects:,} objects are back"
    words += f"; {report.lost_objects:,} cannot be brought back: nothing was kept of them" if report.lost_objects else ""
    if report.failed_objects:
        st.warning(w.plain(f"{words}; {report.failed_objects:,} failed. Undo again to go on."), icon=":material/warning:")
    else:
        st.success(w.plain(words), icon=":material/check_circle:")
    for why in report.failed[:10]:
        st.caption(w.plain(why, 300))
    st.caption(f"Audit entry {report.audit_id}.")
