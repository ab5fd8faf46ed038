"""Follows what was asked to stop until it has stopped, and writes that down."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.access import Person
from domain.training_job import ENDED
from storage.audit import Entry, append
from storage.engine import Connection, Engine, writing
from storage.stops import CLAIM_HOLDS, OpenStop, advance, open_stops

GONE = ENDED | {"Gone"}
FOLLOWER = Person("trainwatch", "admin", via="policy")


def follow_stops(
    engine: Engine, scope_row: int, now: datetime, told: Callable[[Sequence[OpenStop], Connection], None] = lambda _ended, _connection: None
) -> list[OpenStop]:
    """Brings the scope's open stops to what its facts say of them; returns those that came to their end, and tells of them.

    A claim that never reached AWS, since its process died in between, is given back once our facts show the job running on.
    """
    ended = []
    with writing(engine) as connection:
        for stop in open_stops(connection, scope_row):
            outcome = _outcome(stop, now)
            if outcome is None:
                continue
            state, words, is_end = outcome
            entry = Entry(now, FOLLOWER, "stop", stop.name, words, follows=stop.audit_id, after=_after(stop))
            append(connection, entry)
            advance(connection, stop.stop_id, state, now, ended=is_end)
            if is_end:
                ended.append(stop._replace(state=state))
        told(ended, connection)
    return ended


def _outcome(stop: OpenStop, now: datetime) -> tuple[str, str, bool] | None:
    """The next state of a stop, in words, and whether that is its end; None while there is nothing new."""
    if stop.status == "Stopped" or (stop.status == "Gone" and stop.state != "claimed"):
        return "stopped", f"stopped: it is {stop.status}", True
    if stop.status in GONE:
        return "already_ended", f"already_ended: it is {stop.status}, which no stop made it; nothing was avoided", True
    seen_since = stop.observed_at is not None and stop.observed_at - stop.asked_at > CLAIM_HOLDS
    if stop.state != "claimed" or not seen_since or now - stop.asked_at <= CLAIM_HOLDS:
        return None
    if stop.status == "Stopping":
        return "stopping", "stopping: AWS was asked, though nobody wrote that down", False
    return "failed", "failed: whoever asked ended before AWS was asked, and it runs on; stop it again", True


def _after(stop: OpenStop) -> Mapping[str, Any]:
    return {"status": stop.status}
