"""Everything the rules are told of one job: its facts, its money, its hosts and what they report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import NamedTuple

from domain.findings.series import GAP_SECONDS, LATE_SECONDS, NOTHING, Series
from domain.instances import instance_type
from domain.money import SECONDS_PER_HOUR, divided
from domain.training_job import Interval, TrainingJob

GPU, CPU = "GPUUtilization", "CPUUtilization"
GPU_MEMORY, MEMORY = "GPUMemoryUtilization", "MemoryUtilization"
LOOKED_WITHIN = timedelta(minutes=30)  # a look longer ago says nothing of what has moved since
_MILLISECOND = timedelta(milliseconds=1)
_A_GAP = timedelta(seconds=GAP_SECONDS)


class Family(NamedTuple):
    """The successful runs of a job's family: how many we know, and the 95th percentile of their training seconds."""

    runs: int
    p95_seconds: int


class Signal(NamedTuple):
    """When something last moved, None if it never has, and when we looked."""

    last_at: datetime | None
    checked_at: datetime


class Checkpoint(NamedTuple):
    """What lies under a job's checkpoint prefix: its state, the newest write, the job's own rhythm in seconds, and when we looked."""

    state: str
    last_written_at: datetime | None
    rhythm_seconds: int | None
    checked_at: datetime


class Held(NamedTuple):
    """A finding that is open: since when it has held, and as of when it last did."""

    since: datetime
    judged_at: datetime


