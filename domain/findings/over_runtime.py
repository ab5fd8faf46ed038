"""A job that runs far longer than its like ever did."""

from datetime import datetime, timedelta

from domain.findings.finding import Finding, NoVerdict, Verdict, span
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "over_runtime"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning beyond a multiple of the 95th percentile of its family's successful runs; none while too few are known."""
    family = situation.family
    if family is None or not situation.ran or not situation.job.is_live:
        return None
    if family.runs < limits.over_runtime_jobs:
        return NoVerdict(RULE, f"only {family.runs} successful runs of its family are known")
    allowed = limits.over_runtime_factor * family.p95_seconds
    if situation.ran_seconds <= allowed:
        return None
    since = ran_until(situation, allowed)
    return Finding(
        RULE, "warning", since,
        f"Running {span(situation.ran_seconds)}; 95% of the last {family.runs} successful runs of its family "
        f"ended within {span(family.p95_seconds)}.",
        "Ask its owner whether it is meant to run so long; stop it if nobody knows.",
        situation.spent_since(since),
    )  # fmt: skip


def ran_until(situation: Situation, seconds: float) -> datetime:
    """The instant at which the job had been on instances for so many seconds."""
    left = timedelta(seconds=seconds)
    for start, end in situation.ran:
        if end - start >= left:
            return start + left
        left -= end - start
    return situation.now
