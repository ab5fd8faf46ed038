"""What messages tell of besides findings: stops that came to their end, and since when a collector has been tried."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from domain.instants import from_millis
from storage.schema import collector_runs, scopes
from storage.schema_operations import audit, stops


class EndedStop(NamedTuple):
    """A stop with who asked for it and why; `state` is stopped or failed, `avoided_nusd` an upper bound, None where unknown."""

    stop_id: int
    kind: str
    name: str
    account: str
    region: str
    created_at: datetime
    team: str
    by: str
    reason: str
    asked_at: datetime
    state: str
    avoided_nusd: int | None


def stops_by_id(connection: Connection, ids: Sequence[int]) -> list[EndedStop]:
    """These stops, oldest first."""
    statement = (
        select(stops, audit.c.reason, scopes.c.account, scopes.c.region)
        .join(audit, audit.c.id == stops.c.audit_id)
        .join(scopes, scopes.c.id == stops.c.scope_id)
        .where(stops.c.id.in_(ids))
        .order_by(stops.c.id)
    )
    return [
        EndedStop(
            row.id, row.kind, row.name, row.account, row.region, from_millis(row.created_second * 1000), row.team, row.by, row.reason,
            row.asked_at, row.state, row.avoided_nusd,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def first_tried_at(connection: Connection, scope_row: int, collector: str) -> datetime | None:
    """When a collector of a scope first ran; None before that."""
    table = collector_runs.c
    statement = select(func.min(table.started_at)).where(table.scope_id == scope_row, table.collector == collector)
    found: datetime | None = connection.scalar(statement)
    return found
