"""What policies have done about findings: each step once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from domain.secret_text import storable_words
from domain.text import storable
from storage.schema_operations import policy_steps
from storage.state import DATA_VERSION, bump, dialect_insert
from storage.stops import CLAIM_HOLDS

ASKED, STOPPED = "asked", "stopped"


def record_step(connection: Connection, finding_id: int, policy: str, step: str, at: datetime, note: str, *, dry_run: bool) -> bool:
    """Writes a step down; False where it was already there, so that whoever comes second does nothing.

    A failure replaces the failure before it, and a step in earnest the one of an earlier dry run.
    """
    row = {
        "finding_id": finding_id,
        "policy": storable(policy, 60),
        "step": step,
        "at": at,
        "dry_run": dry_run,
        "note": storable_words(note),
    }
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


def stops_since(connection: Connection, policy: str, since: datetime, *, besides: int, dry_run: bool) -> int:
    """How many jobs a policy has stopped, is stopping, or would have stopped, since an instant, besides that of one finding."""
    table = policy_steps.c
    conditions = (table.policy == policy, table.step.in_((ASKED, STOPPED)), table.at >= since, table.dry_run == dry_run)
    statement = select(func.count(table.finding_id.distinct())).where(*conditions, table.finding_id != besides)
    return int(connection.execute(statement).scalar_one())


def take_turn(connection: Connection, finding_id: int, policy: str, at: datetime, since: datetime, most: int) -> bool:
    """Takes one of the stops that a policy may make since an instant, before it is made.

    False where they are all taken, or somebody else is at this one. Whoever counts waits for whoever counted before: scopes are
    looked after at the same time, and the most holds for all of them together.
    """
    bump(connection, DATA_VERSION)
    table = policy_steps.c
    mine = select(table.at).where(table.finding_id == finding_id, table.policy == policy, table.step == ASKED)
    asked_at = connection.scalar(mine)
    if asked_at is not None and at - asked_at <= CLAIM_HOLDS:
        return False
    if stops_since(connection, policy, since, besides=finding_id, dry_run=False) >= most:
        return False
    row = {"finding_id": finding_id, "policy": storable(policy, 60), "step": ASKED, "at": at, "dry_run": False, "note": ""}
    new = dialect_insert(connection, policy_steps).values(row)
    changed = {name: new.excluded[name] for name in ("at", "dry_run", "note")}
    connection.execute(new.on_conflict_do_update(index_elements=["finding_id", "policy", "step"], set_=changed))
    return True


def give_turn_back(connection: Connection, finding_id: int, policy: str) -> None:
    """Gives a stop back that was not made."""
    table = policy_steps.c
    connection.execute(delete(policy_steps).where(table.finding_id == finding_id, table.policy == policy, table.step == ASKED))
