"""Two live jobs that save to the same place, and overwrite each other's work."""

from domain.findings.finding import Finding, Verdict
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "checkpoint_shared"


def judge(situation: Situation, _limits: Thresholds) -> Verdict:
    """Warning while another live job has the same checkpoint prefix, or one above or below it, in whichever account."""
    job, others = situation.job, situation.shares_checkpoints_with
    if not others or not job.is_live:
        return None
    names = ", ".join(others[:2]) + ("" if len(others) <= 2 else f" and {len(others) - 2} more")
    return Finding(
        RULE, "warning", job.started_at or job.created_at or situation.now,
        f"Its checkpoints share a place with those of {names}: each overwrites what the other may have to resume from.",
        "Give each job a checkpoint prefix of its own; stop the one that is not wanted.",
        0,
    )  # fmt: skip
