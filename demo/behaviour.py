"""When a job shows the behaviour that its plan gives it: what its hosts, its metrics, its log and its files go by."""

from datetime import datetime, timedelta
from typing import Final

from demo.plan import JobPlan
from demo.timeline import Life

FROM_THE_START: Final = frozenset({"slow", "one_gpu", "saturated", "creeping", "warming_up"})
NOTHING_UNUSUAL: Final = frozenset({"working", "silent"})
WARMS_UP_FOR: Final = timedelta(minutes=20)


def shown(plan: JobPlan, life: Life) -> tuple[datetime, datetime] | None:
    """From when until when the job shows its behaviour; None if there is nothing to show, or it never starts."""
    if life.started_at is None or plan.behaviour in NOTHING_UNUSUAL:
        return None
    if plan.behaviour == "warming_up":
        return life.started_at, life.started_at + WARMS_UP_FOR
    if plan.behaviour in FROM_THE_START:
        return life.started_at, life.ended_at
    return min(life.started_at + timedelta(seconds=plan.turns_bad_after_seconds), life.ended_at), life.ended_at


def hangs_at(plan: JobPlan, life: Life) -> datetime | None:
    """The instant after which the job does nothing more: no metric, no line of its log, no file; None if it never hangs."""
    showing = shown(plan, life)
    return showing[0] if showing is not None and plan.behaviour == "hung" else None
