"""Tuning jobs as data: `trainwatch tuning`."""

from typing import Any

from reports.figures import dollars, moment
from storage.views.tuning import TuningRow

TUNING_COLUMNS = (
    "name", "team", "status", "strategy", "objective", "direction", "best", "best_job", "jobs", "completed", "running", "failed",
    "stopped_early", "cost_usd", "accruing_usd", "created", "ended", "account", "region",
)  # fmt: skip
TUNING_TABLE = ("name", "team", "status", "objective", "best", "jobs", "running", "stopped_early", "cost_usd", "accruing_usd", "created")


def tuning_data(row: TuningRow) -> dict[str, Any]:
    """One tuning job; money is of those children whose cost is known, `unpriced_jobs` counts the others."""
    job = row.job
    direction = None if job.objective is None else "minimize" if job.objective.minimise else "maximize"
    return {
        "name": job.name,
        "arn": job.arn,
        "account": row.account,
        "region": row.region,
        "team": row.team,
        "status": job.status,
        "strategy": job.strategy,
        "objective": job.objective.metric if job.objective else None,
        "direction": direction,
        "best": job.best_value,
        "best_job": job.best_child,
        "jobs": len(row.children),
        "most_jobs": job.most_children,
        "completed": job.completed,
        "running": job.running,
        "failed": job.failed,
        "stopped_early": row.stopped_early,
        "cost_usd": dollars(row.cost_nusd),
        "accruing_usd": dollars(row.accruing_nusd),
        "burn_usd_per_hour": dollars(row.burn_nusd),
        "unpriced_jobs": row.unpriced,
        "created": moment(job.created_at),
        "ended": moment(job.ended_at),
        "children": [
            {
                "job": child.name, "status": child.status, "objective": child.objective, "parameters": dict(child.parameters),
                "cost_usd": dollars(child.cost_nusd), "accruing_usd": dollars(child.accruing_nusd), "created": moment(child.created_at),
            }
            for child in row.children
        ],
    }  # fmt: skip
