"""Plans to clean: stored whole, object by object, with what became of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, exists, func, insert, or_, select, update

from domain.cleaning import CleanItem, Kept
from domain.cleaning_diff import ItemChange, plan_changes
from domain.leftovers import StoredObject
from domain.secret_text import storable_words
from domain.text import storable
from storage.leases import is_dead
from storage.schema_objects import buckets, clean_items, clean_objects, clean_plans
from storage.schema_operations import audit
from storage.state import DATA_VERSION, bump

Claimed = Literal["applying", "undoing"]
_MAY_BECOME: dict[Claimed, frozenset[str]] = {
    "applying": frozenset({"planned", "applying"}),
    "undoing": frozenset({"planned", "applying", "applied", "undoing", "undone"}),
}
Mark = tuple[int, str, str, str | None]  # what became of an object: row, state, why, and our delete marker over it
HOLD = timedelta(minutes=5)  # longer than all tries of a call take (see aws.session); after that, whoever applied has died


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A plan: who made it when and for whom, how it is carried out, and how far that is; `begun_at` is its first apply.

    `forgotten_at` is when the list of its objects was given up for its age.
    """

    plan_id: int
    created_at: datetime
    by: str
    teams: tuple[str, ...]
    min_age_days: int
    mode: str
    state: str
    audit_id: int | None
    kept: tuple[Kept, ...]
    applied_at: datetime | None
    begun_at: datetime | None
    forgotten_at: datetime | None = None


class PlannedItem(NamedTuple):
    """An item of a plan with its number and its cost a month in nano-dollars, None where that is not known."""

    number: int
    item: CleanItem
    nusd_per_month: int | None


class PlannedObject(NamedTuple):
    """An object of a plan with what became of it."""

    row: int
    item: int
    stored: StoredObject
    state: str
    why: str
    marker: str | None


class Tally(NamedTuple):
    """How many objects of a plan are in a state, and their bytes."""

    objects: int
    bytes: int


def save_plan(
    connection: Connection, by: str, teams: Sequence[str], min_age_days: int, mode: str, kept: Sequence[Kept], now: datetime
) -> int:
    """A new plan in the making, without items yet; returns its id."""
    row = {
        "created_at": now, "by": storable(by, 256), "teams": orjson.dumps(sorted(teams)).decode(), "mode": mode,
        "min_age_days": min_age_days,
        "state": "making", "kept": orjson.dumps([list(_kept_row(one)) for one in kept]).decode(), "holder": "",
    }  # fmt: skip
    made = connection.execute(insert(clean_plans).values(row).returning(clean_plans.c.id)).scalar_one()
    bump(connection, DATA_VERSION)
    return int(made)


def finish_plan(connection: Connection, plan_id: int, kept: Sequence[Kept]) -> None:
    """Notes that all of a plan is listed, and what it keeps in the end: from now on it may be applied."""
    text = orjson.dumps([list(_kept_row(one)) for one in kept]).decode()
    connection.execute(update(clean_plans).where(clean_plans.c.id == plan_id).values(kept=text, state="planned"))
    bump(connection, DATA_VERSION)


def _kept_row(one: Kept) -> tuple[str, str, str, str]:
    return storable(one.bucket), storable(one.prefix), storable(one.job), storable(one.why)


def add_item(connection: Connection, plan_id: int, planned: PlannedItem) -> None:
    """Adds an item; its objects follow."""
    item = planned.item
    row = {
        "plan_id": plan_id, "item": planned.number, "bucket": item.bucket, "prefix": storable(item.prefix), "kind": item.kind,
        "job": storable(item.job), "team": storable(item.team, 128), "account": item.account, "region": item.region,
        "owners": orjson.dumps({"teams": item.teams, "jobs": item.owners}).decode(), "objects": item.objects, "bytes": item.bytes,
        "nusd_per_month": planned.nusd_per_month, "why": storable(item.why), "versioning": item.versioning,
    }  # fmt: skip
    connection.execute(insert(clean_items).values(row))


