"""An ordinary job of the catalogue, as the SDK would start it: with paths, tags and limits as the convention has them."""

from datetime import datetime
from random import Random
from typing import Final
from zlib import crc32

from demo.catalog import Row
from demo.hosts import gpus
from demo.plan import (
    COMPLETED,
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    STOPPED,
    Algorithm,
    Behaviour,
    Checkpoints,
    Cluster,
    Ending,
    Interruption,
    JobPlan,
    Limits,
    Paths,
    Phases,
    Registration,
    WarmPool,
    failed,
)
from demo.teams import bucket, role_name

FIVE_DAYS: Final = 432_000
XGBOOST: Final = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
FAILURES: Final = (
    'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "torch.cuda.OutOfMemoryError: CUDA out of memory"',
    "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"KeyError: 'label'\"",
    "ClientError: Data download failed:NoSuchKey",
    "InternalServerError: We encountered an internal error. Please try again.",
)
BEHAVIOURS: Final[tuple[Behaviour, ...]] = (
    "working", "idle", "working", "hung", "working", "working", "diverged", "working", "slow", "working", "working",
)  # fmt: skip
"""What long runs on GPUs show, in turn; the short ones all work."""


def job(row: Row, created_at: datetime, hours: float, serial: int, random: Random) -> JobPlan:
    """The row's job number `serial`, running for about `hours`."""
    name = f"{row.team}-{row.project}-{row.model}-{timestamp(created_at, serial)}"
    spot = random.random() < row.spot
    long = row.rhythm == "around_the_clock"
    gpu = not row.instance_type.startswith("ml.m5")
    seconds = round(hours * 3600, 3)
    return JobPlan(
        name=name,
        created_at=created_at,
        cluster=Cluster.of(row.instance_type, row.count),
        spot=spot,
        billable_share=round(random.uniform(0.28, 0.42), 3) if spot else 1.0,
        phases=_phases(seconds, random),
        interruptions=interruptions(seconds, random) if spot and random.random() < 0.4 else (),
        ending=_ending(random),
        limits=_limits(long, spot, hours),
        role_arn=f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/{role_name(row.team, row.project)}",
        paths=paths(row.team, row.project, name, row.model, uploads=int(serial % 9 == 4)),
        tags={"Team": row.team, "Project": row.project} if serial % 12 else {},
        hyperparameters=hyperparameters(row.team, row.project, name, random),
        environment={"TOKENIZERS_PARALLELISM": "false"} if gpu else {},
        algorithm=_algorithm(row, gpu, random),
        checkpoints=checkpoints(row.team, row.project, name, serial) if gpu and serial % 8 != 5 else None,
        warm_pool=_warm_pool(row),
        registered=_registered(serial),
        behaviour=_behaviour(row, serial) if long and gpu else "working",
    )


def timestamp(at: datetime, serial: int = 0) -> str:
    """The end of a job's name: the convention's own, or one of the two that the SDK appends."""
    if serial % 10 in (3, 7):
        return f"{at:%Y-%m-%d-%H-%M-%S}-{at.microsecond // 1000 or 1}"
    if serial % 10 == 5:
        return f"{at:%Y%m%d%H%M%S}"
    return f"{at:%Y%m%d-%H%M%S}"


def paths(team: str, project: str, name: str, model: str, uploads: int = 0) -> Paths:
    """Where the convention has a job read and write."""
    root = f"s3://{bucket(team, project)}"
    return Paths(
        output=f"{root}/models/artifacts/",
        code=f"{root}/models/training/{name}/source/sourcedir.tar.gz",
        inputs=(("train", f"{root}/data/{model}/train/"), ("validation", f"{root}/data/{model}/validation/")),
        intermediates_prefix=f"{root}/models/training/{name}/output/",
        unfinished_uploads=uploads,
    )


