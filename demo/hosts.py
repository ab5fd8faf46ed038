"""What the hosts of a training job report each minute: pure functions of its plan and the minute, counted from 1970."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil, floor
from random import Random
from typing import Final
from zlib import crc32

from demo.behaviour import shown
from demo.plan import JobPlan
from demo.timeline import Life

HOST_METRICS: Final = ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
GPU_METRICS: Final = ("GPUUtilization", "GPUMemoryUtilization")
GPUS: Final = {
    "ml.g4dn.12xlarge": 4, "ml.g5.12xlarge": 4, "ml.g5.24xlarge": 4, "ml.g5.48xlarge": 8, "ml.p3.8xlarge": 4,
    "ml.p3.16xlarge": 8, "ml.p3dn.24xlarge": 8, "ml.p4d.24xlarge": 8, "ml.p5.48xlarge": 8,
}  # fmt: skip
"""GPUs of those GPU instances that have more than one."""
VCPUS: Final = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "9xlarge": 36, "12xlarge": 48}
SLOW_PERCENT: Final = (9.0, 5.0)
"""Of each GPU of a slow job: the least, and how much more at most."""

Level = tuple[float, float]
"""The least that is reported, and how much more at most."""

_DRAWN: Final = Random(1)
_NOISE: Final = tuple(_DRAWN.random() for _ in range(4096))


def gpus(instance_type: str) -> int:
    """GPUs of an instance type."""
    family = instance_type.split(".")[1]
    return GPUS.get(instance_type, 1 if family[0] in "gp" else 0)


def vcpus(instance_type: str) -> int:
    """vCPUs of an instance type, by its size."""
    return VCPUS.get(instance_type.rpartition(".")[2], 96)


def hosts(plan: JobPlan) -> list[str]:
    """The instance type of every host, `algo-1` first."""
    return [group.instance_type for group in plan.cluster.groups for _ in range(group.count)]


def metrics(instance_type: str) -> tuple[str, ...]:
    """The names of what a host of the type reports."""
    return HOST_METRICS + GPU_METRICS if gpus(instance_type) else HOST_METRICS


def training_minutes(life: Life, start: datetime, end: datetime) -> list[int]:
    """The minutes from `start` to before `end` that lie wholly in a stretch of training."""
    first, last = start.timestamp(), end.timestamp()
    found: list[int] = []
    for step in life.steps:
        if step.status == "Training" and step.end > start and step.start < end:
            found += range(ceil(max(step.start.timestamp(), first) / 60), floor(min(step.end.timestamp(), last) / 60))
    return found


def host_samples(plan: JobPlan, life: Life, host: int, metric: str, minutes: Sequence[int]) -> list[float]:
    """What host number `host`, from 1, reports in those minutes: CPU summed over cores, GPU over GPUs, the others 0 to 100."""
    usual, unusual = (_level(plan, host, metric, showing=showing) for showing in (False, True))
    noises = noise(f"{plan.name}:{host}:{metric}", minutes)
    showing = shown(plan, life)
    if showing is None or usual == unusual:
        least, more = usual
        return [round(least + more * one, 3) for one in noises]
    since, until = (at.timestamp() / 60 for at in showing)
    levels = [unusual if since <= minute < until else usual for minute in minutes]
    return [round(least + more * one, 3) for (least, more), one in zip(levels, noises, strict=True)]


def noise(key: str, minutes: Sequence[int]) -> list[float]:
    """Between 0 and 1 for each minute, always the same for the same key and minute."""
    # A thousand jobs ask for a million of these at a time: a table is many times faster than a checksum of each.
    start = crc32(key.encode())
    step = start >> 12 | 1
    return [_NOISE[(start + step * minute) & 4095] for minute in minutes]


def _level(plan: JobPlan, host: int, metric: str, *, showing: bool) -> Level:
    instance_type = hosts(plan)[host - 1]
    if metric == "MemoryUtilization":
        return 38.0, 6.0
    if metric == "DiskUtilization":
        return 21.0, 1.0
    behaviour = plan.behaviour if showing else "working"
    idle = behaviour in {"idle", "warming_up"} or (behaviour == "straggler" and host == plan.cluster.instance_count > 1)
    count = gpus(instance_type)
    if metric == "CPUUtilization":
        return _times(vcpus(instance_type), _cpu(idle=idle, gpu=count > 0))
    if metric == "GPUMemoryUtilization":
        return _times(count, (71.0, 4.0))
    if behaviour == "one_gpu":
        return 88.0, 8.0
    return _times(count, (0.0, 1.5) if idle else _gpu(behaviour))


def _cpu(*, idle: bool, gpu: bool) -> Level:
    if gpu:
        return (1.0 if idle else 22.0), 6.0
    return (1.0, 1.0) if idle else (74.0, 6.0)


def _gpu(behaviour: str) -> Level:
    if behaviour in {"hung", "saturated"}:
        return 100.0, 0.0
    return SLOW_PERCENT if behaviour == "slow" else (74.0, 22.0)


def _times(count: int, level: Level) -> Level:
    return count * level[0], count * level[1]
