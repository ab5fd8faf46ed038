"""What is known of a job's checkpoints from its description alone; what lies in its bucket nobody has listed yet."""

from typing import Literal

from domain.training_job import TrainingJob

CheckpointState = Literal["not_needed", "not_configured", "not_yet", "never_written", "stale", "fresh", "unknown"]
NEEDED_AFTER_SECONDS = 4 * 3600


def checkpoint_state(job: TrainingJob, ran_seconds: int) -> CheckpointState:
    """`not_needed` on demand under 4 h, `not_configured` without a CheckpointConfig, else `unknown`."""
    if job.capacity != "spot" and ran_seconds < NEEDED_AFTER_SECONDS:
        return "not_needed"
    return "unknown" if job.checkpoint_uri else "not_configured"
