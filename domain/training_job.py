"""A training job as AWS describes it: the facts that money, findings and pages are derived from.

Source: DescribeTrainingJob and the TrainingJob records of Search; the two differ only in what the first adds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from domain.instants import EARLIEST
from domain.oddities import Oddity, Reader

ALIVE = frozenset({"InProgress", "Stopping"})
ENDED = frozenset({"Completed", "Failed", "Stopped"})
KNOWN_STATUSES = ALIVE | ENDED | {"Deleting"}
KNOWN_SECONDARY = frozenset(
    {
        "Starting", "LaunchingMLInstances", "PreparingTrainingStack", "Downloading", "DownloadingTrainingImage", "Training",
        "Uploading", "Stopping", "Stopped", "MaxRuntimeExceeded", "Completed", "Failed", "Interrupted", "MaxWaitTimeExceeded",
        "Updating", "Restarting", "Pending",
    }
)  # fmt: skip
ON_INSTANCES = frozenset({"Downloading", "DownloadingTrainingImage", "Training", "Uploading", "Updating"})
TERMINAL_SECONDARY = frozenset({"Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded"})
OPEN_WARM_POOL = frozenset({"Available", "InUse"})

_ARN = re.compile(r"^arn:aws[a-z\-]*:sagemaker:([a-z0-9\-]+):(\d{12}):training-job/(.+)$", re.IGNORECASE)


class Unreadable(ValueError):
    """A record that has neither a name nor an ARN, so that no job can be told from it."""


@dataclass(frozen=True, slots=True)
class InstanceGroup:
    """Instances of one type in a job's cluster, billed at one rate."""

    instance_type: str
    count: int


class Transition(NamedTuple):
    """One secondary status and when it held; `end` is None while it lasts."""

    status: str
    start: datetime
    end: datetime | None
    message: str


class Interval(NamedTuple):
    """A stretch of time, half-open."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What AWS said of one training job. Times are aware UTC, durations whole seconds, None is unknown or not yet."""

    name: str
    arn: str | None
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    last_modified_at: datetime | None
    status: str
    secondary_status: str | None
    failure_reason: str | None
    capacity: str
    cluster: tuple[InstanceGroup, ...]
    volume_gb: int
    training_seconds: int | None
    billable_seconds: int | None
    warm_pool_status: str | None
    warm_pool_billable_seconds: int
    warm_pool_reused_by: str | None
    transitions: tuple[Transition, ...]
    max_runtime_seconds: int | None
    max_wait_seconds: int | None
    role: str | None
    output_uri: str | None
    checkpoint_uri: str | None
    tuning_job: str | None
    pipeline: str | None
    billable_tokens: int | None
    tags: Mapping[str, str]
    oddities: tuple[Oddity, ...]

    @property
    def is_live(self) -> bool:
        """Whether the job has not ended; a status we do not know counts as live until it shows an end."""
        return self.status in ALIVE or (self.status not in ENDED and self.ended_at is None)

    @property
    def is_watched(self) -> bool:
        """Whether its facts may still change: it lives, or its warm pool goes on billing."""
        return self.is_live or self.warm_pool_status in OPEN_WARM_POOL

    def lost_at(self, moment: datetime) -> "TrainingJob":
        """The job as ended when AWS was last seen to know it: for one that lived and that AWS no longer lists.

        What it cost until then is known to be spent; what came after is not known.
        """
        note = Oddity("no longer listed", "TrainingJobStatus", f"was {self.status}; AWS no longer knows the job")
        return replace(self, status="Gone", ended_at=self.ended_at or moment, oddities=(*self.oddities, note))

    @property
    def instance_count(self) -> int:
        """Instances over all groups."""
        return sum(group.count for group in self.cluster)

    @property
    def bucket(self) -> str | None:
        """The bucket of the output path."""
        if self.output_uri and self.output_uri.startswith("s3://"):
            return self.output_uri[5:].split("/", 1)[0] or None
        return None

    @property
    def interruptions(self) -> int:
        """How often spot capacity was taken back."""
        return sum(1 for transition in self.transitions if transition.status == "Interrupted")

    def running_intervals(self, until: datetime) -> list[Interval]:
        """When the instances ran, up to the job's end or `until`: the time since the start less the waits after interruptions.

        A wait lasts from an `Interrupted` to the next transition that is on instances again. Empty before the start.
        """
        if self.started_at is None:
            return []
        end = self.ended_at or until
        intervals, begun = [], self.started_at
        waiting_since: datetime | None = None
        for transition in self.transitions:
            if transition.status == "Interrupted" and waiting_since is None:
                waiting_since = max(transition.start, self.started_at)
                intervals.append(Interval(begun, min(waiting_since, end)))
            elif waiting_since is not None and transition.status in ON_INSTANCES:
                begun, waiting_since = transition.start, None
        if waiting_since is None:
            intervals.append(Interval(begun, end))
        return [interval for interval in intervals if interval.start < interval.end]

    @property
    def ended_by(self) -> datetime | None:
        """The latest that it can have ended; None while it lives. AWS gives no end to a job that never started."""
        if self.status not in ENDED:
            return None
        known = [self.ended_at, self.last_modified_at, *(moment for row in self.transitions for moment in (row.start, row.end))]
        return max((moment for moment in known if moment is not None), default=None)

    @property
    def is_waiting(self) -> bool:
        """Whether an interrupted job waits for capacity, and so burns nothing."""
        for transition in reversed(self.transitions):
            if transition.status in ON_INSTANCES:
                return False
            if transition.status == "Interrupted":
                return True
        return False