def add_objects(connection: Connection, plan_id: int, number: int, found: Iterable[StoredObject]) -> int:
    """Adds objects to an item; returns how many."""
    rows = [
        {
            "plan_id": plan_id, "item": number, "key": one.key, "upload_id": one.upload_id, "etag": one.etag, "version_id": one.version_id,
            "bytes": one.bytes, "modified_at": one.modified_at, "state": "planned", "why": "", "marker": None,
        }
        for one in found
    ]  # fmt: skip
    if rows:
        connection.execute(insert(clean_objects), rows)
    return len(rows)


def set_item_totals(connection: Connection, plan_id: int, number: int, objects: int, size: int, nusd_per_month: int | None) -> None:
    """What an item really holds, once it was listed."""
    where = (clean_items.c.plan_id == plan_id, clean_items.c.item == number)
    connection.execute(update(clean_items).where(*where).values(objects=objects, bytes=size, nusd_per_month=nusd_per_month))


def drop_item(connection: Connection, plan_id: int, number: int) -> None:
    """Takes an item and its objects out of a plan in the making."""
    for table in (clean_objects, clean_items):
        connection.execute(delete(table).where(table.c.plan_id == plan_id, table.c.item == number))


def plan_head(connection: Connection, plan_id: int) -> PlanHead | None:
    """A plan; None where there is no such."""
    row = connection.execute(_heads().where(clean_plans.c.id == plan_id)).first()
    return None if row is None else _head(row)


def plan_heads(connection: Connection, limit: int = 50) -> list[PlanHead]:
    """The newest plans."""
    return [_head(row) for row in connection.execute(_heads().order_by(clean_plans.c.id.desc()).limit(limit))]


def plan_before(connection: Connection, head: PlanHead) -> PlanHead | None:
    """The plan that was made for the same teams before this one, and made to its end; None where it is the first."""
    same = clean_plans.c.teams == orjson.dumps(list(head.teams)).decode()
    earlier = _heads().where(same, clean_plans.c.id < head.plan_id, clean_plans.c.state != "making")
    row = connection.execute(earlier.order_by(clean_plans.c.id.desc()).limit(1)).first()
    return None if row is None else _head(row)


def quarantines(connection: Connection, now: datetime) -> list[PlanHead]:
    """Plans whose objects carry our tag, or may: those to quarantine that were begun and not undone, and that nobody is at right now."""
    return [_head(row) for row in connection.execute(_heads().where(may_be_tagged(), is_free(now)).order_by(clean_plans.c.id))]


def may_be_tagged() -> ColumnElement[bool]:
    """Whether objects of a plan carry our tag, or may: an apply that was killed may have put it on what is still planned, or failed."""
    plans, objects = clean_plans.c, clean_objects.c
    held = exists().where(objects.plan_id == plans.id, objects.state.in_(("tagged", "planned", "failed")))
    return and_(plans.mode == "quarantine", plans.audit_id.is_not(None), plans.state != "undone", held)


def is_free(now: datetime) -> ColumnElement[bool]:
    """Whether nobody is at a plan right now."""
    plans = clean_plans.c
    return or_(plans.holder == "", plans.renewed_at.is_(None), plans.renewed_at < now - HOLD)


def changes_since(connection: Connection, head: PlanHead, items: Sequence[PlannedItem]) -> tuple[PlanHead, list[ItemChange]] | None:
    """The plan before for the same teams, and what is different since; None where this one is the first."""
    before = plan_before(connection, head)
    if before is None:
        return None
    earlier = [one.item for one in plan_items(connection, before.plan_id)]
    return before, plan_changes([one.item for one in items], earlier, head.kept, _applied(connection, before.created_at, head.created_at))


