"""What an interruption would cost: the state of a job's checkpoints, its own rhythm, and the work since its last save."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

from domain.money import SECONDS_PER_HOUR, divided
from domain.training_job import Interval, TrainingJob

CheckpointState = Literal["not_needed", "not_configured", "not_yet", "never_written", "stale", "fresh", "unknown"]
STATES: tuple[CheckpointState, ...] = ("never_written", "stale", "not_configured", "unknown", "not_yet", "fresh", "not_needed")
NEEDED_AFTER_SECONDS = 4 * 3600
YET_SECONDS = 20 * 60
STALE_SECONDS = 30 * 60  # whatever the rhythm, a save younger than this is fresh
ONE_SAVE = timedelta(minutes=3)  # a checkpoint of many files is written over some minutes: one save
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """What lay under a job's checkpoint prefix when we last looked; `objects` is None where it could not be listed, `problem` says why.

    `newest_at` may be a predecessor's write. `saves` are the job's own that we have ever seen, oldest first, since trainers delete
    old ones. `cut_off` says that the listing ended at its page limit, so that something newer may exist.
    """

    objects: int | None
    bytes: int | None
    newest_at: datetime | None
    saves: tuple[datetime, ...]
    cut_off: bool
    problem: str
    looked_at: datetime


class Loss(NamedTuple):
    """Training that an interruption made the job do again: when it came, and how many seconds on instances were lost."""

    at: datetime
    seconds: int


def saves_of(writes: Iterable[datetime]) -> tuple[datetime, ...]:
    """Saves out of the times of single writes: those within three minutes of each other are one, which is done with its last."""
    saves: list[datetime] = []
    for write in sorted(writes):
        if saves and write - saves[-1] <= ONE_SAVE:
            saves[-1] = write
        else:
            saves.append(write)
    return tuple(saves)


def ran_seconds(ran: Sequence[Interval], since: datetime, until: datetime | None = None) -> int:
    """Seconds on instances since an instant (and until another): waits for capacity do not count, since nothing is saved in them."""
    total = timedelta()
    for start, end in ran:
        last = end if until is None else min(end, until)
        total += max(timedelta(), last - max(start, since))
    return total // _MILLISECOND // 1000


def rhythm_seconds(saves: Sequence[datetime], ran: Sequence[Interval]) -> int | None:
    """The job's own rhythm: the middle of the times on instances between its saves; None with fewer than two of them."""
    gaps = [ran_seconds(ran, before, after) for before, after in pairwise(saves)]
    gaps = [gap for gap in gaps if gap > 0]
    return round(median(gaps)) if gaps else None


def own_newest(job: TrainingJob, facts: CheckpointFacts) -> datetime | None:
    """The newest save of this job: what lay there before it started is a predecessor's work."""
    newest = max([save for save in (facts.newest_at, *facts.saves) if save is not None], default=None)
    return newest if newest is not None and job.started_at is not None and newest >= job.started_at else None


def checkpoint_state(job: TrainingJob, ran: Sequence[Interval], facts: CheckpointFacts | None) -> CheckpointState:
    """The state of a job's checkpoints as of the last look at them; after its end, the state that was found last.

    `ran` is when its instances ran, up to now or its end. A look that failed, or ended at its page limit without a fresh save,
    leaves it unknown.
    """
    seconds = ran_seconds(ran, job.started_at) if job.started_at else 0
    if job.capacity != "spot" and seconds < NEEDED_AFTER_SECONDS:
        return "not_needed"
    if job.checkpoint_uri is None:
        return "not_configured"
    if facts is None or facts.objects is None:
        return "unknown"
    until = min(facts.looked_at, job.ended_at) if job.ended_at else facts.looked_at
    newest = own_newest(job, facts)
    if newest is not None:
        rhythm = rhythm_seconds([save for save in facts.saves if job.started_at and save >= job.started_at], ran)
        age = ran_seconds(ran, newest, until)
        if age <= max(STALE_SECONDS, 2 * (rhythm or 0)):
            return "fresh"
        return "unknown" if facts.cut_off else "stale"
    if facts.cut_off:
        return "unknown"
    written_by_now = ran_seconds(ran, job.started_at, until) if job.started_at else 0
    return "not_yet" if written_by_now < YET_SECONDS else "never_written"


def risk_seconds(job: TrainingJob, ran: Sequence[Interval], facts: CheckpointFacts | None) -> int | None:
    """Seconds on instances that would be lost now: since the newest save, or since the start; None where that is not known."""
    if job.started_at is None or job.is_waiting:
        return 0
    if job.checkpoint_uri is None:
        return ran_seconds(ran, job.started_at)
    if facts is None or facts.objects is None or (facts.cut_off and checkpoint_state(job, ran, facts) == "unknown"):
        return None
    return ran_seconds(ran, own_newest(job, facts) or job.started_at)


def losses(job: TrainingJob, ran: Sequence[Interval], saves: Sequence[datetime]) -> list[Loss]:
    """What past interruptions cost: the time on instances since the last save before each, or since it went on after the one before.

    Without a checkpoint prefix everything since then is lost. With one, an interruption before which we know of no save is left
    out: it may have lost everything, or saved what was deleted since.
    """
    found, start = [], job.started_at
    own = [save for save in saves if start is not None and save >= start]
    for row in job.transitions:
        if row.status != "Interrupted" or start is None or row.start < start:
            continue
        before = [save for save in own if save <= row.start]
        if before or job.checkpoint_uri is None:
            found.append(Loss(row.start, ran_seconds(ran, max([start, *before]), row.start)))
        start = row.start
    return found


def cost_of(seconds: int | None, rate_nusd: int | None) -> int | None:
    """What so many seconds on instances cost, in nano-dollars; None where either is not known."""
    return None if seconds is None or rate_nusd is None else divided(seconds * rate_nusd, SECONDS_PER_HOUR)