def training_job_from(description: Mapping[str, Any]) -> TrainingJob:
    """The job of a DescribeTrainingJob answer, or of a Search record with its `Tags`.

    Times may be datetimes, epoch seconds or ISO text. Unknown members are ignored, missing or wrong ones are None and
    listed in `oddities`. Raises Unreadable when the record has neither a name nor an ARN. Source: DescribeTrainingJob.
    """
    read = Reader(description)
    name, arn = _identity(read)
    status = _known(read, "TrainingJobStatus", KNOWN_STATUSES) or "Unknown"
    transitions = _transitions(read)
    started_at, ended_at = read.instant("TrainingStartTime"), read.instant("TrainingEndTime")
    last_modified_at = read.instant("LastModifiedTime")
    if ended_at is None and started_at is not None and status in ENDED:
        ended_at = _end_from(transitions) or last_modified_at
        read.note("missing field", "TrainingEndTime", "taken from the last transition")
    if started_at and ended_at and ended_at < started_at:
        read.note("absurd time", "TrainingEndTime", f"{ended_at:%Y-%m-%d %H:%M:%S} is before the start")
        ended_at = started_at
    created_at = _created(read, transitions, started_at, last_modified_at)
    resources, stopping, warm_pool = (
        read.nested("ResourceConfig"),
        read.nested("StoppingCondition"),
        read.nested("WarmPoolStatus"),
    )
    cluster, tags = _cluster(read), _tags(read)
    return TrainingJob(
        name=name,
        arn=arn,
        created_at=created_at,
        started_at=started_at,
        ended_at=ended_at,
        last_modified_at=last_modified_at,
        status=status,
        secondary_status=_known(read, "SecondaryStatus", KNOWN_SECONDARY),
        failure_reason=read.text("FailureReason"),
        capacity=_capacity(read, cluster),
        cluster=cluster,
        volume_gb=resources.whole("VolumeSizeInGB") or 0,
        training_seconds=read.whole("TrainingTimeInSeconds"),
        billable_seconds=read.whole("BillableTimeInSeconds"),
        warm_pool_status=warm_pool.text("Status"),
        warm_pool_billable_seconds=warm_pool.whole("ResourceRetainedBillableTimeInSeconds") or 0,
        warm_pool_reused_by=warm_pool.text("ReusedByJob"),
        transitions=transitions,
        max_runtime_seconds=stopping.whole("MaxRuntimeInSeconds"),
        max_wait_seconds=stopping.whole("MaxWaitTimeInSeconds"),
        role=_last_part(read.text("RoleArn"), "/"),
        output_uri=read.nested("OutputDataConfig").text("S3OutputPath"),
        checkpoint_uri=read.nested("CheckpointConfig").text("S3Uri"),
        tuning_job=_last_part(read.text("TuningJobArn"), "/"),
        pipeline=_pipeline(tags),
        billable_tokens=read.whole("BillableTokenCount"),
        tags=tags,
        oddities=tuple(read.oddities),
    )


