"""Undoes a plan where that can be done: in buckets with versioning, by removing the delete markers that were written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from actions.objects import PAGE, remove_markers, untag
from actions.reach import Reach
from aws.errors import AwsError
from domain.access import Person, Refusal, may_act
from storage.audit import Entry, append
from storage.cleaning import PlannedItem, PlannedObject, end_plan, mark, plan_head, plan_items, plan_objects
from storage.engine import Engine, reading, writing

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What came back, and what cannot, with the first reasons."""

    plan_id: int
    restored_objects: int
    lost_objects: int
    failed: tuple[str, ...]
    audit_id: int


def undo_plan(engine: Engine, reach: Reach, person: Person, plan_id: int, now: Clock) -> UndoReport | Refusal:
    """Brings back what a plan deleted in versioned buckets, and takes tags off; or why not."""
    with reading(engine) as connection:
        head = plan_head(connection, plan_id)
        items = plan_items(connection, plan_id) if head else []
    refusal = _refusal(person, items, None if head is None else head.state, plan_id)
    entry = Entry(now(), person, "undo", f"plan {plan_id}", "asked")
    if refusal is not None:
        with writing(engine) as connection:
            append(connection, replace(entry, outcome=f"refused: {refusal.why}"))
        return refusal
    with writing(engine) as connection:
        audit_id = append(connection, entry)
    restored, lost, failed = 0, 0, list[str]()
    for planned in items:
        back, gone, problems = _item(engine, reach, plan_id, planned)
        restored, lost, failed = restored + back, lost + gone, failed + problems
    with writing(engine) as connection:
        words = f"{restored} restored, {lost} cannot be, {len(failed)} failed"
        append(connection, replace(entry, at=now(), outcome=f"undone: {words}", follows=audit_id))
        if restored and not failed:
            end_plan(connection, plan_id, "undone", now())
    return UndoReport(plan_id, restored, lost, tuple(failed[:100]), audit_id)


def _refusal(person: Person, items: Sequence[PlannedItem], state: str | None, plan_id: int) -> Refusal | None:
    if state is None:
        return Refusal("not_found", f"there is no plan {plan_id}")
    if state == "applying":
        return Refusal("held", f"plan {plan_id} is being applied; wait until that has ended")
    for team in sorted({planned.item.team for planned in items}):
        refusal = may_act(person, team)
        if refusal is not None:
            return refusal
    return None


def _item(engine: Engine, reach: Reach, plan_id: int, planned: PlannedItem) -> tuple[int, int, list[str]]:
    """What came back of an item, what cannot, and what failed in words."""
    restored, lost, failed = 0, 0, list[str]()
    for state in ("deleted", "tagged"):
        with reading(engine) as connection:
            objects = plan_objects(connection, plan_id, planned.number, state, limit=10_000_000)
        for start in range(0, len(objects), PAGE):
            some = objects[start : start + PAGE]
            back = [one for one in some if one.marker or state == "tagged"]
            lost += len(some) - len(back)
            done, problems = _brought_back(reach, planned, back, state) if back else ([], [])
            with writing(engine) as connection:
                mark(connection, [(one.row, "undone", "", None) for one in done])
            restored, failed = restored + len(done), failed + problems
    return restored, lost, failed


def _brought_back(
    reach: Reach, planned: PlannedItem, objects: Sequence[PlannedObject], state: str
) -> tuple[list[PlannedObject], list[str]]:
    item = planned.item
    try:
        clients = reach.of(item.account, item.region)
        if state == "tagged":
            for one in objects:
                untag(clients, item.bucket, one.stored.key)
            return list(objects), []
        said = remove_markers(clients, item.bucket, [(one.stored.key, one.marker or "") for one in objects])
    except AwsError as error:
        return [], [str(error)]
    gone = {one.key for one in said if one.is_gone}
    return [one for one in objects if one.stored.key in gone], [f"{one.key}: {one.code}: {one.message}" for one in said if not one.is_gone]