def _applied(connection: Connection, since: datetime, until: datetime) -> list[int]:
    """The plans to delete whose apply began between two instants."""
    began = (clean_plans.c.mode == "delete", audit.c.at >= since, audit.c.at <= until)
    statement = select(clean_plans.c.id).join(audit, audit.c.id == clean_plans.c.audit_id).where(*began).order_by(clean_plans.c.id)
    return list(connection.scalars(statement))


def deleted_since_looked(connection: Connection, teams: Sequence[str] = ()) -> Tally:
    """What plans deleted in buckets since these were last looked at: an inventory still counts it."""
    of = clean_items.c
    since = (
        select(of.plan_id, of.item)
        .join(clean_plans, clean_plans.c.id == of.plan_id)
        .join(audit, audit.c.id == clean_plans.c.audit_id)
        .join(buckets, buckets.c.name == of.bucket)
        .where(audit.c.at > buckets.c.looked_at)
    )
    numbers: dict[int, list[int]] = {}
    for plan_id, number in connection.execute(since.where(of.team.in_(teams)) if teams else since):
        numbers.setdefault(plan_id, []).append(number)
    count = size = 0
    for plan_id, some in numbers.items():  # mostly none; objects are read by plan and item alone, since there may be millions of old ones
        table = clean_objects.c
        for start in range(0, len(some), 500):
            where = (table.plan_id == plan_id, table.state == "deleted", table.item.in_(some[start : start + 500]))
            found = connection.execute(select(func.count(), func.sum(table.bytes)).where(*where)).one()
            count, size = count + int(found[0]), size + int(found[1] or 0)
    return Tally(count, size)


def _heads() -> Select[Any]:
    return select(clean_plans, audit.c.at.label("begun_at")).outerjoin(audit, audit.c.id == clean_plans.c.audit_id)


def _head(row: Any) -> PlanHead:
    kept = tuple(Kept(*one) for one in orjson.loads(row.kept))
    return PlanHead(
        row.id,
        row.created_at,
        row.by,
        tuple(orjson.loads(row.teams)),
        row.min_age_days,
        row.mode,
        row.state,
        row.audit_id,
        kept,
        row.applied_at,
        row.begun_at,
        row.forgotten_at,
    )


def plan_items(connection: Connection, plan_id: int) -> list[PlannedItem]:
    """The items of a plan, in order."""
    rows = connection.execute(select(clean_items).where(clean_items.c.plan_id == plan_id).order_by(clean_items.c.item))
    return [_planned_item(row) for row in rows]


def _planned_item(row: Any) -> PlannedItem:
    owners = orjson.loads(row.owners)
    if isinstance(owners, list):  # as plans of the first days have it
        owners = {"jobs": owners, "teams": [row.team]}
    item = CleanItem(
        row.bucket, row.prefix, row.kind, row.job, row.team, row.account, row.region,
        tuple((arn, second) for arn, second in owners["jobs"]), row.objects, row.bytes, row.why, row.versioning, tuple(owners["teams"]),
    )  # fmt: skip
    return PlannedItem(row.item, item, row.nusd_per_month)


def plan_objects(
    connection: Connection, plan_id: int, number: int, state: str | None = None, after: tuple[str, str] = ("", ""), limit: int = 1000
) -> list[PlannedObject]:
    """Objects of an item (in a state) after a key and upload id, in order of keys."""
    table = clean_objects.c
    statement = select(clean_objects).where(table.plan_id == plan_id, table.item == number)
    if after != ("", ""):
        statement = statement.where((table.key > after[0]) | ((table.key == after[0]) & (table.upload_id > after[1])))
    if state is not None:
        statement = statement.where(table.state == state)
    return [_object(row) for row in connection.execute(statement.order_by(table.key, table.upload_id).limit(limit))]


def _object(row: Any) -> PlannedObject:
    stored = StoredObject(row.key, row.bytes, row.etag, row.version_id, row.modified_at, row.upload_id)
    return PlannedObject(row.id, row.item, stored, row.state, row.why, row.marker)


