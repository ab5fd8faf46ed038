"""A spot job that is interrupted again and again, or waits more than it works."""

from datetime import datetime, timedelta

from domain.findings.finding import Finding, Verdict, span
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "spot_thrash"
LEAST_WAIT = timedelta(minutes=30)  # a job that has just begun may wait more than it has trained by chance


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning at three interruptions, or when it has waited longer than it ran; wasted is what its restarts cost."""
    job = situation.job
    if job.capacity != "spot" or not job.is_live or job.started_at is None:
        return None
    ran = timedelta(seconds=situation.ran_seconds)
    waited = situation.now - job.started_at - ran
    often, long = job.interruptions >= limits.thrash_interruptions, waited > ran and waited >= LEAST_WAIT
    if not often and not long:
        return None
    words = f"{job.interruptions} interruption{'' if job.interruptions == 1 else 's'}; it has waited {span(waited)} and run {span(ran)}."
    return Finding(
        RULE, "warning", _since(situation, limits, often=often),
        words, "Run it on demand, on another instance type, or write checkpoints more often.", _restarts_nusd(situation),
    )  # fmt: skip


def _since(situation: Situation, limits: Thresholds, *, often: bool) -> datetime:
    interrupted = [row.start for row in situation.job.transitions if row.status == "Interrupted"]
    if often:
        return interrupted[limits.thrash_interruptions - 1]
    return interrupted[-1] if interrupted else situation.now


def _restarts_nusd(situation: Situation) -> int | None:
    """What downloading again after each interruption has cost."""
    rows, interrupted, total = situation.job.transitions, False, 0
    for row in rows:
        interrupted = interrupted or row.status == "Interrupted"
        if interrupted and row.status.startswith("Downloading"):
            spent = situation.spent_since(row.start)
            later = situation.spent_since(row.end) if row.end else 0
            if spent is None or later is None:
                return None
            total += spent - later
    return total
