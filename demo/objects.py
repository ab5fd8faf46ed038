"""What a training job leaves in S3, and when: a pure function of its plan and its life."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zlib import crc32

from demo.behaviour import hangs_at
from demo.plan import Checkpoints, JobPlan
from demo.timeline import Life

INTERMEDIATE_EVERY_SECONDS: Final = 5400.0
MOST_INTERMEDIATES: Final = 8
DATASET_AT: Final = datetime(2025, 1, 6, 8, tzinfo=UTC)
"""When the data that jobs read were written."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object with the instants at which it appears and, perhaps, is removed again by the job."""

    bucket: str
    key: str
    size_bytes: int
    at: datetime
    gone_at: datetime | None = None
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A multipart upload that was begun and never completed, with the sizes of its parts."""

    bucket: str
    key: str
    at: datetime
    part_bytes: tuple[int, ...]


def stored(plan: JobPlan, life: Life) -> Iterator[Stored]:
    """Every object of the job's whole life."""
    if plan.paths.code:
        yield _at(plan.paths.code, "", 20_000 + _spread(plan, 60_000), plan.created_at - timedelta(seconds=4))
    yield from _datasets(plan)
    if life.started_at is None:
        return
    yield from _intermediates(plan, life)
    if plan.checkpoints is not None:
        yield from _checkpoints(plan, plan.checkpoints, life)
    if life.ending.status == "Completed":
        yield _at(plan.artifact_uri, "", plan.paths.artifact_bytes + _spread(plan, 90_000_000), life.ended_at)
    if plan.paths.debugger is not None or _spread(plan, 5) == 0:
        yield from _debugger(plan, life)
    if plan.paths.tensorboard is not None:
        root = f"{plan.paths.tensorboard.rstrip('/')}/{plan.name}/tensorboard-output/"
        for number, at in enumerate(_every(3600.0, life)):
            yield _at(root, f"events.out.tfevents.{number}.algo-1", 4_000_000, at)


def unfinished(plan: JobPlan, life: Life) -> Iterator[Unfinished]:
    """The uploads that the job left unfinished."""
    prefix = plan.paths.intermediates_prefix
    if prefix is None or life.started_at is None:
        return
    for number in range(plan.paths.unfinished_uploads):
        bucket, key = split(f"{prefix}dump-{number:03}.bin")
        at = life.started_at + (life.ended_at - life.started_at) / 2
        yield Unfinished(bucket, key, at, (104_857_600, 104_857_600, 52_428_800 + _spread(plan, 50_000_000)))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def buckets(plan: JobPlan) -> set[str]:
    """The buckets the job writes to or reads from."""
    paths = plan.paths
    uris = [paths.output, paths.code, paths.intermediates_prefix, paths.debugger, paths.tensorboard, *(uri for _, uri in paths.inputs)]
    if plan.checkpoints is not None:
        uris.append(plan.checkpoints.uri)
    return {split(uri)[0] for uri in uris if uri}


def _intermediates(plan: JobPlan, life: Life) -> Iterator[Stored]:
    prefix = plan.paths.intermediates_prefix
    if prefix is None:
        return
    for number, at in enumerate(_every(INTERMEDIATE_EVERY_SECONDS, life)):
        if number == MOST_INTERMEDIATES:
            break
        yield _at(prefix, f"predictions-{number:04}.parquet", 80_000_000 + _spread(plan, 40_000_000), at)
    yield _at(prefix, "output.tar.gz", 3_000_000 + _spread(plan, 9_000_000), life.ended_at)


def checkpoints_at(plan: JobPlan, life: Life) -> list[datetime]:
    """The instants at which the job writes a checkpoint, over its whole life; one that hangs writes no more."""
    if plan.checkpoints is None or life.started_at is None:
        return []
    hangs = hangs_at(plan, life)
    written = _every(plan.checkpoints.every_seconds, life, plan.checkpoints.stops_after_seconds)
    return [at for at in written if hangs is None or at <= hangs]


def _checkpoints(plan: JobPlan, checkpoints: Checkpoints, life: Life) -> Iterator[Stored]:
    written = checkpoints_at(plan, life)
    for number, at in enumerate(written):
        # The trainer keeps the newest few; what it deletes in the container, SageMaker deletes in S3.
        follower = number + checkpoints.keep
        gone_at = written[follower] if follower < len(written) else None
        folder = f"checkpoint-{(number + 1) * 500}/"
        for name, share in (("model.safetensors", 0.33), ("optimizer.pt", 0.66), ("trainer_state.json", 0.0)):
            size = int(checkpoints.size_bytes * share) or 40_000
            yield _at(checkpoints.uri, folder + name, size, at, gone_at)


def _every(seconds: float, life: Life, until_seconds: float | None = None) -> Iterator[datetime]:
    """The instants at which another `seconds` of training are done, whatever interrupted it."""
    done, due = 0.0, seconds
    for step in life.steps:
        if step.status != "Training":
            continue
        length = (step.end - step.start).total_seconds()
        while due <= done + length and (until_seconds is None or due <= until_seconds):
            yield step.start + timedelta(seconds=due - done)
            due += seconds
        done += length


def _datasets(plan: JobPlan) -> Iterator[Stored]:
    for _, uri in plan.paths.inputs:
        for part in range(2):
            size = 200_000_000 + crc32(f"{uri}{part}".encode()) % 700_000_000
            yield _at(uri, f"part-{part:05}.parquet", size, DATASET_AT)


def _debugger(plan: JobPlan, life: Life) -> Iterator[Stored]:
    root = f"{(plan.paths.debugger or plan.paths.output).rstrip('/')}/{plan.name}/"
    for number, at in enumerate(_every(3600.0, life)):
        yield _at(root, f"debug-output/events/{number:012}/{number:012}_worker_0.tfevents", 900_000, at)
        yield _at(root, f"profiler-output/system/incremental/{at:%Y%m%d%H}/{at:%M%S}.algo-1.json", 300_000, at)


def _at(uri: str, name: str, size_bytes: int, at: datetime, gone_at: datetime | None = None) -> Stored:
    bucket, key = split(uri)
    return Stored(bucket, key + name, size_bytes, at, gone_at)


def _spread(plan: JobPlan, below: int) -> int:
    """A number below `below`, always the same for the same job."""
    return crc32(plan.name.encode()) % below
