"""Where a training job writes in S3, as its own description names it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from domain.instants import EARLIEST, instant_from
from domain.s3 import Location, location
from domain.training_job import ENDED

_CODE_CHANNELS = ("code", "sm_drivers")  # Source: constants of version 3 of the SDK


@dataclass(frozen=True, slots=True)
class JobPlaces:
    """Where a job writes, as its description names it; `code` are the buckets and keys of its sources."""

    name: str
    created_at: datetime
    is_ended: bool
    output: Location | None
    checkpoints: Location | None
    debugger: Location | None
    profiler: Location | None
    tensorboard: Location | None
    code: tuple[Location, ...]

    @property
    def buckets(self) -> set[str]:
        """Every bucket that it names."""
        own = (self.output, self.checkpoints, self.debugger, self.profiler, self.tensorboard, *self.code)
        return {place.bucket for place in own if place is not None}


def job_places(description: Mapping[str, Any], *, is_gone: bool = False) -> JobPlaces:
    """The places of a stored description; a job that AWS no longer knows has ended. Source: DescribeTrainingJob."""

    def named(member: str, inside: str) -> Location | None:
        part = description.get(member)
        return location(part.get(inside)) if isinstance(part, Mapping) else None

    return JobPlaces(
        name=str(description.get("TrainingJobName") or ""),
        created_at=instant_from(description.get("CreationTime")) or EARLIEST,
        is_ended=is_gone or description.get("TrainingJobStatus") in ENDED,
        output=named("OutputDataConfig", "S3OutputPath"),
        checkpoints=named("CheckpointConfig", "S3Uri"),
        debugger=named("DebugHookConfig", "S3OutputPath"),
        profiler=named("ProfilerConfig", "S3OutputPath"),
        tensorboard=named("TensorBoardOutputConfig", "S3OutputPath"),
        code=tuple(_code(description)),
    )


def _code(description: Mapping[str, Any]) -> Iterator[Location]:
    """The sources: version 2 of the SDK names them in a hyperparameter, as JSON; version 3 in channels of their own."""
    hyperparameters = description.get("HyperParameters")
    if isinstance(hyperparameters, Mapping):
        said = str(hyperparameters.get("sagemaker_submit_directory") or "")
        place = location(_unquoted(said))
        if place is not None:
            yield place
    for channel in description.get("InputDataConfig") or ():
        if isinstance(channel, Mapping) and channel.get("ChannelName") in _CODE_CHANNELS:
            source = channel.get("DataSource")
            inside = source.get("S3DataSource") if isinstance(source, Mapping) else None
            place = location(inside.get("S3Uri")) if isinstance(inside, Mapping) else None
            if place is not None:
                yield place


def _unquoted(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
