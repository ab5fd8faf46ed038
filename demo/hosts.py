"""What the hosts of a training job report each minute: a pure function of its plan and the minute."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import pow
from typing import Final
from zlib import crc32

from demo.plan import JobPlan
from demo.timeline import Life

MINUTE: Final = timedelta(minutes=1)
TURNS_BAD_AFTER: Final = timedelta(hours=1)
"""How long into its training a job that will be idle or hang still works."""
HOST_METRICS: Final = ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
GPU_METRICS: Final = ("GPUUtilization", "GPUMemoryUtilization")
GPUS: Final = {
    "ml.g4dn.12xlarge": 4, "ml.g5.12xlarge": 4, "ml.g5.24xlarge": 4, "ml.g5.48xlarge": 8, "ml.p3.8xlarge": 4,
    "ml.p3.16xlarge": 8, "ml.p3dn.24xlarge": 8, "ml.p4d.24xlarge": 8, "ml.p5.48xlarge": 8,
}  # fmt: skip
"""GPUs of those GPU instances that have more than one."""
VCPUS: Final = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "9xlarge": 36, "12xlarge": 48}


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


def training_minutes(life: Life, start: datetime, end: datetime) -> Iterator[datetime]:
    """The minutes from `start` to before `end` that lie wholly in a stretch of training."""
    for step in life.steps:
        if step.status != "Training" or step.end <= start or step.start >= end:
            continue
        minute = _minute_from(max(step.start, start))
        while minute + MINUTE <= min(step.end, end):
            yield minute
            minute += MINUTE


def host_sample(plan: JobPlan, life: Life, host: int, metric: str, minute: datetime) -> float:
    """What host number `host`, from 1, reports: CPU summed over cores, GPU over GPUs, the others 0 to 100."""
    instance_type = hosts(plan)[host - 1]
    noise = _noise(plan.name, host, metric, minute)
    if metric == "MemoryUtilization":
        return round(38 + 6 * noise, 3)
    if metric == "DiskUtilization":
        return round(21 + noise, 3)
    if metric == "CPUUtilization":
        share = _cpu_share(plan, life, minute, gpus(instance_type) > 0)
        return round(vcpus(instance_type) * (share + 6 * noise), 3)
    if metric == "GPUMemoryUtilization":
        return round(gpus(instance_type) * (71 + 4 * noise), 3)
    return round(_gpu(plan, life, host, minute, gpus(instance_type), noise), 3)


def training_sample(plan: JobPlan, life: Life, metric: str, minute: datetime) -> float | None:
    """What the job's log says of a metric of its own, or None once it has stopped saying anything."""
    bad = _turned_bad(life, minute)
    if bad and plan.behaviour == "hung":
        return None
    minutes = max(0.0, ((minute - (life.started_at or minute)).total_seconds()) / 60)
    noise = _noise(plan.name, 0, metric, minute)
    if bad and plan.behaviour == "diverged":
        return round(pow(10.0, min(30.0, minutes / 20)), 6)
    return round(0.2 + 2.2 / (1 + minutes / 45) + 0.02 * noise, 6)


def _cpu_share(plan: JobPlan, life: Life, minute: datetime, gpu: bool) -> float:
    if plan.behaviour == "idle" and _turned_bad(life, minute):
        return 1.0
    return 22.0 if gpu else 74.0


def _gpu(plan: JobPlan, life: Life, host: int, minute: datetime, count: int, noise: float) -> float:
    bad = _turned_bad(life, minute)
    last = host == plan.cluster.instance_count > 1
    if bad and (plan.behaviour == "idle" or (plan.behaviour == "straggler" and last)):
        return count * 1.5 * noise
    if bad and plan.behaviour == "hung":
        return count * 100.0
    if plan.behaviour == "one_gpu":
        return 88 + 8 * noise
    return count * ((9 + 5 * noise) if plan.behaviour == "slow" else (74 + 22 * noise))


def _turned_bad(life: Life, minute: datetime) -> bool:
    return life.started_at is not None and minute >= life.started_at + TURNS_BAD_AFTER


def _noise(name: str, host: int, metric: str, minute: datetime) -> float:
    """Between 0 and 1, always the same for the same sample."""
    sum_ = crc32(f"{name}:{host}:{metric}:{int(minute.timestamp())}".encode())
    # A checksum of neighbouring minutes differs little; the multiplication spreads the difference over all its bits.
    return (sum_ * 2_654_435_761 % 2**32) / 2**32


def _minute_from(at: datetime) -> datetime:
    floor = at.replace(second=0, microsecond=0)
    return floor if floor == at else floor + MINUTE
