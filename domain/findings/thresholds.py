"""When a rule fires: the numbers that settings may change, for everybody or for one team."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds of all rules for one team's jobs; what each means is in docs/settings.md, under `[runaway]`.

    `max_job_nusd` is the team's cap for one job, None where it has none.
    """

    idle_gpu_percent: float = 5
    idle_cpu_percent: float = 5
    idle_minutes: int = 30
    slow_gpu_percent: float = 20
    slow_minutes: int = 60
    hung_gpu_percent: float = 90
    hung_minutes: int = 90
    diverged_minutes: int = 720
    over_runtime_factor: float = 2
    over_runtime_jobs: int = 5
    near_limit_percent: float = 90
    no_limit_hours: float = 12
    no_limit_days: float = 5
    stuck_starting_minutes: int = 30
    stuck_pending_minutes: int = 120
    stuck_downloading_minutes: int = 60
    stuck_uploading_minutes: int = 60
    stuck_stopping_minutes: int = 30
    thrash_interruptions: int = 3
    warm_pool_minutes: int = 15
    max_job_nusd: int | None = None


THRESHOLD_NAMES = tuple(field.name for field in fields(Thresholds) if field.name != "max_job_nusd")

# Rules on which a policy may stop a job: those that say that its money is spent for nothing.
STOPPABLE = ("idle_gpu", "idle_cpu", "hung", "diverged", "over_runtime", "over_budget", "stuck", "spot_thrash", "unused_gpus", "straggler")
