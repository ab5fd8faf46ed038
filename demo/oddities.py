"""One of each thing that is rare in a real account and that a dashboard must not stumble over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from demo.catalog import Row
from demo.job import checkpoints, interruptions, job
from demo.placements import PLACEMENTS
from demo.plan import (
    ABSENT,
    COMPLETED,
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    MAX_RUNTIME,
    MAX_WAIT,
    NEVER_LAUNCHED,
    SERVERLESS,
    STOPPED,
    Cluster,
    Group,
    JobPlan,
    Limits,
    Paths,
    Phases,
    WarmPool,
    failed,
)

Oddity = Callable[[datetime, Random], list[JobPlan]]

BERT: Final = Row("nlp", "intent", "bert", "ml.g5.2xlarge", 1, 0, 4, 0.3, 0.0)
GNN: Final = Row("rc", "fraud", "gnn", "ml.g5.2xlarge", 1, 0, 5, 0.3, 0.0)
CNN: Final = Row("algo", "project-x", "pytorch-cnn", "ml.g5.2xlarge", 1, 0, 3, 0.3, 0.0)
CLIP: Final = Row("growth", "creative", "clip", "ml.g4dn.xlarge", 1, 0, 3, 0.3, 0.0)
YOLO: Final = Row("vision", "detect", "yolo", "ml.g5.2xlarge", 1, 0, 4, 0.3, 0.0)
RANKER: Final = Row("search", "rerank", "cross-encoder", "ml.g5.2xlarge", 1, 0, 4, 0.3, 0.0)

HOSTILE: Final = (
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "tab\tand\x07bell", "nul\x00byte", "\u202egnp.exe", "x" * 256,
)  # fmt: skip


def heterogeneous(at: datetime, random: Random) -> list[JobPlan]:
    """A cluster of two instance groups."""
    cluster = Cluster((Group("ml.g5.2xlarge", 2, "trainers"), Group("ml.m5.4xlarge", 1, "loaders")), "groups")
    return [replace(_plain(CLIP, at, random), cluster=cluster)]


def preferences(at: datetime, random: Random) -> list[JobPlan]:
    """InstancePreferences, of which the second was selected."""
    cluster = Cluster((Group("ml.g5.2xlarge", 1),), "preferences", ("ml.g6.2xlarge", "ml.g5.2xlarge"))
    return [replace(_plain(RANKER, at, random), cluster=cluster)]


def serverless(at: datetime, random: Random) -> list[JobPlan]:
    """A serverless fine-tuning, billed by token."""
    plan = _plain(BERT, at, random)
    return [replace(plan, cluster=SERVERLESS, serverless_tokens=random.randrange(2_000_000, 9_000_000), checkpoints=None)]


def training_plan(at: datetime, random: Random) -> list[JobPlan]:
    """Hours that were paid for beforehand."""
    arn = f"arn:aws:sagemaker:{DEFAULT_REGION}:{DEFAULT_ACCOUNT}:training-plan/llm-q4"
    row = replace(BERT, project="llm", model="llama-sft", instance_type="ml.p5.48xlarge", hours=6)
    return [replace(_plain(row, at, random), training_plan_arn=arn)]


def warm_pool_reused(at: datetime, random: Random) -> list[JobPlan]:
    """A warm pool that the next job takes over, and keeps."""
    second_at = at + timedelta(hours=3)
    second = replace(_plain(GNN, second_at, random, hours=1.0), warm_pool=WarmPool(3600, 3600))
    first = _plain(GNN, at, random, hours=2.0)
    ends_at = at + timedelta(seconds=120 + 60 + 7200 + 30)
    kept = int((second_at - ends_at).total_seconds())
    phases = Phases(training_seconds=7200.0)
    return [replace(first, phases=phases, warm_pool=WarmPool(7200, kept, second.name)), second]


def failed_before_start(at: datetime, random: Random) -> list[JobPlan]:
    """No capacity: no start, no seconds, no cost."""
    reason = "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different instance."
    return [replace(_plain(YOLO, at, random), ending=failed(reason, started=False), phases=Phases(pending_seconds=5400))]


def stopped(at: datetime, random: Random) -> list[JobPlan]:
    """Stopped by somebody while it trained."""
    return [replace(_plain(CNN, at, random), ending=STOPPED)]


def max_runtime(at: datetime, random: Random) -> list[JobPlan]:
    """Stopped by its own time limit."""
    phases = Phases(training_seconds=7140.0)
    return [replace(_plain(YOLO, at, random), ending=MAX_RUNTIME, phases=phases, limits=Limits(7200))]


def spot_never_launched(at: datetime, random: Random) -> list[JobPlan]:
    """Spot capacity that never came."""
    plan = _spot(BERT, at, random)
    return [replace(plan, ending=NEVER_LAUNCHED, phases=Phases(starting_seconds=14_400), limits=Limits(10_800, 14_400))]


def spot_thrash(at: datetime, random: Random) -> list[JobPlan]:
    """Spot interrupted five times over."""
    plan = _spot(BERT, at, random)
    return [replace(plan, interruptions=interruptions(plan.phases.training_seconds, random, count=5))]


def max_wait(at: datetime, random: Random) -> list[JobPlan]:
    """Spot that used up its time to wait."""
    plan = _spot(RANKER, at, random)
    taken = interruptions(plan.phases.training_seconds, random, count=2)
    return [replace(plan, interruptions=taken, ending=MAX_WAIT)]


def no_billable_time(at: datetime, random: Random) -> list[JobPlan]:
    """Ended without BillableTimeInSeconds, as records of 2018 and 2019 do."""
    overrides = {"BillableTimeInSeconds": ABSENT, "TrainingTimeInSeconds": ABSENT}
    return [replace(_plain(GNN, at, random), overrides=overrides, ending=COMPLETED)]


def unpriced(at: datetime, random: Random) -> list[JobPlan]:
    """An instance type that no list has a price for."""
    return [replace(_plain(CNN, at, random), cluster=Cluster.of("ml.p9.48xlarge"))]


def unknown_words(at: datetime, random: Random) -> list[JobPlan]:
    """A status, a phase and a member that no SDK knows yet."""
    overrides = {"TrainingJobStatus": "Hibernated", "SecondaryStatus": "Dreaming", "QuantumConfig": {"Qubits": 12}}
    return [replace(_plain(CLIP, at, random), overrides=overrides)]


def missing_and_null(at: datetime, random: Random) -> list[JobPlan]:
    """Members left out or null, and a time in the year 9000."""
    overrides = {
        "AlgorithmSpecification": None,
        "InputDataConfig": ABSENT,
        "SecondaryStatusTransitions": None,
        "StoppingCondition": ABSENT,
        "DebugRuleEvaluationStatuses": [{"LastModifiedTime": 221_845_392_000}],
    }
    return [replace(_plain(YOLO, at, random), overrides=overrides)]


def reused_name(at: datetime, random: Random) -> list[JobPlan]:
    """One name for two jobs, the first of which was deleted."""
    first = replace(_plain(CNN, at, random, hours=1.0), phases=Phases(training_seconds=3600.0), ending=COMPLETED)
    again_at = at + timedelta(hours=6)
    return [replace(first, deleted_at=again_at - timedelta(minutes=10)), replace(first, created_at=again_at)]


def tag_disagrees(at: datetime, random: Random) -> list[JobPlan]:
    """The tag says one team, the name another."""
    return [replace(_plain(GNN, at, random), tags={"team": "Vision", "project": "detect"})]


def unknown_team(at: datetime, random: Random) -> list[JobPlan]:
    """A tag with a team that is not in the settings."""
    return [replace(_plain(CNN, at, random), tags={"Team": "research", "Project": "moonshot"})]


def unattributed(at: datetime, random: Random) -> list[JobPlan]:
    """Nothing that says whose job it is."""
    name = f"pytorch-training-{at:%Y-%m-%d-%H-%M-%S}-{at.second:03}"
    role = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/service-role/AmazonSageMaker-ExecutionRole-20250110T121244"
    paths = Paths(f"s3://sagemaker-{DEFAULT_REGION}-{DEFAULT_ACCOUNT}/")
    return [replace(_plain(CLIP, at, random), name=name, role_arn=role, paths=paths, tags={}, checkpoints=None)]


def tuning(at: datetime, random: Random) -> list[JobPlan]:
    """A tuning job with six children, two at a time, the fourth of which it stops early."""
    tuner = f"rc-fraud-hpo-{at:%y%m%d-%H%M}"
    children = []
    for number in range(6):
        child_at = at + timedelta(minutes=40 * (number // 2), seconds=number % 2)
        plan = _plain(replace(GNN, instance_type="ml.m5.4xlarge"), child_at, random, hours=0.5)
        name = f"{tuner}-{number + 1:03}-{random.randrange(16**8):08x}"
        tuned = {"eta": f"{random.uniform(0.01, 0.3):.4f}", "_tuning_objective_metric": "validation:loss"}
        early = number == 3
        phases, paths = Phases(training_seconds=780.0 if early else 1800.0 + 60 * number), Paths(plan.paths.output)
        plan = replace(plan, name=name, tuning_job=tuner, hyperparameters=tuned, phases=phases, paths=paths)
        children.append(replace(plan, ending=STOPPED if early else plan.ending))
    return [replace(child, tags={}, checkpoints=None) for child in children]


def pipeline(at: datetime, random: Random) -> list[JobPlan]:
    """A step of a pipeline."""
    name = f"pipelines-{random.randrange(36**7):012x}-TrainRanker-{random.randrange(16**10):010x}"
    arn = f"arn:aws:sagemaker:{DEFAULT_REGION}:{DEFAULT_ACCOUNT}:pipeline/search-ranker/execution/{name[10:22]}"
    tags = {"sagemaker:pipeline-execution-arn": arn}
    return [replace(_plain(RANKER, at, random), name=name, tags=tags, lower_case_arn=True)]


def secrets(at: datetime, random: Random) -> list[JobPlan]:
    """Secrets where they should not be."""
    plan = _plain(CLIP, at, random)
    spoken = {**plan.hyperparameters, "wandb_api_key": '"local-0123456789abcdef"', "db_password": '"hunter2"'}
    return [replace(plan, hyperparameters=spoken, environment={"HF_TOKEN": "hf_notreal0123456789", "STAGE": "prod"})]


def hostile(at: datetime, random: Random) -> list[JobPlan]:
    """Text that means harm to pages, spreadsheets, terminals and databases."""
    tags = {"Team": "growth", "Project": "creative"} | {f"note-{number}": text for number, text in enumerate(HOSTILE)}
    reason = "AlgorithmError: " + " ".join(HOSTILE[:5]) + " " + "trace " * 150
    return [replace(_plain(CLIP, at, random), tags=tags, ending=failed(reason))]


def long_name(at: datetime, random: Random) -> list[JobPlan]:
    """A name of 63 characters, as long as SageMaker allows."""
    end = f"-{at:%Y%m%d-%H%M%S}"
    name = "vision-detect-yolo-with-a-description-that-goes-on-and-on-and-on"[: 63 - len(end)] + end
    return [replace(_plain(YOLO, at, random), name=name)]


def shared_checkpoints(at: datetime, random: Random) -> list[JobPlan]:
    """Two jobs alive at once that save to the same place."""
    first = _spot(GNN, at, random)
    second = _spot(GNN, at + timedelta(minutes=30), random)
    return [first, replace(second, checkpoints=first.checkpoints)]


def _plain(row: Row, at: datetime, random: Random, hours: float | None = None) -> JobPlan:
    made = job(row, at, hours or row.hours * random.uniform(0.8, 1.3), serial=1, random=random)
    return replace(made, ending=COMPLETED)


def _spot(row: Row, at: datetime, random: Random) -> JobPlan:
    plan = _plain(row, at, random)
    return replace(
        plan,
        spot=True,
        billable_share=0.31,
        limits=Limits(86_400, 172_800),
        checkpoints=checkpoints(row.team, row.project, plan.name, 1),
    )


ODDITIES: Final[tuple[Oddity, ...]] = (
    heterogeneous, preferences, serverless, training_plan, warm_pool_reused, failed_before_start, stopped, max_runtime,
    spot_never_launched, spot_thrash, max_wait, no_billable_time, unpriced, unknown_words, missing_and_null,
    reused_name, tag_disagrees, unknown_team, unattributed, tuning, pipeline, secrets, hostile, long_name,
    shared_checkpoints, *PLACEMENTS,
)  # fmt: skip
