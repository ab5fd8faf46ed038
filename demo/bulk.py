"""Many jobs, quickly, for benchmarks: plain ones that are over, and live ones of every kind."""

from datetime import datetime, timedelta
from typing import Final, get_args

from demo.plan import (
    COMPLETED,
    DEFAULT_ACCOUNT,
    Algorithm,
    Behaviour,
    Checkpoints,
    Cluster,
    Interruption,
    JobPlan,
    Limits,
    Paths,
    Phases,
    failed,
)
from demo.teams import bucket, role_name

BULK_TEAMS = tuple(f"team{number:02}" for number in range(1, 13))
BULK_PROJECTS = ("alpha", "beta", "gamma", "delta")
BULK_MODELS = ("xgboost", "bert", "resnet", "llama-sft")
_CLUSTERS = tuple(
    Cluster.of(instance_type, count)
    for instance_type, count in (
        ("ml.m5.xlarge", 1), ("ml.m5.4xlarge", 1), ("ml.g5.2xlarge", 1), ("ml.g4dn.xlarge", 1),
        ("ml.g5.12xlarge", 2), ("ml.p3.2xlarge", 1), ("ml.p3.8xlarge", 1),
    )
)  # fmt: skip
_PHASES = tuple(Phases(0.0, 90.0, 45.0, 600.0 + 613.7 * step, 20.0) for step in range(16))
_LIMITS, _SPOT_LIMITS = Limits(), Limits(86_400, 172_800)
_FAILED = failed("AlgorithmError: ExecuteUserScriptError:\nExitCode 1")
_LIVE_CLUSTERS: Final = tuple(
    Cluster.of(instance_type, count)
    for instance_type, count in (
        ("ml.g5.2xlarge", 1), ("ml.g5.12xlarge", 1), ("ml.m5.4xlarge", 1), ("ml.g4dn.xlarge", 1), ("ml.g5.2xlarge", 2),
        ("ml.m5.xlarge", 1), ("ml.p3.8xlarge", 1), ("ml.g4dn.xlarge", 1), ("ml.g5.12xlarge", 2), ("ml.p3.2xlarge", 1),
    )
)  # fmt: skip
_BEHAVIOURS: Final[tuple[Behaviour, ...]] = get_args(Behaviour)
_LOSS: Final = Algorithm(metrics=(("validation:loss", "loss=([0-9\\.]+)"),), final_metrics=(("validation:loss", 0.27),))
_LIVE_HOURS: Final = 48
"""How much longer than until now a live job has to go."""


def bulk(count: int, now: datetime, days: int) -> list[JobPlan]:
    """`count` jobs evenly over the `days` before `now`, all of them over by then, of 12 teams with 4 projects each."""
    begin = now - timedelta(days=days)
    step = (timedelta(days=days) - timedelta(hours=4)) / max(1, count)
    settings = [_settings(team, project) for team in BULK_TEAMS for project in BULK_PROJECTS]
    return [_job(number, begin + step * number, *settings[number * 7 % len(settings)]) for number in range(count)]


def live(count: int, now: datetime) -> list[JobPlan]:
    """`count` jobs of those teams that are alive at `now` and for two days more: every behaviour on every kind of cluster.

    They began two hours to three days ago, have training metrics, and half of them are spot jobs with checkpoints.
    """
    settings = [_settings(team, project) for team in BULK_TEAMS for project in BULK_PROJECTS]
    return [_live(number, now, *settings[number * 7 % len(settings)]) for number in range(count)]


def _settings(team: str, project: str) -> tuple[str, str, Paths, dict[str, str]]:
    role = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/{role_name(team, project)}"
    paths = Paths(f"s3://{bucket(team, project)}/models/artifacts/")
    return f"{team}-{project}", role, paths, {"Team": team, "Project": project}


def _job(number: int, created_at: datetime, prefix: str, role: str, paths: Paths, tags: dict[str, str]) -> JobPlan:
    spot = number % 3 == 0
    return JobPlan(
        name=f"{prefix}-{BULK_MODELS[number // 48 % 4]}-{created_at:%Y-%m-%d-%H-%M-%S}-{number % 1000:03}",
        created_at=created_at,
        cluster=_CLUSTERS[number % 7],
        spot=spot,
        billable_share=0.35 if spot else 1.0,
        phases=_PHASES[number % 16],
        limits=_SPOT_LIMITS if spot else _LIMITS,
        ending=_FAILED if number % 17 == 5 else COMPLETED,
        role_arn=role,
        paths=paths,
        tags=tags,
    )


def _live(number: int, now: datetime, prefix: str, role: str, paths: Paths, tags: dict[str, str]) -> JobPlan:
    hours = 2 + number * 29 % 71
    created_at = now - timedelta(hours=hours, seconds=number % 3600)
    name = f"{prefix}-{BULK_MODELS[number // 48 % 4]}-{created_at:%Y-%m-%d-%H-%M-%S}-{number % 1000:03}"
    spot = number % 4 < 2
    return JobPlan(
        name=name,
        created_at=created_at,
        cluster=_LIVE_CLUSTERS[number % 10],
        spot=spot,
        billable_share=0.35 if spot else 1.0,
        phases=Phases(0.0, 90.0, 45.0, (hours + _LIVE_HOURS) * 3600.0, 20.0),
        interruptions=(Interruption(3600.0, 900.0),) if number % 12 == 5 else (),
        limits=Limits(432_000, 518_400 if spot else None),
        role_arn=role,
        paths=paths,
        tags=tags,
        algorithm=_LOSS,
        checkpoints=Checkpoints(f"{paths.output.partition('/models/')[0]}/checkpoints/{name}/") if spot else None,
        behaviour=_BEHAVIOURS[(number // 10 + number) % len(_BEHAVIOURS)],
    )
