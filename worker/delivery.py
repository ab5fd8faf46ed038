"""Sends what is due, each channel by itself: one that fails is tried again later, one that hangs is left behind."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

from domain.findings.judge import TITLES
from domain.quiet_hours import quiet_hours
from reports.messages import DigestItem, digest_message
from settings import Settings
from storage.engine import Engine, reading, writing
from storage.messages import Claimed, claim_due, defer_quiet, give_up_old, mark_failed, mark_sent, waiting_channels
from storage.views.findings import FindingRow, findings_by_id
from worker.channels import Channels
from worker.clock import Clock

Send = Callable[[str, str, str, str], str]  # URL, severity, title, body; empty when it got through, else why not
CHANNELS_AT_ONCE = 8
SEND_SECONDS = 20.0  # that one message may take
BATCH_SECONDS = 60.0  # after which no further one of a batch is begun: with SEND_SECONDS well below the time that a claim holds
KINDS = {"late": "Collectors", "stop": "Stops", "policy": "Policies"}
log = logging.getLogger("trainwatch.worker")


class Parcel(NamedTuple):
    """What is sent at once: one message, or a digest of many."""

    messages: tuple[Claimed, ...]
    severity: str
    title: str
    body: str


class Delivery:
    """Rounds of sending what is due, as settings say to whom, and in which hours."""

    def __init__(self, settings: Settings, engine: Engine, now: Clock, send: Send, send_seconds: float = SEND_SECONDS) -> None:
        self._settings, self._engine, self._now, self._send, self._send_seconds = settings, engine, now, send, send_seconds
        self._channels = Channels(settings)
        self._quiet = quiet_hours(settings.notify.quiet_hours, settings.notify.quiet_zone)
        self._left_behind: dict[str, _Sending] = {}

    def round(self) -> None:
        """Sends what is due now. Takes as long as a hanging channel is waited for, at most, for every eight of them."""
        waiting = deque(channel for channel in self._waiting() if not self._hangs(channel))
        running: set[_Sending] = set()
        finished: SimpleQueue[_Sending] = SimpleQueue()
        while waiting or running:
            while waiting and len(running) < CHANNELS_AT_ONCE:
                running |= self._begun(waiting.popleft(), finished)
            if running:
                running -= self._ended(running, finished)

    def _waiting(self) -> list[str]:
        """The channels that something is due to, after what must wait, or can be told no more, is out of the way."""
        now = self._now()
        with reading(self._engine) as connection:
            if not waiting_channels(connection, now):
                return []
        until = self._quiet.until(now) if self._quiet else None
        with writing(self._engine) as connection:
            give_up_old(connection, now)
            if until is not None:
                defer_quiet(connection, now, until)
            return [channel for channel in waiting_channels(connection, now) if self._channels.url(channel) is not None]

    def _hangs(self, channel: str) -> bool:
        """Whether a message to the channel is still on its way since an earlier round: one at a time is enough."""
        return channel in self._left_behind and self._left_behind[channel].is_alive()

    def _begun(self, channel: str, finished: "SimpleQueue[_Sending]") -> set["_Sending"]:
        with writing(self._engine) as connection:
            claimed = claim_due(connection, channel, self._now())
        if not claimed:
            return set()  # another process was quicker
        with reading(self._engine) as connection:
            rows = findings_by_id(connection, [found for found in map(_finding_id, claimed) if found is not None])
        url = self._channels.url(channel) or ""
        sending = _Sending(channel, self._parcels(claimed, rows), lambda parcel: self._sent(url, parcel), self._record, finished)
        sending.start()
        return {sending}

    def _ended(self, running: set["_Sending"], finished: "SimpleQueue[_Sending]") -> set["_Sending"]:
        """Those that are done, or have taken too long and are left to themselves."""
        patience = min(one.seconds_left(self._send_seconds) for one in running)
        try:
            return {finished.get(timeout=max(0.001, patience))}
        except Empty:
            overdue = {one for one in running if one.seconds_left(self._send_seconds) <= 0}
        for one in overdue:
            parcel = one.leave()
            self._left_behind[one.channel] = one
            if parcel is not None:
                self._record(parcel, f"no answer within {self._send_seconds:g} s")
        return overdue

    def _parcels(self, claimed: Sequence[Claimed], rows: Mapping[int, FindingRow]) -> list[Parcel]:
        notify = self._settings.notify
        if len(claimed) <= notify.digest_over:
            return [Parcel((one,), one.severity, one.title, one.body) for one in claimed]
        items = [_item(one, rows) for one in claimed]
        page = "collectors" if all(item.kind == KINDS["late"] for item in items) else "runaway"
        digest = digest_message(items, page, notify.base_url)
        return [Parcel(tuple(claimed), *digest)]

    def _sent(self, url: str, parcel: Parcel) -> str:
        try:
            return self._send(url, parcel.severity, parcel.title, parcel.body)
        except Exception as error:  # noqa: BLE001 - Apprise has a plugin for each of a hundred services, and a text that may hold the URL
            return f"sending failed unexpectedly: {type(error).__name__}"

    def _record(self, parcel: Parcel, problem: str) -> None:
        with writing(self._engine) as connection:
            if problem:
                mark_failed(connection, parcel.messages, self._now(), problem)
            else:
                mark_sent(connection, parcel.messages, self._now())
        if problem:
            first = parcel.messages[0]
            log.warning("%d message(s) to %s, channel %s: %s", len(parcel.messages), first.audience, first.channel, problem)


class _Sending:
    """A channel's parcels on their way, one after another, in a thread of their own that may be left to itself."""

    def __init__(
        self,
        channel: str,
        parcels: Sequence[Parcel],
        send: Callable[[Parcel], str],
        record: Callable[[Parcel, str], None],
        finished: "SimpleQueue[_Sending]",
    ) -> None:
        self.channel = channel
        self._parcels, self._send, self._record, self._finished = parcels, send, record, finished
        self._lock, self._left = Lock(), False
        self._current: Parcel | None = None
        self._begun = self._since = time.monotonic()
        # A daemon, so that a channel that hangs never keeps the process from ending.
        self._thread = Thread(target=self._run, name=f"tell {channel}", daemon=True)

    def start(self) -> None:
        """Sets out."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it is still on its way."""
        return self._thread.is_alive()

    def seconds_left(self, send_seconds: float) -> float:
        """How long the message that is being sent may still take; below 0 where it has taken too long."""
        with self._lock:
            return self._since + send_seconds - time.monotonic()

    def leave(self) -> Parcel | None:
        """Nobody waits for it any more: sends nothing further. Returns what is under way, whose failure is now for others to note."""
        with self._lock:
            under_way, self._current, self._left = self._current, None, True
            return under_way

    def _run(self) -> None:
        try:
            for parcel in self._parcels:
                if not self._begins(parcel):
                    return
                problem = self._send(parcel)
                if self._is_ours(parcel) or not problem:  # what got through late did get through
                    self._record(parcel, problem)
        finally:
            self._finished.put(self)

    def _begins(self, parcel: Parcel) -> bool:
        with self._lock:
            self._since = time.monotonic()
            if self._left or self._since - self._begun > BATCH_SECONDS:
                return False  # the claim on what is left runs out, and then it is due again
            self._current = parcel
            return True

    def _is_ours(self, parcel: Parcel) -> bool:
        with self._lock:
            ours, self._current, self._since = self._current is parcel, None, time.monotonic()
            return ours


def _finding_id(message: Claimed) -> int | None:
    """The finding that a message is about; keys are made in worker.telling."""
    kind, _, rest = message.key.partition(":")
    return int(rest.partition(":")[0]) if kind in ("finding", "policy") else None


def _item(message: Claimed, rows: Mapping[int, FindingRow]) -> DigestItem:
    kind = message.key.partition(":")[0]
    row = rows.get(_finding_id(message) or 0)
    if row is None:
        return DigestItem(KINDS.get(kind, "Findings"), message.severity, message.title)
    title = KINDS.get(kind) or TITLES.get(row.rule, row.rule)
    return DigestItem(title, message.severity, message.title, row.burn_nusd_per_hour, row.closed_at is not None)
