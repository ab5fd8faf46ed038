"""A job that its own time limit will soon end."""

from datetime import timedelta

from domain.findings.finding import Finding, Verdict, span
from domain.findings.over_runtime import ran_until
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "near_limit"
ADVICE = "See that a checkpoint is written before the limit; the limit of a running job cannot be raised."


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning when most of MaxRuntimeInSeconds is used, or of MaxWaitTimeInSeconds, which counts from creation, for spot."""
    job, share = situation.job, limits.near_limit_percent / 100
    if not job.is_live:
        return None
    if job.max_runtime_seconds and situation.ran_seconds >= share * job.max_runtime_seconds:
        since = ran_until(situation, share * job.max_runtime_seconds)
        words = f"{span(situation.ran_seconds)} of its limit of {span(job.max_runtime_seconds)} are used; then it is stopped, done or not."
        return Finding(RULE, "warning", since, words, ADVICE, 0)
    if job.capacity == "spot" and job.max_wait_seconds and job.created_at:
        waited = situation.now - job.created_at
        if waited >= timedelta(seconds=share * job.max_wait_seconds):
            since = job.created_at + timedelta(seconds=share * job.max_wait_seconds)
            words = f"{span(waited)} of the {span(job.max_wait_seconds)} that it may take with all its waits are used; then it is stopped."
            return Finding(RULE, "warning", since, words, ADVICE, 0)
    return None
