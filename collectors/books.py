"""What a collector has to know of the facts that are already kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.checkpoints import awaiting_last_look, read_checkpoints
from storage.descriptions import unpack
from storage.engine import Engine, reading
from storage.facts import WatchedJob, known_description, known_modifications, watched_ids, watched_jobs
from storage.runs import read_watermark
from storage.tuning import known_tuning_jobs


@dataclass(frozen=True, slots=True)
class Books:
    """Our books on one scope; every question is a short read of its own, so it sees what was committed before."""

    engine: Engine
    scope_row: int

    def watermark(self, collector: str) -> dict[str, Any]:
        """What the collector last wrote down for itself; empty before its first run."""
        with reading(self.engine) as connection:
            return read_watermark(connection, self.scope_row, collector)

    def watched(self) -> list[WatchedJob]:
        """The jobs whose facts may still change, oldest first."""
        with reading(self.engine) as connection:
            return watched_jobs(connection, self.scope_row)

    def modifications(self, names: Sequence[str]) -> dict[tuple[str, int], datetime | None]:
        """When AWS last modified the jobs of these names that we have, by name and creation second."""
        with reading(self.engine) as connection:
            return known_modifications(connection, self.scope_row, names)

    def tags(self, name: str, created_second: int) -> list[Any] | None:
        """The tags of a job as we have them; None where we do not have the job, or no tags of it."""
        with reading(self.engine) as connection:
            packed = known_description(connection, self.scope_row, name, created_second)
        tags = unpack(packed).get("Tags") if packed is not None else None
        return tags if isinstance(tags, list) else None

    def checkpoint_looks(self) -> dict[int, datetime]:
        """When we last looked at the checkpoints of each live job of the scope."""
        with reading(self.engine) as connection:
            ids = watched_ids(connection, self.scope_row)
            return {job_id: facts.looked_at for job_id, facts in read_checkpoints(connection, ids).items()}

    def ended_unseen(self, since: datetime, limit: int) -> list[tuple[int, Mapping[str, Any]]]:
        """Spot jobs that ended since an instant and whose checkpoints nobody has looked at after that, newest first."""
        with reading(self.engine) as connection:
            found = awaiting_last_look(connection, self.scope_row, since, limit)
        return [(job_id, unpack(packed)) for job_id, packed in found]

    def tuning_jobs(self) -> dict[tuple[str, int], bool]:
        """The tuning jobs that we have by name and creation second, and whether each may still change."""
        with reading(self.engine) as connection:
            return known_tuning_jobs(connection, self.scope_row)
