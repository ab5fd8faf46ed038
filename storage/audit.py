"""The audit log: rows are added before anything happens and after it has, and never changed.

An action's first row says what is about to be done; rows that follow it say what came of that. The database itself refuses
to change or delete a row: see migration 0002.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert

from domain.access import Person
from domain.secret_text import masked_tree, storable_words
from domain.text import storable
from storage.schema_operations import audit
from storage.state import DATA_VERSION, bump

TEXT_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `follows` is the first row of the same action, None for that row itself; `caller` the AWS identity that acted."""

    at: datetime
    person: Person
    action: str
    target: str
    outcome: str
    reason: str = ""
    account: str | None = None
    region: str | None = None
    team: str | None = None
    caller: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    follows: int | None = None


def append(connection: Connection, entry: Entry) -> int:
    """Adds a row; returns its id."""
    row = {
        "follows": entry.follows,
        "at": entry.at,
        "by": storable(entry.person.name, 256),
        "via": entry.person.via,
        "role": entry.person.role,
        "caller": storable(entry.caller, 512) if entry.caller else None,
        "action": entry.action,
        "target": storable_words(entry.target, TEXT_LIMIT),
        "account": entry.account,
        "region": entry.region,
        "team": entry.team,
        "reason": storable_words(entry.reason, TEXT_LIMIT),
        "outcome": storable_words(entry.outcome, TEXT_LIMIT),
        "before": _json(entry.before),
        "after": _json(entry.after),
    }
    made = connection.execute(insert(audit).values(row).returning(audit.c.id)).scalar_one()
    bump(connection, DATA_VERSION)
    return int(made)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(masked_tree(value), option=orjson.OPT_UTC_Z, default=str).decode()
