"""Puts findings aside, by name, with a reason and until a time: they stay listed, and are not told of meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from domain.access import Person, Refusal, may_act
from domain.secret_text import storable_words
from domain.text import storable
from storage.audit import Entry, append
from storage.engine import Engine, writing
from storage.findings import quiet
from storage.views.findings import FindingRow, findings_by_id

Kind = Literal["acknowledged", "snoozed", "unquieted"]
LONGEST = timedelta(days=14)
REASON_LIMIT = 500


def put_aside(
    engine: Engine, person: Person, finding_ids: Sequence[int], kind: Kind, reason: str, until: datetime | None, now: datetime
) -> Refusal | int:
    """Acknowledges or snoozes findings, or takes that back; the audit row, or why not.

    An acknowledgement holds until the finding closes or gets graver, at most two weeks; a snooze until its time.
    """
    with writing(engine) as connection:
        found = [row for row in findings_by_id(connection, finding_ids).values() if row.closed_at is None]
        refusal = _refusal(person, found, kind, reason, until, now)
        entry = Entry(now, person, _ACTIONS[kind], ", ".join(sorted({f"{row.rule} of {row.job}" for row in found})) or "a finding",
                      "done", reason=reason)  # fmt: skip
        if refusal is not None:
            append(connection, _with(entry, f"refused: {refusal.why}", found))
            return refusal
        ends = None if kind == "unquieted" else min(until or now + LONGEST, now + LONGEST)
        values = {
            "quiet_kind": None if kind == "unquieted" else kind,
            "quiet_by": storable(person.name, 256),
            "quiet_at": now,
            "quiet_until": ends,
            "quiet_reason": storable_words(" ".join(reason.split()), REASON_LIMIT),
        }
        audit_id = append(connection, _with(entry, f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "taken back", found))
        quiet(connection, [row.finding_id for row in found], values)
        return audit_id


_ACTIONS = {"acknowledged": "acknowledge", "snoozed": "snooze", "unquieted": "unquiet"}


def _refusal(person: Person, found: Sequence[FindingRow], kind: Kind, reason: str, until: datetime | None, now: datetime) -> Refusal | None:
    if not found:
        return Refusal("closed", "the finding has closed meanwhile: there is nothing to put aside")
    for row in found:
        refusal = may_act(person, row.team)
        if refusal is not None:
            return refusal
    if kind != "unquieted" and not reason.strip():
        return Refusal("no_reason", "a reason is wanted: whoever looks next reads it")
    if kind != "unquieted" and (kind == "snoozed" if until is None else until <= now):
        return Refusal("no_time", "putting aside needs an end that is still to come")
    return None


def _with(entry: Entry, outcome: str, found: Sequence[FindingRow]) -> Entry:
    one = found[0] if found else None
    before = {"findings": [{"id": row.finding_id, "rule": row.rule, "job": row.job, "quiet": row.quiet_kind} for row in found[:20]]}
    return replace(entry, outcome=outcome, team=one.team if one else None, account=one.account if one else None,
                   region=one.region if one else None, before=before)  # fmt: skip
