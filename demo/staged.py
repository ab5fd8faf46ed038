"""A job put on stage for a purpose: as the convention has it, and with nothing left to chance."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from demo.hosts import gpus
from demo.job import XGBOOST, hyperparameters, paths, timestamp
from demo.plan import DEFAULT_ACCOUNT, PYTORCH, Algorithm, Checkpoints, Cluster, JobPlan, Limits, Phases
from demo.teams import bucket, role_name

TWO_DAYS: Final = 172_800
STAYS_SECONDS: Final = 8 * 3600.0
"""How much longer than until the full hour a job works on: whoever looks within that hour sees six hours more of it."""
STARTING_SECONDS: Final = 120.0
DOWNLOADING_SECONDS: Final = 60.0
UPLOADING_SECONDS: Final = 30.0


def staged(model: str, instance_type: str, base: datetime, hours: float, count: int = 1) -> JobPlan:
    """A job of `{team}-{project}-{model}` that at `base` was created `hours` ago, works, and works for eight hours more.

    On demand and with a limit of two days, so that no rule applies to it but for what a caller changes.
    """
    team, project, kind = model.split("/")
    created_at = base - timedelta(hours=hours)
    name = f"{team}-{project}-{kind}-{timestamp(created_at)}"
    metric = "validation:loss"
    return JobPlan(
        name=name,
        created_at=created_at,
        cluster=Cluster.of(instance_type, count),
        phases=working(hours * 3600 + STAYS_SECONDS),
        limits=Limits(TWO_DAYS),
        role_arn=f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/{role_name(team, project)}",
        paths=paths(team, project, name, kind),
        tags={"Team": team, "Project": project},
        hyperparameters=hyperparameters(team, project, name, Random(name)),
        algorithm=Algorithm(
            image=PYTORCH if gpus(instance_type) else XGBOOST,
            metrics=((metric, "loss=([0-9\\.]+)"),),
            final_metrics=((metric, 0.31),),
        ),
    )


def spot(plan: JobPlan, share: float = 0.34) -> JobPlan:
    """The job as a spot job that writes a checkpoint every 20 minutes."""
    limits = Limits(TWO_DAYS, TWO_DAYS + 86_400)
    return replace(plan, spot=True, billable_share=share, limits=limits, checkpoints=saved(plan))


def saved(plan: JobPlan, stops_after_seconds: float | None = None) -> Checkpoints:
    """Checkpoints every 20 minutes, where the convention has them."""
    place = f"s3://{bucket(plan.tags['Team'], plan.tags['Project'])}/checkpoints/{plan.name}/"
    return Checkpoints(place, 1200.0, 600_000_000, stops_after_seconds=stops_after_seconds)


def working(training_seconds: float, pending_seconds: float = 0.0) -> Phases:
    """Phases of ordinary length around so much training."""
    return Phases(pending_seconds, STARTING_SECONDS, DOWNLOADING_SECONDS, training_seconds, UPLOADING_SECONDS)