def _identity(read: Reader) -> tuple[str, str | None]:
    """The job's name and ARN; names come from names, since ARNs are sometimes lower-cased."""
    name, arn = read.text("TrainingJobName"), read.text("TrainingJobArn")
    if name:
        return name, arn
    found = _ARN.match(arn or "")
    if not found:
        raise Unreadable("a training job record without a name and without an ARN")
    read.note("missing field", "TrainingJobName", "taken from the ARN")
    return found[3], arn


def _known(read: Reader, member: str, known: frozenset[str]) -> str | None:
    return _one_of(read, member, read.text(member), known)


def _one_of(read: Reader, member: str, value: str | None, known: frozenset[str]) -> str | None:
    """The value, noted where it is not one that we know."""
    if value is not None and value not in known:
        read.note("unknown value", member, value)
    return value


def _created(read: Reader, transitions: tuple[Transition, ...], *others: datetime | None) -> datetime:
    """The creation time; where AWS sent none the earliest time we know, since a job's identity needs one."""
    created_at = read.instant("CreationTime")
    if created_at is not None:
        return created_at
    candidates = [transition.start for transition in transitions[:1]] + [moment for moment in others if moment]
    read.note("missing field", "CreationTime", "taken from the earliest other time")
    return min(candidates, default=EARLIEST)


def _transitions(read: Reader) -> tuple[Transition, ...]:
    result = []
    for row in read.structures("SecondaryStatusTransitions"):
        status = _one_of(read, "Status", read.as_text("Status", row.get("Status")), KNOWN_SECONDARY)
        start = read.as_instant("StartTime", row.get("StartTime"))
        if status and start:
            end, message = read.as_instant("EndTime", row.get("EndTime")), read.as_text("StatusMessage", row.get("StatusMessage"))
            result.append(Transition(status, start, end, message or ""))
    return tuple(result)


def _end_from(transitions: tuple[Transition, ...]) -> datetime | None:
    return next((row.start for row in reversed(transitions) if row.status in TERMINAL_SECONDARY), None)


def _cluster(read: Reader) -> tuple[InstanceGroup, ...]:
    """The billed instances: what was selected, else the groups, else the plain pair. Source: ResourceConfig."""
    resources = read.nested("ResourceConfig")
    selected = _group(resources, "SelectedInstanceType", "SelectedInstanceCount") or _group(
        resources, "SelectedInstanceType", "InstanceCount"
    )
    if selected:
        return (selected,)
    groups = []
    for row in resources.structures("InstanceGroups"):
        inner = Reader(row)
        inner.oddities = read.oddities
        group = _group(inner, "InstanceType", "InstanceCount")
        if group:
            groups.append(group)
        else:
            read.note("missing field", "InstanceGroups", dict(row))
    if groups:
        return tuple(groups)
    plain = _group(resources, "InstanceType", "InstanceCount")
    return (plain,) if plain else ()


def _group(resources: Reader, type_member: str, count_member: str) -> InstanceGroup | None:
    instance_type, count = resources.text(type_member), resources.whole(count_member)
    return InstanceGroup(instance_type, count) if instance_type and count else None


def _capacity(read: Reader, cluster: tuple[InstanceGroup, ...]) -> str:
    """How the capacity was bought: a training plan, spot, serverless, or on demand."""
    resources = read.mapping("ResourceConfig")
    if resources.get("TrainingPlanArn"):
        return "plan"
    if read.mapping("ServerlessJobConfig") or (not cluster and read.whole("BillableTokenCount") is not None):
        return "serverless"
    return "spot" if read.flag("EnableManagedSpotTraining") else "on_demand"


def _tags(read: Reader) -> dict[str, str]:
    tags = {}
    for row in read.structures("Tags"):
        key, value = row.get("Key"), row.get("Value")
        if isinstance(key, str) and isinstance(value, str):
            tags[key] = value
        else:
            read.note("unexpected type", "Tags", dict(row))
    return tags


def _pipeline(tags: Mapping[str, str]) -> str | None:
    """The pipeline whose execution started the job, from the tag that SageMaker sets."""
    arn = tags.get("sagemaker:pipeline-execution-arn", "")
    found = re.search(r":pipeline/([^/]+)/execution/", arn)
    return found[1] if found else None


def _last_part(text: str | None, separator: str) -> str | None:
    return text.rsplit(separator, 1)[-1] if text else None