class Objective(NamedTuple):
    """The metric that a tuning job optimises, and whether less of it is better."""

    metric: str
    minimise: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """One job that lives, or whose warm pool does, as of `now`, the last look at it.

    `rate_nusd` is what it costs per hour while it is on instances (spot at its billable share), `burn_nusd` what it burns at
    this moment, `accruing_nusd` what it has cost so far; None where there is no price. `hosts` are instance types, `algo-1`
    first. `series` are by (host number, metric), `metrics` the job's own by name. `no_samples_because` says why there may be none.
    `host_rates` is what each host costs an hour at list price. `hosts_from` and `metrics_from` are since when samples of both were
    read, None where all were. `held` are the findings that are open, by rule: they may have begun before that.
    """

    now: datetime
    job: TrainingJob
    ran: Sequence[Interval]
    rate_nusd: int | None
    burn_nusd: int | None
    accruing_nusd: int | None
    list_rate_nusd: int | None = None
    series: Mapping[tuple[int, str], Series] = field(default_factory=dict)
    metrics: Mapping[str, Series] = field(default_factory=dict)
    metrics_checked_at: datetime | None = None
    logs: Signal | None = None
    checkpoint: Checkpoint | None = None
    family: Family | None = None
    objective: Objective | None = None
    shares_checkpoints_with: tuple[str, ...] = ()
    no_samples_because: str = "CloudWatch has no samples of it"
    host_rates: tuple[int | None, ...] = ()
    held: Mapping[str, Held] = field(default_factory=dict)
    hosts_from: datetime | None = None
    metrics_from: datetime | None = None
    _percents: dict[tuple[int, str], Series | None] = field(init=False, default_factory=dict, repr=False, compare=False)

    @property
    def ran_seconds(self) -> int:
        """Seconds on instances so far."""
        return sum((end - start) // _MILLISECOND for start, end in self.ran) // 1000

    @property
    def hosts(self) -> tuple[str, ...]:
        """The instance type of each host, `algo-1` first; groups of a mixed cluster in the order in which AWS lists them."""
        return tuple(group.instance_type for group in self.job.cluster for _ in range(group.count))

    @property
    def in_status_since(self) -> datetime | None:
        """When the job entered its present secondary status."""
        last = self.job.transitions[-1] if self.job.transitions else None
        return last.start if last and last.status == self.job.secondary_status else None

    @property
    def training_since(self) -> datetime | None:
        """Since when it has been Training without interruption; None when it is not."""
        if self.job.secondary_status != "Training" or self.job.status != "InProgress":
            return None
        last = self.job.transitions[-1] if self.job.transitions else None
        return last.start if last and last.status == "Training" else self.job.started_at

    def percent(self, host: int, metric: str) -> Series | None:
        """A host's GPU or CPU use in percent of its capacity; None where it reported nothing, or its capacity is not known.

        Kept once worked out, since most rules about use ask for it.
        """
        if (host, metric) not in self._percents:
            self._percents[host, metric] = self._percent(host, metric)
        return self._percents[host, metric]

    def _percent(self, host: int, metric: str) -> Series | None:
        found = self.series.get((host, metric))
        kind = instance_type(self.hosts[host - 1]) if host <= len(self.hosts) else None
        capacity = None if kind is None else kind.gpus if metric in (GPU, GPU_MEMORY) else kind.vcpus
        if found is None or not found.times or not capacity:
            return None
        finite = [(time, value / capacity) for time, value in zip(found.times, found.values, strict=True) if isfinite(value)]
        return Series([time for time, _ in finite], [value for _, value in finite])

    def gpu_hosts(self) -> tuple[int, ...] | None:
        """Numbers of the hosts that have GPUs; None where the catalogue does not know one of the types."""
        counts = [instance_type(kind).gpus for kind in self.hosts]
        if any(count is None for count in counts):
            return None
        return tuple(number for number, count in enumerate(counts, 1) if count)

    def is_cpu_job(self) -> bool:
        """Whether no host has an accelerator of any kind."""
        kinds = [instance_type(kind) for kind in self.hosts]
        return bool(kinds) and all(kind.accelerators == 0 for kind in kinds)

    def newest(self, series: Sequence[Series]) -> int | None:
        """When the samples of all of these end; None where that is too long ago to speak of now."""
        ends = [one.last for one in series]
        if not ends or any(end is None for end in ends):
            return None
        end = min(last for last in ends if last is not None)
        return end if epoch(self.now) - end <= LATE_SECONDS else None

    def spent_since(self, since: datetime, percent: float | None = 100.0) -> int | None:
        """Nano-dollars spent since an instant, or a percentage of them; None where either is not known."""
        if self.rate_nusd is None or percent is None:
            return None
        seconds = sum(max(0, (end - max(start, since)) // _MILLISECOND) for start, end in self.ran)
        return divided(seconds * self.rate_nusd * round(percent * 100), 1000 * SECONDS_PER_HOUR * 10_000)

    def share_percent(self, of_hosts: Mapping[int, float]) -> float | None:
        """How much of the cluster's cost some hosts (or so much of each, 0 to 1, by number) are; None where that is not known.

        The hosts of a mixed cluster cost differently.
        """
        rates = self.host_rates if len(self.host_rates) == len(self.hosts) else (None,) * len(self.hosts)
        if len(set(self.hosts)) == 1:
            rates = (1,) * len(self.hosts)
        known = [rate for rate in rates if rate is not None]
        if len(known) < len(rates) or not sum(known):
            return None
        return 100 * sum(known[number - 1] * part for number, part in of_hosts.items()) / sum(known)

    def looked_lately(self, checked_at: datetime | None) -> bool:
        """Whether a look was recent enough to say that nothing has moved since."""
        return checked_at is not None and self.now - checked_at <= LOOKED_WITHIN

    def left_seconds(self) -> int | None:
        """Seconds on instances until its time limit ends it; None without a limit."""
        limit = self.job.max_runtime_seconds
        return None if limit is None else max(0, limit - self.ran_seconds)

    def left_nusd(self) -> int | None:
        """What it costs at most from now until its time limit."""
        left = self.left_seconds()
        return None if left is None or self.rate_nusd is None else divided(left * self.rate_nusd, SECONDS_PER_HOUR)

    def began(self, rule: str, seen: datetime, read_from: datetime | None = None) -> datetime:
        """Since when a rule has held, given since when the samples at hand bear it out.

        A finding that is open began earlier only where nothing speaks against it: what is seen now was there already when it last
        held, and reaches back to `read_from`, before which no samples were read. Otherwise it ended meanwhile, and this is another.
        """
        before = self.held.get(rule)
        if before is None or seen > before.judged_at or (read_from is not None and seen - read_from > _A_GAP):
            return min(seen, self.now)
        return min(seen, before.since, self.now)

    def missing(self, *, numbers: Sequence[int], metric: str) -> str | None:
        """Why the samples of these hosts cannot be judged; None when all have some."""
        without = [number for number in numbers if self.series.get((number, metric), NOTHING).last is None]
        if not without:
            return None
        if len(without) == len(numbers):
            return self.no_samples_because
        return f"no samples of {', '.join(f'algo-{number}' for number in without[:3])}"


def epoch(moment: datetime) -> int:
    """Whole epoch seconds."""
    return int(moment.timestamp())


def instant(seconds: int) -> datetime:
    """The aware UTC instant of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)
