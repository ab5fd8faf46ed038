"""Many plain jobs, quickly, for benchmarks."""

from datetime import datetime, timedelta

from demo.plan import COMPLETED, DEFAULT_ACCOUNT, Cluster, JobPlan, Limits, Paths, Phases, failed
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


def bulk(count: int, now: datetime, days: int) -> list[JobPlan]:
    """`count` jobs evenly over the `days` before `now`, all of them over by then, of 12 teams with 4 projects each."""
    begin = now - timedelta(days=days)
    step = (timedelta(days=days) - timedelta(hours=4)) / max(1, count)
    settings = [_settings(team, project) for team in BULK_TEAMS for project in BULK_PROJECTS]
    return [_job(number, begin + step * number, *settings[number * 7 % len(settings)]) for number in range(count)]


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