def hyperparameters(team: str, project: str, name: str, random: Random) -> dict[str, str]:
    """Hyperparameters as version 2 of the SDK writes them: every value is JSON again."""
    source = f"s3://{bucket(team, project)}/models/training/{name}/source/sourcedir.tar.gz"
    return {
        "epochs": str(random.choice((3, 5, 10, 20))),
        "lr": str(random.choice((0.0001, 0.0003, 0.001))),
        "sagemaker_container_log_level": "20",
        "sagemaker_job_name": f'"{name}"',
        "sagemaker_program": '"train.py"',
        "sagemaker_region": f'"{DEFAULT_REGION}"',
        "sagemaker_submit_directory": f'"{source}"',
    }


def checkpoints(team: str, project: str, name: str, serial: int) -> Checkpoints:
    """A checkpoint every 20 to 40 minutes; one job in seven stops writing them after two hours."""
    return Checkpoints(
        uri=f"s3://{bucket(team, project)}/checkpoints/{name}/",
        every_seconds=1200.0 + 240.0 * (serial % 6),
        size_bytes=400_000_000 + 350_000_000 * (serial % 5),
        stops_after_seconds=7200.0 if serial % 7 == 3 else None,
    )


def interruptions(seconds: float, random: Random, count: int | None = None) -> tuple[Interruption, ...]:
    """Interruptions somewhere in `seconds` of training, each with a wait of five minutes to an hour."""
    offsets = sorted(random.uniform(0.1, 0.9) for _ in range(count or random.choice((1, 1, 2))))
    return tuple(Interruption(round(part * seconds, 3), round(random.uniform(300, 3600), 3)) for part in offsets)


def _phases(seconds: float, random: Random) -> Phases:
    return Phases(
        pending_seconds=round(random.uniform(5, 400), 3) if random.random() < 0.3 else 0.0,
        starting_seconds=round(random.uniform(60, 240), 3),
        downloading_seconds=round(random.uniform(30, 240), 3),
        training_seconds=seconds,
        uploading_seconds=round(random.uniform(5, 120), 3),
        stopping_seconds=round(random.uniform(20, 118), 3),
    )


def _ending(random: Random) -> Ending:
    drawn = random.random()
    if drawn < 0.06:
        return failed(random.choice(FAILURES))
    return STOPPED if drawn < 0.10 else COMPLETED


def _limits(long: bool, spot: bool, hours: float) -> Limits:
    runtime = FIVE_DAYS if long else int(max(6.0, round(hours * 2.5)) * 3600)
    return Limits(runtime, runtime + 86_400 if spot else None)


def _warm_pool(row: Row) -> WarmPool | None:
    if row.rhythm != "six_hourly":
        return None
    # Kept for the longest time allowed, so that nearly always one is available: the next job comes after six hours.
    return WarmPool(21_600, 21_600)


def _registered(serial: int) -> tuple[Registration, ...]:
    """Every fourth job becomes a Model, of which every other is served; another fourth a version in the registry."""
    if serial % 4 == 0:
        return ("model", "endpoint") if serial % 8 == 0 else ("model",)
    return ("package",) if serial % 4 == 1 else ()


def _behaviour(row: Row, serial: int) -> Behaviour:
    if row.count > 1 and serial % 2:
        return "straggler"
    if gpus(row.instance_type) > 1 and serial % 5 == 2:
        return "one_gpu"
    # Rows start at different places, so that not all teams have the same trouble on the same day.
    return BEHAVIOURS[(serial + crc32(row.model.encode())) % len(BEHAVIOURS)]


def _algorithm(row: Row, gpu: bool, random: Random) -> Algorithm:
    regex = f"{row.metric.partition(':')[2]}=([0-9\\.]+)"
    final = ((row.metric, round(random.uniform(0.08, 0.6), 4)),)
    if gpu:
        return Algorithm(metrics=((row.metric, regex),), final_metrics=final)
    return Algorithm(image=XGBOOST, metrics=((row.metric, regex),), final_metrics=final)
