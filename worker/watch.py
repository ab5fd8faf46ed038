"""What follows from a collection: findings, what people and policies do about them, and who is told."""

import logging
from threading import Lock

from actions.following import follow_stops
from aws.session import Target
from settings import Settings
from storage.engine import Engine, writing
from storage.facts import scope_id
from storage.leases import acquire, new_holder
from worker.clock import Clock
from worker.judging import judge_scope
from worker.run import RunReport

JUDGING = "judging"
JUDGED_AFTER = ("jobs", "metrics", "logs", "tuning", "checkpoints")
log = logging.getLogger("trainwatch.worker")


class Watch:
    """Looks after one scope: whenever a collector has run, what it found is judged, acted on and told, one at a time."""

    def __init__(self, engine: Engine, settings: Settings, target: Target, now: Clock) -> None:
        self._engine, self._settings, self._target, self._now = engine, settings, target, now
        self._lock = Lock()

    def after(self, report: RunReport) -> None:
        """Goes on from a run; whatever goes wrong here is logged, and never holds up collecting."""
        if report.collector not in JUDGED_AFTER or report.outcome in ("held", "lost"):
            return
        with self._lock:
            try:
                self._judge()
            except Exception:
                log.exception("%s: findings could not be brought up to date", self._target.scope.label)

    def _judge(self) -> None:
        now = self._now()
        with writing(self._engine) as connection:
            row = scope_id(connection, self._target.scope)
            lease = acquire(connection, row, JUDGING, new_holder(), now)
        if isinstance(lease, str):
            return  # another process judges the same facts right now
        try:
            judge_scope(self._engine, self._settings, row, now)
            follow_stops(self._engine, row, now)
        finally:
            with writing(self._engine) as connection:
                lease.release(connection)
