"""Jobs as data: `trainwatch jobs` and `trainwatch job`, in the shapes that scripts build on."""

from typing import Any

from domain.checkpoint import checkpoint_state
from domain.cost import time_cost
from reports.figures import dollars, moment
from storage.views.joblist import JobDetail

JOB_COLUMNS = (
    "name", "team", "project", "model_type", "status", "secondary_status", "capacity", "mode", "instances", "created", "started",
    "ended", "training_seconds", "billable_seconds", "cost_usd", "spot_savings_usd", "accruing_usd", "burn_usd_per_hour", "basis",
    "price_source", "account", "region", "arn",
)  # fmt: skip


def job_data(detail: JobDetail) -> dict[str, Any]:
    """One job. Ended jobs have a cost and nothing accruing, live ones the reverse; what is not known is null."""
    row, live = detail.row, detail.row.live
    estimate = live.accrual if live else None
    return {
        "name": row.name,
        "arn": row.arn,
        "account": row.account,
        "region": row.region,
        "team": row.team,
        "project": row.project,
        "model_type": row.model_type,
        "attributed_by": row.team_rule,
        "project_by": row.project_rule,
        "status": row.status,
        "secondary_status": row.secondary_status,
        "capacity": row.capacity,
        "mode": row.mode,
        "instances": [{"instance_type": kind, "count": count} for kind, count, _ in row.instances],
        "created": moment(row.created_at),
        "started": moment(row.started_at),
        "ended": moment(row.ended_at),
        "training_seconds": estimate.seconds if estimate and row.started_at else row.training_seconds,
        "billable_seconds": row.billable_seconds,
        "compute_usd": dollars(row.compute_nusd),
        "warm_pool_usd": dollars(row.warm_pool_nusd),
        "storage_usd": dollars(row.storage_nusd),
        "cost_usd": dollars(row.cost_nusd),
        "spot_savings_usd": dollars(row.spot_savings_nusd),
        "plan_covered_usd": dollars(estimate.plan_covered_nusd if estimate else row.plan_covered_nusd),
        "burn_usd_per_hour": dollars(estimate.burn_nusd_per_hour) if estimate else None,
        "accruing_usd": dollars(estimate.accruing_nusd) if estimate else None,
        "effective_usd": dollars(row.effective_nusd),
        "basis": row.basis,
        "price_source": row.price_source,
        "checkpoint": checkpoint_state(detail.job, detail.ran, detail.checkpoint),
        "tuning_job": row.tuning_job,
        "tags": dict(detail.job.tags),
    }


def job_page_data(detail: JobDetail) -> dict[str, Any]:
    """One job with its rates, states and oddities."""
    seconds = detail.row.billable_seconds or 0
    return job_data(detail) | {
        "observed": moment(detail.row.observed_at),
        "gone": moment(detail.row.gone_at),
        "predates_prices": detail.row.predates_prices,
        "pipeline": detail.row.pipeline,
        "interruptions": detail.row.interruptions,
        "max_runtime_seconds": detail.row.max_runtime_seconds,
        "failure_reason": detail.job.failure_reason,
        "rates": [
            {
                "instance_type": kind,
                "count": count,
                "list_price_usd_per_hour": dollars(rate),
                "at_list_price_usd": dollars(time_cost(seconds, count, rate)) if rate is not None and detail.row.ended_at else None,
            }
            for kind, count, rate in detail.row.instances
        ],
        "transitions": [
            {"status": row.status, "start": moment(row.start), "end": moment(row.end), "message": row.message}
            for row in detail.job.transitions
        ],
        "oddities": [note._asdict() for note in detail.oddities],
    }
