"""The audit log as it is read: one line an action, with what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import Connection, func, or_, select

from storage.schema_operations import audit, stops


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One action: who asked for what and why, and the newest of what came of it. `events` are its rows, oldest first."""

    audit_id: int
    at: datetime
    by: str
    via: str
    role: str
    caller: str | None
    action: str
    target: str
    account: str | None
    region: str | None
    team: str | None
    reason: str
    outcome: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    events: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True, slots=True)
class StopsSummary:
    """Stops that came to their end in a period, and at most so much money saved by them, in nano-dollars."""

    stopped: int
    avoided_nusd: int


def audit_rows(connection: Connection, limit: int = 200, offset: int = 0, text: str = "", team: str | None = None) -> list[AuditRow]:
    """Actions, newest first, refusals included; `text` is a part of the target, the person, the action or the reason."""
    table = audit.c
    statement = select(audit).where(table.follows.is_(None)).order_by(table.id.desc()).limit(limit).offset(offset)
    if text:
        columns = (table.target, table.by, table.action, table.reason)
        statement = statement.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    if team:
        statement = statement.where(table.team == team)
    first = connection.execute(statement).all()
    later: dict[int, list[Any]] = {}
    ids = [row.id for row in first]
    for start in range(0, len(ids), 500):
        rows = connection.execute(select(audit).where(table.follows.in_(ids[start : start + 500])).order_by(table.id))
        for row in rows:
            later.setdefault(row.follows, []).append(row)
    return [_row(row, later.get(row.id, [])) for row in first]


def stops_since(connection: Connection, since: datetime) -> StopsSummary:
    """How many stops came to their end since an instant."""
    table = stops.c
    statement = select(func.count(), func.sum(table.avoided_nusd)).where(table.state == "stopped", table.ended_at >= since)
    count, avoided = connection.execute(statement).one()
    return StopsSummary(int(count), int(avoided or 0))


def _row(first: Any, later: list[Any]) -> AuditRow:
    newest = later[-1] if later else first
    after = next((row.after for row in reversed([first, *later]) if row.after is not None), None)
    caller = next((row.caller for row in [first, *later] if row.caller), None)
    return AuditRow(
        first.id, first.at, first.by, first.via, first.role, caller, first.action,
        first.target, first.account, first.region, first.team, first.reason, newest.outcome, _read(first.before), _read(after),
        tuple((row.at, row.outcome) for row in [first, *later]),
    )  # fmt: skip


def _read(text: str | None) -> dict[str, Any] | None:
    return None if text is None else cast(dict[str, Any], orjson.loads(text))
