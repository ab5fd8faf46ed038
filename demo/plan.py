"""What is decided in advance about a training job: with the time, all that AWS will ever say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal

DEFAULT_ACCOUNT: Final = "123456789012"
DEFAULT_REGION: Final = "us-east-1"


class Absent(Enum):
    """The type of ABSENT."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""As a value in `JobPlan.overrides`: the member is left out of the answer."""

Behaviour = Literal[
    "working", "idle", "hung", "straggler", "one_gpu", "slow", "diverged", "silent",
    "plateau", "saturated", "creeping", "warming_up",
]  # fmt: skip
"""What CloudWatch shows of the job.

A `silent` job never reports a sample nor a line of its log; a `plateau` is a loss that has stopped falling. The last
three only look like trouble: GPUs at 100 % all the time, a loss that falls slowly, GPUs idle for the first 20 minutes.
"""
MetricFault = Literal["missing", "late", "duplicated", "out_of_order", "nan"]
"""What is wrong with the samples themselves; see demo/samples.py."""


@dataclass(frozen=True, slots=True)
class Group:
    """Instances of one type; `name` matters in a heterogeneous cluster only."""

    instance_type: str
    count: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The instances of a job, and which members of ResourceConfig say so.

    `preferences` are the instance types that InstancePreferences offers; the group is the one selected.
    """

    groups: tuple[Group, ...]
    expressed: Literal["plain", "groups", "preferences", "none"] = "plain"
    preferences: tuple[str, ...] = ()

    @classmethod
    def of(cls, instance_type: str, count: int = 1) -> "Cluster":
        """`count` instances of one type, expressed as InstanceType and InstanceCount."""
        return cls((Group(instance_type, count),))

    @property
    def instance_count(self) -> int:
        """Instances over all groups."""
        return sum(group.count for group in self.groups)


SERVERLESS: Final = Cluster((), "none")


@dataclass(frozen=True, slots=True)
class Phases:
    """How long each phase lasts; `training_seconds` is all the training, whatever interrupts it."""

    pending_seconds: float = 0.0
    starting_seconds: float = 120.0
    downloading_seconds: float = 60.0
    training_seconds: float = 3600.0
    uploading_seconds: float = 30.0
    stopping_seconds: float = 90.0


@dataclass(frozen=True, slots=True)
class Interruption:
    """Spot capacity taken back after `after_seconds` of training in all, given again after `wait_seconds`."""

    after_seconds: float
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How the job ends when nobody stops it; without `started` it never gets its instances."""

    status: str = "Completed"
    secondary_status: str = "Completed"
    failure_reason: str | None = None
    started: bool = True

    @property
    def passes_stopping(self) -> bool:
        """Whether SageMaker stops the job, rather than the job ending by itself."""
        return self.status == "Stopped"


COMPLETED: Final = Ending()
STOPPED: Final = Ending("Stopped", "Stopped")
MAX_RUNTIME: Final = Ending("Stopped", "MaxRuntimeExceeded")
MAX_WAIT: Final = Ending("Stopped", "MaxWaitTimeExceeded")
NEVER_LAUNCHED: Final = Ending("Stopped", "MaxWaitTimeExceeded", started=False)


def failed(reason: str, *, started: bool = True) -> Ending:
    """A failure with AWS's reason; `started=False` fails before any instance was had."""
    return Ending("Failed", "Failed", reason, started)


@dataclass(frozen=True, slots=True)
class Limits:
    """StoppingCondition; `max_wait_seconds` is for spot alone."""

    max_runtime_seconds: int = 86_400
    max_wait_seconds: int | None = None
    max_pending_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class WarmPool:
    """Instances kept after the job's end for `retained_seconds`, then reused by a job or released."""

    keep_alive_seconds: int
    retained_seconds: int
    reused_by: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where and how often the job saves its work; `stops_after_seconds` of training, it no longer does."""

    uri: str
    every_seconds: float = 1200.0
    size_bytes: int = 1_500_000_000
    keep: int = 3
    stops_after_seconds: float | None = None


Registration = Literal["model", "endpoint", "package", "checkpoint_model", "intermediate_model"]
"""What is made of a job once it has completed: a Model of its artifact, an endpoint that serves that, a version in the
registry, or a Model of its checkpoints or of its intermediate output."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the job reads and writes in S3; `inputs` are pairs of channel name and URI.

    `debugger` and `tensorboard` are the output paths of these where they are configured.
    """

    output: str
    code: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    artifact_bytes: int = 400_000_000
    intermediates_prefix: str | None = None
    unfinished_uploads: int = 0
    debugger: str | None = None
    tensorboard: str | None = None


PYTORCH: Final = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311-cu124-ubuntu22.04-sagemaker"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The image and what is read from its log: metric definitions (name, regex) and the last values seen."""

    image: str = PYTORCH
    input_mode: str = "File"
    metrics: tuple[tuple[str, str], ...] = ()
    final_metrics: tuple[tuple[str, float], ...] = ()


_EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


def _nothing() -> Mapping[str, str]:
    return _EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """One training job, past, present or future.

    `billable_share` is billable ÷ training seconds of a spot job. `overrides` are laid over the finished description:
    a key is a member or a dotted path to one, a value of ABSENT removes it. `deleted_at` is when somebody deletes it,
    `stop_requested_at` when somebody asks to stop it; None for `stop_takes_seconds` is as long as its phase takes.
    `turns_bad_after_seconds` is how long a job that will be idle, hang or diverge still works.
    """

    name: str
    created_at: datetime
    cluster: Cluster
    role_arn: str
    paths: Paths
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    volume_gb: int = 30
    spot: bool = False
    billable_share: float = 1.0
    phases: Phases = Phases()
    interruptions: tuple[Interruption, ...] = ()
    ending: Ending = COMPLETED
    limits: Limits = Limits()
    tags: Mapping[str, str] = field(default_factory=_nothing)
    hyperparameters: Mapping[str, str] = field(default_factory=_nothing)
    environment: Mapping[str, str] = field(default_factory=_nothing)
    algorithm: Algorithm = Algorithm()
    checkpoints: Checkpoints | None = None
    tuning_job: str | None = None
    warm_pool: WarmPool | None = None
    training_plan_arn: str | None = None
    serverless_tokens: int | None = None
    registered: tuple[Registration, ...] = ()
    vpc: bool = True
    lower_case_arn: bool = False
    behaviour: Behaviour = "working"
    turns_bad_after_seconds: float = 3600.0
    metric_faults: frozenset[MetricFault] = frozenset()
    stop_requested_at: datetime | None = None
    stop_takes_seconds: float | None = None
    deleted_at: datetime | None = None
    overrides: Mapping[str, object] = field(default_factory=_nothing)

    @property
    def arn(self) -> str:
        """The job's ARN; AWS has lower-cased the name in it at times."""
        name = self.name.lower() if self.lower_case_arn else self.name
        return f"arn:aws:sagemaker:{self.region}:{self.account}:training-job/{name}"

    @property
    def artifact_uri(self) -> str:
        """Where the model lies once the job has completed."""
        return f"{self.paths.output.rstrip('/')}/{self.name}/output/model.tar.gz"

    @property
    def tuning_job_arn(self) -> str | None:
        """The ARN of the tuning job that launched it."""
        if self.tuning_job is None:
            return None
        return f"arn:aws:sagemaker:{self.region}:{self.account}:hyper-parameter-tuning-job/{self.tuning_job.lower()}"
