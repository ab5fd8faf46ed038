"""What follows from a collection: findings, what people and policies do about them, who is told, what is quarantined no more."""

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from actions.following import follow_stops
from actions.reach import Reach
from actions.releasing import release_wanted
from aws.session import Target
from settings import Settings
from storage.engine import Engine, reading, writing
from storage.facts import scope_id
from storage.leases import Lease, acquire, new_holder
from storage.views.collection import collector_states
from worker.clock import Clock
from worker.judging import judge_scope
from worker.policies import Policies
from worker.run import RunReport
from worker.telling import Teller

JUDGING, RELEASING = "judging", "releasing"
JUDGED_AFTER = ("jobs", "metrics", "logs", "tuning", "checkpoints")
RELEASED_AFTER = "models"  # about once an hour; lifecycle rules run once a day
log = logging.getLogger("trainwatch.worker")


class Watch:
    """Looks after one scope: whenever a collector has run, what it found is judged, acted on and told, one at a time."""

    def __init__(self, engine: Engine, settings: Settings, target: Target, now: Clock, teller: Teller) -> None:
        self._engine, self._settings, self._target, self._now, self._teller = engine, settings, target, now, teller
        self._reach = Reach(settings)
        self._policies = Policies(engine, settings, self._reach, now, teller.tell_policy)
        self._lock = Lock()

    def after(self, report: RunReport) -> None:
        """Goes on from a run; whatever goes wrong here is logged, holds up nothing else, and never collecting."""
        if report.outcome not in ("held", "lost"):
            if report.collector in JUDGED_AFTER:
                with self._lock:
                    self._try("findings could not be brought up to date", lambda: self._alone(JUDGING, self._judge))
            if report.collector == RELEASED_AFTER:
                self._try("what is wanted could not be released", lambda: self._alone(RELEASING, self._release))
        self._try("whoever waits for late collectors could not be told", self._tell_late)
        self._try("messages could not be sent", self._teller.deliver)

    def _try(self, what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            log.exception("%s: %s", self._target.scope.label, what)

    def _tell_late(self) -> None:
        with reading(self._engine) as connection:
            states = collector_states(connection)
        self._teller.tell_late(states, self._now())

    def _alone(self, what: str, work: Callable[[Lease, datetime], None]) -> None:
        """Does what only one process may do at a time for a scope; nothing where another one does it right now.

        The work renews its lease, at the latest when it turns to the next thing that takes long.
        """
        now = self._now()
        with writing(self._engine) as connection:
            row = scope_id(connection, self._target.scope)
            lease = acquire(connection, row, what, new_holder(), now)
        if isinstance(lease, str):
            return
        try:
            work(lease, now)
        finally:
            with writing(self._engine) as connection:
                lease.release(connection)

    def _alive(self, lease: Lease) -> Callable[[], None]:
        """Keeps a lease. Raises LeaseLost where another process has taken over."""

        def renew() -> None:
            with writing(self._engine) as connection:
                lease.renew(connection, self._now())

        return renew

    def _judge(self, lease: Lease, now: datetime) -> None:
        scope, alive = self._target.scope, self._alive(lease)
        judge_scope(self._engine, self._settings, lease.scope_row, now, self._teller.tell_changes)
        alive()
        follow_stops(self._engine, lease.scope_row, now, self._teller.tell_stops)
        self._policies.apply((scope.account, scope.region), alive)

    def _release(self, lease: Lease, _now: datetime) -> None:
        scope = self._target.scope
        release_wanted(self._engine, self._settings, self._reach, (scope.account, scope.region), self._now, self._alive(lease))