def objects_not_done(connection: Connection, plan_id: int, states: Sequence[str], limit: int = 1000) -> list[tuple[str, PlannedObject]]:
    """Objects that were skipped or failed, with their bucket: for the report, which names each."""
    table = clean_objects.c
    statement = (
        select(clean_objects, clean_items.c.bucket)
        .join(clean_items, (clean_items.c.plan_id == table.plan_id) & (clean_items.c.item == table.item))
        .where(table.plan_id == plan_id, table.state.in_(states))
        .order_by(table.item, table.key)
        .limit(limit)
    )
    return [(row.bucket, _object(row)) for row in connection.execute(statement)]


def tallies(connection: Connection, plan_id: int) -> dict[str, Tally]:
    """Objects and bytes of a plan by state."""
    table = clean_objects.c
    statement = select(table.state, func.count(), func.sum(table.bytes)).where(table.plan_id == plan_id).group_by(table.state)
    return {state: Tally(int(count), int(size or 0)) for state, count, size in connection.execute(statement)}


def has_markers(connection: Connection, plan_id: int) -> bool:
    """Whether any object of a plan is known to lie under a delete marker of ours, and so could be brought back."""
    table = clean_objects.c
    where = (table.plan_id == plan_id, table.state == "deleted", table.marker.is_not(None))
    return connection.execute(select(table.id).where(*where).limit(1)).first() is not None


def mark(connection: Connection, marks: Sequence[Mark], only_if: str | None = None) -> None:
    """Writes down what became of objects; with a state, of those alone that are still in it."""
    if marks:
        statement = update(clean_objects).where(clean_objects.c.id == bindparam("row"))
        if only_if is not None:
            statement = statement.where(clean_objects.c.state == only_if)
        statement = statement.values(state=bindparam("new_state"), why=bindparam("new_why"), marker=bindparam("new_marker"))
        rows = [{"row": row, "new_state": state, "new_why": storable_words(why), "new_marker": marker} for row, state, why, marker in marks]
        connection.execute(statement, rows)


def claim_plan(connection: Connection, plan_id: int, holder: str, audit_id: int, now: datetime, to: Claimed = "applying") -> str | None:
    """Takes the right to apply a plan, or to undo it; who has it, or why it cannot be had, in words, where that fails.

    A claim whose process is dead, or has not said that it lives for five minutes, is taken over: that is how an apply is resumed,
    and how one that was killed is undone.
    """
    row = connection.execute(select(clean_plans).where(clean_plans.c.id == plan_id).with_for_update()).one()
    if row.holder and row.renewed_at is not None and now - row.renewed_at <= HOLD and not is_dead(row.holder):
        return f"{row.holder} is {row.state} it right now"
    if row.state not in _MAY_BECOME[to]:
        return f"it is {row.state} already"
    values = {"state": to, "holder": holder, "renewed_at": now}
    if to == "applying":
        values["audit_id"] = row.audit_id or audit_id
    connection.execute(update(clean_plans).where(clean_plans.c.id == plan_id).values(values))
    bump(connection, DATA_VERSION)
    return None


class PlanLost(Exception):
    """Another process took the plan over while this one stood still; what it had not written down is looked at anew."""


def renew_plan(connection: Connection, plan_id: int, holder: str, now: datetime) -> None:
    """Says that the process lives. Raises PlanLost when another one has taken over."""
    where = (clean_plans.c.id == plan_id, clean_plans.c.holder == holder)
    if connection.execute(update(clean_plans).where(*where).values(renewed_at=now)).rowcount != 1:
        raise PlanLost(f"another process has taken plan {plan_id} over")


def end_plan(connection: Connection, plan_id: int, state: str, now: datetime, holder: str) -> bool:
    """Notes that a plan is applied, or undone; False, and nothing noted, where another process has taken it over."""
    where = (clean_plans.c.id == plan_id, clean_plans.c.holder == holder)
    ended = connection.execute(update(clean_plans).where(*where).values(state=state, applied_at=now, holder="")).rowcount == 1
    bump(connection, DATA_VERSION)
    return ended
