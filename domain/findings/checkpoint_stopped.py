"""A live spot job that wrote checkpoints and has stopped doing so."""

from datetime import timedelta

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "checkpoint_stopped"
LEAST_SECONDS = 1800


def judge(situation: Situation, _limits: Thresholds) -> Verdict:
    """Warning while the newest checkpoint is older than twice the job's own rhythm; nothing is wasted until capacity is taken back.

    A job that waits for capacity writes none, and has nothing to lose.
    """
    job, found = situation.job, situation.checkpoint
    if job.capacity != "spot" or not job.is_live or job.checkpoint_uri is None or job.is_waiting:
        return None
    if found is None:
        return NoVerdict(RULE, "its checkpoint prefix has not been looked at")
    if found.state == "unknown":
        return NoVerdict(RULE, "its checkpoint prefix could not be listed")
    if not situation.looked_lately(found.checked_at):
        return NoVerdict(RULE, "nobody has looked at its checkpoints lately")
    if found.state != "stale" or found.last_written_at is None:
        return None
    rhythm = found.rhythm_seconds
    every = f"; before, one came every {span(rhythm)}" if rhythm else ""
    since = found.last_written_at + timedelta(seconds=max(LEAST_SECONDS, 2 * (rhythm or 0)))
    return Finding(
        RULE, "warning", since,
        f"No checkpoint for {span(situation.now - found.last_written_at)}{every}.",
        "If capacity is taken back now, all since then is lost: look whether its disk is full or saving has failed.",
        0,
        found.checked_at,
    )  # fmt: skip
