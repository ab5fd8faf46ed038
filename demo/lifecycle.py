"""What SageMaker says of a training job at an instant: pure functions of its plan, the time, and a stop asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite, isnan

from demo.description import overridden, unchanging
from demo.plan import JobPlan, WarmPool
from demo.timeline import Life, Step, intervals, life, waits, whole_seconds

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Ended:
    """What is true of a job once it is over; a job that never had instances has no start and no seconds.

    `billable_seconds` and `warm_pool_seconds` are per instance, as AWS reports them.
    """

    status: str
    secondary_status: str
    started_at: datetime | None
    ended_at: datetime
    training_seconds: int | None
    billable_seconds: int | None
    warm_pool_seconds: int
    interruptions: int
    intervals: tuple[tuple[datetime, datetime], ...]


def ended(plan: JobPlan, stop_requested_at: datetime | None = None) -> Ended:
    """The job's final times and seconds, whether or not it is over yet."""
    return ended_life(plan, life(plan, stop_requested_at))


def ended_life(plan: JobPlan, one: Life) -> Ended:
    """As `ended`, of a life already laid out."""
    training = _training_seconds(one)
    return Ended(
        status=one.ending.status,
        secondary_status=one.ending.secondary_status,
        started_at=one.started_at,
        ended_at=one.ended_at,
        training_seconds=training,
        billable_seconds=None if training is None else _billable_seconds(plan, training),
        warm_pool_seconds=plan.warm_pool.retained_seconds if plan.warm_pool and one.started_at else 0,
        interruptions=sum(step.status == "Interrupted" for step in one.steps),
        intervals=tuple(intervals(one)),
    )


def settled_at(plan: JobPlan, one: Life) -> datetime:
    """The instant after which nothing about the job changes any more: its end, or that of its warm pool."""
    return _pool_ends_at(plan, one) or one.ended_at


def last_modified_at(plan: JobPlan, one: Life, now: datetime) -> datetime:
    """LastModifiedTime: the latest transition of the job or of its warm pool."""
    pool_end = _pool_ends_at(plan, one)
    if pool_end is not None and now >= pool_end:
        return pool_end
    return current_step(one, now).start


def current_step(one: Life, now: datetime) -> Step:
    """The step the job is in; raises LookupError before it was created."""
    if now >= one.ended_at:
        return one.steps[-1]
    for step in reversed(one.steps):
        if step.start <= now:
            return step
    raise LookupError(f"at {now.isoformat()} the job is not created yet")


def job_status(one: Life, now: datetime) -> str:
    """TrainingJobStatus at `now`."""
    if now >= one.ended_at:
        return one.ending.status
    stopping = any(step.status == "Stopping" and step.start <= now for step in one.steps)
    return "Stopping" if stopping else "InProgress"


def describe(plan: JobPlan, now: datetime, stop_requested_at: datetime | None = None) -> dict[str, object]:
    """The answer of DescribeTrainingJob at `now`, times as aware datetimes; LookupError before the job exists."""
    return describe_life(plan, life(plan, stop_requested_at), now)


def describe_life(plan: JobPlan, one: Life, now: datetime) -> dict[str, object]:
    """As `describe`, of a life already laid out."""
    step = current_step(one, now)
    said = unchanging(plan)
    said["TrainingJobStatus"] = job_status(one, now)
    said["SecondaryStatus"] = step.status
    said["CreationTime"] = plan.created_at
    said["LastModifiedTime"] = last_modified_at(plan, one, now)
    said["SecondaryStatusTransitions"] = [_transition(plan, one, row, now) for row in one.steps if row.start <= now]
    if one.started_at is not None and now >= one.started_at:
        said["TrainingStartTime"] = one.started_at
    if now >= one.ended_at:
        said |= _at_the_end(plan, one)
    pool = _pool_status(plan, one, now)
    if pool:
        said["WarmPoolStatus"] = pool
    return overridden(said, plan.overrides)


def _at_the_end(plan: JobPlan, one: Life) -> dict[str, object]:
    said: dict[str, object] = {}
    training = _training_seconds(one)
    if training is not None:
        said["TrainingEndTime"] = one.ended_at
        said["TrainingTimeInSeconds"] = training
        if plan.serverless_tokens is None:
            said["BillableTimeInSeconds"] = _billable_seconds(plan, training)
        else:
            said["BillableTokenCount"] = plan.serverless_tokens
    if one.ending.failure_reason is not None:
        said["FailureReason"] = one.ending.failure_reason
    if one.ending.status == "Completed":
        said["ModelArtifacts"] = {"S3ModelArtifacts": plan.artifact_uri}
    if one.ending.started and plan.algorithm.final_metrics:
        said["FinalMetricDataList"] = [
            {"MetricName": name, "Value": _spelled(value), "Timestamp": one.ended_at.replace(microsecond=0)}
            for name, value in plan.algorithm.final_metrics
        ]
    return said


def _spelled(value: float) -> float | str:
    """The value as AWS's JSON protocol has it: NaN and the infinities are strings, for JSON has no numbers for them."""
    if isfinite(value):
        return value
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _training_seconds(one: Life) -> int | None:
    if one.started_at is None:
        return None
    waited = sum(whole_seconds(start, end) for start, end in waits(one.steps))
    return whole_seconds(one.started_at, one.ended_at) - waited


def _billable_seconds(plan: JobPlan, training_seconds: int) -> int:
    return int(training_seconds * plan.billable_share) if plan.spot else training_seconds


def _transition(plan: JobPlan, one: Life, row: Step, now: datetime) -> dict[str, object]:
    said: dict[str, object] = {"Status": row.status, "StartTime": row.start, "StatusMessage": row.message}
    if row.start == one.ended_at and row is one.steps[-1]:
        said["EndTime"] = row.end
        said["StatusMessage"] = _pool_message(plan, one, now) or row.message
    elif row.end <= now:
        said["EndTime"] = row.end
    return said


def _pool_ends_at(plan: JobPlan, one: Life) -> datetime | None:
    if plan.warm_pool is None or one.started_at is None:
        return None
    return one.ended_at + timedelta(seconds=plan.warm_pool.retained_seconds)


def _pool_status(plan: JobPlan, one: Life, now: datetime) -> dict[str, object] | None:
    end = _pool_ends_at(plan, one)
    if plan.warm_pool is None or end is None:
        return None
    if now < one.ended_at:
        return {"Status": "InUse"}
    if now < end:
        kept = int((now - one.ended_at).total_seconds())
        return {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": kept}
    return _pool_end(plan.warm_pool)


def _pool_end(pool: WarmPool) -> dict[str, object]:
    said: dict[str, object] = {"ResourceRetainedBillableTimeInSeconds": pool.retained_seconds}
    if pool.reused_by is None:
        return {"Status": "Terminated", **said}
    return {"Status": "Reused", "ReusedByJob": pool.reused_by, **said}


def _pool_message(plan: JobPlan, one: Life, now: datetime) -> str | None:
    end = _pool_ends_at(plan, one)
    if plan.warm_pool is None or end is None:
        return None
    if now < end:
        return "Resource retained for reuse"
    if plan.warm_pool.reused_by is None:
        return "Resource released due to keep alive period expiry"
    return f"Resource reused by training job: {plan.warm_pool.reused_by}"
