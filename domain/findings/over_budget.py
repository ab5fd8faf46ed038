"""A job that costs more than its team lets one job cost."""

from domain.findings.finding import Finding, NoVerdict, Verdict
from domain.findings.over_runtime import ran_until
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds
from domain.money import SECONDS_PER_HOUR, usd

RULE = "over_budget"


def judge(situation: Situation, limits: Thresholds) -> Verdict:
    """Critical once what the job has accrued passes its team's cap for one job; without a cap there is nothing to pass."""
    cap, accrued = limits.max_job_nusd, situation.accruing_nusd
    if cap is None or not situation.job.is_live:
        return None
    if accrued is None:
        return NoVerdict(RULE, "what it costs is not known: there is no price for its instances")
    if accrued <= cap:
        return None
    over = accrued - cap
    passed = cap / situation.rate_nusd * SECONDS_PER_HOUR if situation.rate_nusd else 0.0
    return Finding(
        RULE, "critical", ran_until(situation, passed),
        f"${usd(accrued):,.2f} accrued, over the team's ${usd(cap):,.2f} for one job.",
        "Ask the team whether the result is worth it; the cap is max_job_usd of the team in the settings.",
        over,
    )  # fmt: skip
