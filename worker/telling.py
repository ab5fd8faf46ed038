"""Who is told what: messages are written down at once and sent in the background, so that telling never holds up the worker."""

import logging
from collections.abc import Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from threading import Lock

from domain.instants import to_millis
from reports.messages import Message, finding_message, late_message, policy_message, recovered_message, stop_message
from settings import PolicySettings, Settings
from storage.engine import Connection, Engine, reading, writing
from storage.findings import Change
from storage.messages import NewMessage, enqueue, keys_told
from storage.stops import OpenStop
from storage.views.collection import CollectorState
from storage.views.findings import FindingRow, findings_by_id
from storage.views.told import first_tried_at, stops_by_id
from worker.catalog import CATALOG
from worker.channels import Channels, send_by_apprise
from worker.clock import Clock
from worker.delivery import SEND_SECONDS, Delivery, Send

__all__ = ["LATE_FACTOR", "Teller"]

LATE_FACTOR = 3
RECOVERED = "recovered"
log = logging.getLogger("trainwatch.worker")


class Teller:
    """Tells the teams' channels and on call. The `tell_…` write down, in the given transaction or one of their own; `deliver` sends.

    Without channels in settings it does nothing. One for the whole process is enough: it may be called from any thread.
    """

    def __init__(
        self, settings: Settings, engine: Engine, now: Clock, send: Send = send_by_apprise, send_seconds: float = SEND_SECONDS
    ) -> None:
        self._settings, self._engine, self._now = settings, engine, now
        self._base_url = settings.notify.base_url
        self._channels = Channels(settings)
        self._delivery = Delivery(settings, engine, now, send, send_seconds)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tell")
        self._lock = Lock()
        self._round: Future[None] | None = None
        self._closed = False

    def tell_changes(self, changes: Sequence[Change], connection: Connection | None = None) -> None:
        """Findings that opened as critical or became it, unless somebody has put them aside: to their team and to on call."""
        kinds = {change.finding_id: change.kind for change in changes if change.kind != "closed"}
        if not kinds or not self._channels:
            return
        now = self._now()
        with self._within(connection) as own:
            for row in findings_by_id(own, list(kinds)).values():
                if row.severity == "critical" and row.closed_at is None and not row.is_quiet(now):
                    self._tell(own, _finding_key(row, kinds[row.finding_id]), row.team, self._of_finding(row, kinds[row.finding_id]))

    def tell_stops(self, ended: Sequence[OpenStop], connection: Connection | None = None) -> None:
        """Stops that came to their end, or failed: to the job's team and to on call."""
        if not ended or not self._channels:
            return
        with self._within(connection) as own:
            for stop in stops_by_id(own, [one.stop_id for one in ended]):
                self._tell(own, f"stop:{stop.stop_id}:{stop.state}", stop.team, stop_message(stop, self._base_url))

    def tell_policy(self, step: str, policy: PolicySettings, row: FindingRow, connection: Connection | None = None) -> None:
        """A step that a policy takes now on a finding (see reports.messages), each once: to the job's team and to on call."""
        if not self._channels:
            return
        minutes = {"warned": policy.warn_minutes + policy.grace_minutes, "warned_again": policy.grace_minutes}.get(step, 0)
        when = self._now() + timedelta(minutes=minutes)
        message = policy_message(step, policy.name, row, when, self._base_url, dry_run=policy.dry_run)
        with self._within(connection) as own:
            self._tell(own, f"policy:{row.finding_id}:{policy.name}:{step}{':dry' if policy.dry_run else ''}", row.team, message)

    def tell_late(self, states: Sequence[CollectorState], now: datetime) -> None:
        """Collectors that have not gone well for long: to on call, once for each outage, and once more when it is over."""
        if not self._channels:
            return
        with reading(self._engine) as connection:
            told = keys_told(connection, "late:")
            found = [self._news_of(connection, state, told, now) for state in states if self._is_watched(state)]
        news = [one for one in found if one is not None]
        if news:
            with writing(self._engine) as connection:
                for key, message in news:
                    self._tell(connection, key, None, message)

    def deliver(self) -> None:
        """Has what is due sent, in the background; returns at once."""
        with self._lock:
            if self._closed or not self._channels or _is_queued(self._round):
                return
            self._round = self._pool.submit(self._delivery.round)
            self._round.add_done_callback(_note_failure)

    def close(self) -> None:
        """Waits until what was handed over is sent, or has been tried, and sends no more."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True)

    def _within(self, connection: Connection | None) -> AbstractContextManager[Connection]:
        return writing(self._engine) if connection is None else nullcontext(connection)

    def _tell(self, connection: Connection, key: str, team: str | None, message: Message) -> None:
        reached = self._channels.reaching(team)
        enqueue(connection, [NewMessage(key, audience, channel, *message) for channel, audience in reached.items()], self._now())

    def _news_of(self, connection: Connection, state: CollectorState, told: Set[str], now: datetime) -> tuple[str, Message] | None:
        about = f"late:{state.scope_id}:{state.collector}:"
        since = state.succeeded_at or first_tried_at(connection, state.scope_id, state.collector)
        if since is not None and self._is_late(state, since, now):
            key = f"{about}{0 if state.succeeded_at is None else to_millis(state.succeeded_at)}"
            return None if key in told else (key, late_message(state, since, now, self._base_url))
        newest = max((key for key in told if key.startswith(about) and not key.endswith(RECOVERED)), key=_outage_from, default=None)
        over = newest is not None and state.succeeded_at is not None and to_millis(state.succeeded_at) > _outage_from(newest)
        if not over or f"{newest}:{RECOVERED}" in told:
            return None
        return f"{newest}:{RECOVERED}", recovered_message(state, self._base_url)

    def _is_late(self, state: CollectorState, since: datetime, now: datetime) -> bool:
        """Whether it has not gone well for long. One that has never gone well and runs now is at its first collection: no outage."""
        interval = timedelta(seconds=self._settings.collect.seconds(state.collector))
        patience = max(timedelta(minutes=self._settings.notify.late_minutes), LATE_FACTOR * interval)
        return now - since > patience and not (state.succeeded_at is None and state.outcome == "running")

    def _is_watched(self, state: CollectorState) -> bool:
        """Whether settings still have it: what was taken out of them is not late."""
        aws = self._settings.aws
        account = next((one for one in aws.accounts if one.id == state.account), None)
        regions = account.regions if account is not None and account.regions else aws.regions
        known = account is not None or not aws.accounts
        return state.collector in CATALOG and known and (not regions or state.region in regions)

    def _of_finding(self, row: FindingRow, kind: str) -> Message:
        return finding_message(row, "escalated" if kind == "escalated" else "opened", self._base_url)


def _finding_key(row: FindingRow, kind: str) -> str:
    """What a message of a finding is told once by: one that wavers between severities is told again once an hour at most."""
    return f"finding:{row.finding_id}:{kind}" + (f":{row.judged_at:%Y-%m-%dT%H}" if kind == "escalated" else "")


def _outage_from(key: str) -> int:
    return int(key.rpartition(":")[2])


def _is_queued(round_: "Future[None] | None") -> bool:
    """Whether a round has yet to begin, and so will find all there is to send."""
    return round_ is not None and not round_.running() and not round_.done()


def _note_failure(round_: "Future[None]") -> None:
    error = None if round_.cancelled() else round_.exception()
    if error is not None:
        log.error("messages could not be delivered; the next round tries again", exc_info=error)
