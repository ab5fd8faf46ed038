"""What policies have done about findings: each step once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from domain.text import storable
from storage.schema_operations import policy_steps
from storage.state import DATA_VERSION, bump, dialect_insert


def record_step(connection: Connection, finding_id: int, policy: str, step: str, at: datetime, note: str, *, dry_run: bool) -> bool:
    """Writes a step down; False where it was already there, so that whoever comes second does nothing.

    A failure replaces the failure before it, and a step in earnest the one of an earlier dry run.
    """
    row = {"finding_id": finding_id, "policy": storable(policy, 60), "step": step, "at": at, "dry_run": dry_run, "note": storable(note)}
    new = dialect_insert(connection, policy_steps).values(row)
    changed = {name: new.excluded[name] for name in ("at", "dry_run", "note")}
    differs = (policy_steps.c.dry_run != new.excluded.dry_run) | (new.excluded.step == "failed")
    upsert = new.on_conflict_do_update(index_elements=["finding_id", "policy", "step"], set_=changed, where=differs)
    written = connection.execute(upsert.returning(policy_steps.c.finding_id)).scalar() is not None
    bump(connection, DATA_VERSION)
    return written


def steps_taken(connection: Connection, finding_ids: Sequence[int], policy: str, *, dry_run: bool) -> dict[int, dict[str, datetime]]:
    """The steps of a policy on these findings, by finding and step."""
    table, found = policy_steps.c, {finding_id: dict[str, datetime]() for finding_id in finding_ids}
    for start in range(0, len(finding_ids), 500):
        statement = select(table.finding_id, table.step, table.at).where(
            table.finding_id.in_(finding_ids[start : start + 500]), table.policy == policy, table.dry_run == dry_run
        )
        for finding_id, step, at in connection.execute(statement):
            found[finding_id][step] = at
    return found


def stops_since(connection: Connection, policy: str, since: datetime, *, dry_run: bool) -> int:
    """How many jobs a policy has stopped, or would have, since an instant."""
    table = policy_steps.c
    statement = select(func.count()).where(table.policy == policy, table.step == "stopped", table.at >= since, table.dry_run == dry_run)
    return int(connection.execute(statement).scalar_one())
