"""A job's whole life as a row of steps: pure functions of its plan and of when somebody asked to stop it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from demo.plan import STOPPED, Ending, JobPlan

WORKING = frozenset({"Downloading", "Training"})
RESTART_SECONDS = 60.0
"""Of a wait for spot capacity, how much at its end is spent starting the new instances."""


class Step(NamedTuple):
    """One row of SecondaryStatusTransitions; the last one ends as it starts."""

    status: str
    start: datetime
    end: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that will happen to a job, in order, and how it ends.

    `started_at` is TrainingStartTime: when the first download begins, or None if there never are instances.
    """

    steps: tuple[Step, ...]
    ending: Ending
    started_at: datetime | None

    @property
    def ended_at(self) -> datetime:
        """The start of the terminal step."""
        return self.steps[-1].start


def life(plan: JobPlan, stop_requested_at: datetime | None = None) -> Life:
    """The job's whole life, stopped when its plan says or somebody else asks, whichever comes first.

    A stop asked for after it would have begun to end changes nothing.
    """
    steps = _laid_out(plan)
    asked_at = min((at for at in (plan.stop_requested_at, stop_requested_at) if at is not None), default=None)
    if asked_at is None or asked_at >= _end_begins_at(steps):
        return _lived(steps, plan.ending)
    return _lived(_stopped(plan, steps, max(asked_at, plan.created_at)), STOPPED)


def waits(steps: tuple[Step, ...]) -> list[tuple[datetime, datetime]]:
    """The stretches between an interruption and the next download or training, when no instance was had."""
    found: list[tuple[datetime, datetime]] = []
    lost_at: datetime | None = None
    for step in steps:
        if step.status == "Interrupted" and lost_at is None:
            lost_at = step.start
        elif lost_at is not None and step.status in WORKING:
            found.append((lost_at, step.start))
            lost_at = None
    if lost_at is not None:
        found.append((lost_at, steps[-1].start))
    return found


def intervals(one: Life) -> list[tuple[datetime, datetime]]:
    """The stretches in which the job had its instances, over its whole life; empty if it never started."""
    if one.started_at is None:
        return []
    edges = [one.started_at, *(edge for wait in waits(one.steps) for edge in wait), one.ended_at]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


def whole_seconds(start: datetime, end: datetime) -> int:
    """Whole seconds of the end less whole seconds of the start, as AWS counts them."""
    return int(end.timestamp()) - int(start.timestamp())


def _lived(steps: list[Step], ending: Ending) -> Life:
    started_at = next((step.start for step in steps if step.status == "Downloading"), None)
    return Life(tuple(steps), ending, started_at)


def _laid_out(plan: JobPlan) -> list[Step]:
    rows = [*_before(plan), *(_work(plan) if plan.ending.started else []), *_finish(plan)]
    steps = []
    at = plan.created_at
    for status, seconds, message in rows:
        end = at + timedelta(seconds=seconds)
        steps.append(Step(status, at, end, message))
        at = end
    return steps


def _before(plan: JobPlan) -> list[tuple[str, float, str]]:
    rows = [("Starting", plan.phases.starting_seconds, "Preparing the instances for training")]
    if plan.phases.pending_seconds:
        rows.insert(0, ("Pending", plan.phases.pending_seconds, "Training job waiting for capacity"))
    return rows


def _work(plan: JobPlan) -> list[tuple[str, float, str]]:
    download = ("Downloading", plan.phases.downloading_seconds, "Downloading the training image")
    training = "Training image download completed. Training in progress."
    offsets = [0.0, *(one.after_seconds for one in plan.interruptions), plan.phases.training_seconds]
    rows = []
    for number, (begin, end) in enumerate(pairwise(offsets)):
        rows += [download, ("Training", max(0.0, end - begin), training)]
        if number < len(plan.interruptions):
            wait = plan.interruptions[number].wait_seconds
            restart = min(RESTART_SECONDS, wait / 2)
            rows.append(("Interrupted", wait - restart, "Training job interrupted, waiting for spot capacity"))
            rows.append(("Starting", restart, "Preparing the instances for training"))
    return rows


def _finish(plan: JobPlan) -> list[tuple[str, float, str]]:
    rows = []
    if plan.ending.passes_stopping:
        seconds = plan.phases.stopping_seconds if plan.stop_takes_seconds is None else plan.stop_takes_seconds
        rows.append(("Stopping", seconds, "Stopping the training job"))
    if plan.ending.started and plan.phases.uploading_seconds:
        rows.append(("Uploading", plan.phases.uploading_seconds, "Uploading generated training model"))
    rows.append((plan.ending.secondary_status, 0.0, _last_words(plan.ending)))
    return rows


def _last_words(ending: Ending) -> str:
    if ending.status == "Failed":
        return "Training job failed" if ending.started else "Training job failed for insufficient capacity"
    if ending.status == "Stopped":
        limit = {"MaxRuntimeExceeded": "runtime", "MaxWaitTimeExceeded": "wait time"}.get(ending.secondary_status)
        return f"Training job stopped: maximum {limit} exceeded" if limit else "Training job stopped"
    return "Training job completed"


def _end_begins_at(steps: list[Step]) -> datetime:
    stopping = next((step.start for step in steps if step.status == "Stopping"), None)
    return stopping or steps[-1].start


def _stopped(plan: JobPlan, steps: list[Step], at: datetime) -> list[Step]:
    kept = [step for step in steps if step.start <= at][:-1]
    last = [step for step in steps if step.start <= at][-1]
    kept.append(last._replace(end=at))
    end = at + timedelta(seconds=_stop_seconds(plan, last.status))
    kept.append(Step("Stopping", at, end, "Stopping the training job"))
    if last.status == "Training" and plan.phases.uploading_seconds:
        start, end = end, end + timedelta(seconds=plan.phases.uploading_seconds)
        kept.append(Step("Uploading", start, end, "Uploading generated training model"))
    return [*kept, Step("Stopped", end, end, "Training job stopped")]


def _stop_seconds(plan: JobPlan, status: str) -> float:
    if plan.stop_takes_seconds is not None:
        return plan.stop_takes_seconds
    return min(120.0, plan.phases.stopping_seconds) if status == "Training" else 1.0
