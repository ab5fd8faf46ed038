"""Instances kept after a job's end that nobody has used again."""

from datetime import timedelta

from domain.findings.finding import Finding, Verdict, span
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from domain.money import SECONDS_PER_HOUR, divided

RULE = "idle_warm_pool"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Warning for a warm pool that has been available for too long; all of it is wasted unless somebody comes."""
    job = situation.job
    if job.warm_pool_status != "Available" or job.ended_at is None:
        return None
    kept = timedelta(seconds=max(job.warm_pool_billable_seconds, (situation.now - job.ended_at).total_seconds()))
    if kept <= timedelta(minutes=limits.warm_pool_minutes):
        return None
    seconds = round(kept.total_seconds())
    wasted = None if situation.list_rate_nusd is None else divided(seconds * situation.list_rate_nusd, SECONDS_PER_HOUR)
    return Finding(
        RULE, "warning", job.ended_at,
        f"Its warm pool has been kept for {span(kept)} and no job has used it.",
        "Start the next job now, or set a shorter keep_alive_period; UpdateTrainingJob with 0 ends the pool.",
        wasted,
    )  # fmt: skip
