"""A long run on a time limit that nobody chose, or on none to speak of."""

from domain.findings.finding import Finding, Verdict, span
from domain.findings.over_runtime import ran_until
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

RULE = "no_limit"
DEFAULT_SECONDS = 86_400  # Source: StoppingCondition$MaxRuntimeInSeconds, which is one day where nothing was asked for


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Info for a job that has run for half a day on the default limit, or on one of more than five days."""
    limit, hours = situation.job.max_runtime_seconds, limits.no_limit_hours
    if limit is None or not situation.job.is_live or situation.ran_seconds <= hours * 3600:
        return None
    if limit != DEFAULT_SECONDS and limit <= limits.no_limit_days * 86_400:
        return None
    kind = "left at the default" if limit == DEFAULT_SECONDS else "as good as none"
    return Finding(
        RULE, "info", ran_until(situation, hours * 3600),
        f"Time limit of {span(limit)}, {kind}; it has run for {span(situation.ran_seconds)}.",
        "Set max_run to what the job should need, so that a mistake ends by itself.",
        0,
    )  # fmt: skip
