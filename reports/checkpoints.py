"""Checkpoint coverage as data: `trainwatch checkpoints`, in the shape that scripts build on."""

from collections.abc import Sequence
from typing import Any

from reports.figures import dollars, moment
from storage.views.coverage import JobCoverage, TeamCoverage

COVERAGE_COLUMNS = (
    "job", "team", "state", "work_at_risk_usd", "work_at_risk_seconds", "last_written", "rhythm_seconds", "objects", "bytes", "capacity",
    "uri", "shared_with", "problem", "account", "region", "created",
)  # fmt: skip
COVERAGE_TABLE = ("job", "team", "state", "work_at_risk_usd", "work_at_risk_seconds", "last_written", "rhythm_seconds", "objects")
TEAM_TABLE = (
    "team", "spot_jobs", "covered_jobs", "coverage_percent", "unknown_jobs", "spot_cost_usd", "covered_cost_usd", "work_at_risk_usd",
    "interruptions", "repeated_usd",
)  # fmt: skip


def coverage_data(teams: Sequence[TeamCoverage], jobs: Sequence[JobCoverage]) -> dict[str, Any]:
    """Coverage by team over 30 days, and every live job that is spot or wants checkpoints."""
    return {"teams": [team_data(one) for one in teams], "jobs": [job_data(one) for one in jobs]}


def team_data(one: TeamCoverage) -> dict[str, Any]:
    """A team's coverage: money is what is known, null where nothing is.

    `repeated_usd` is what was trained again after interruptions, but for `untold_jobs`; `unpriced_jobs` are in no cost, and jobs of
    `unknown_risk_jobs` not in the work at risk.
    """
    return {
        "team": one.team,
        "spot_jobs": one.spot_jobs,
        "covered_jobs": one.covered_jobs,
        "coverage_percent": None if one.percent is None else round(one.percent, 2),
        "unknown_jobs": one.unknown_jobs,
        "unpriced_jobs": one.unpriced_jobs,
        "unknown_risk_jobs": one.unknown_risks,
        "spot_cost_usd": dollars(one.spot_nusd),
        "covered_cost_usd": dollars(one.covered_nusd),
        "work_at_risk_usd": dollars(one.risk_nusd),
        "interruptions": one.interruptions,
        "repeated_usd": dollars(one.lost_nusd),
        "untold_jobs": one.untold,
    }


def job_data(one: JobCoverage) -> dict[str, Any]:
    """A live job's checkpoints; what is not known is null, and `problem` says why."""
    return {
        "job": one.job,
        "account": one.account,
        "region": one.region,
        "created": moment(one.created_at),
        "team": one.team,
        "capacity": one.capacity,
        "state": one.state,
        "uri": one.uri,
        "objects": one.objects,
        "bytes": one.bytes,
        "last_written": moment(one.last_written_at),
        "rhythm_seconds": one.rhythm_seconds,
        "work_at_risk_seconds": one.risk_seconds,
        "work_at_risk_usd": dollars(one.risk_nusd),
        "shared_with": list(one.shared_with),
        "problem": one.problem or None,
    }
