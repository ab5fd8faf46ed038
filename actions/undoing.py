"""Undoes a plan where that can be done: in buckets with versioning, by removing the delete markers that were written down."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from actions.objects import AHEAD, markers_of, remove_markers, untag
from actions.reach import Reach
from aws.errors import AwsError, asked_again
from aws.session import Clients
from domain.access import Person, Refusal, may_act
from domain.instants import EARLIEST
from storage.audit import Entry, append
from storage.cleaning import (
    PlanHead,
    PlanLost,
    PlannedItem,
    PlannedObject,
    claim_plan,
    end_plan,
    mark,
    plan_head,
    plan_items,
    plan_objects,
    renew_plan,
    tallies,
)
from storage.engine import Engine, reading, writing
from storage.leases import new_holder

MOST_NAMED = 100
AGAIN = "undo the plan again to go on"

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]
Back = Callable[[Clients, str, Sequence[PlannedObject]], list[PlannedObject]]


@dataclass(frozen=True, slots=True)
class UndoReport:
    """How many objects came back, how many cannot since nothing was kept of them, and how many failed, with the first reasons."""

    plan_id: int
    restored_objects: int
    lost_objects: int
    failed_objects: int
    failed: tuple[str, ...]
    audit_id: int


def undo_plan(
    engine: Engine, reach: Reach, person: Person, plan_id: int, now: Clock, progress: Progress | None = None
) -> UndoReport | Refusal:
    """Brings back what a plan deleted in versioned buckets, and takes tags off; or why not.

    It may be killed and asked for again. From then on the plan is never applied further.
    """
    entry, holder = Entry(now(), person, "undo", f"plan {plan_id}", "asked"), new_holder()
    with writing(engine) as connection:
        head = plan_head(connection, plan_id)
        items = plan_items(connection, plan_id)
        total = sum(tally.objects for state, tally in tallies(connection, plan_id).items() if state in ("deleted", "tagged", "planned"))
        refusal = _refusal(person, items, head, plan_id)
        if head is None or refusal is not None:
            refusal = refusal or Refusal("not_found", f"there is no plan {plan_id}")
            append(connection, replace(entry, outcome=f"refused: {refusal.why}"))
            return refusal
        audit_id = append(connection, entry)
        held = claim_plan(connection, plan_id, holder, audit_id, now(), to="undoing")
        if held is not None:
            append(connection, replace(entry, outcome=f"refused: {held}", follows=audit_id))
            return Refusal("held", f"plan {plan_id}: {held}")
    undo, is_ours = _Undo(engine, reach, head, holder, now, lambda done: progress(done, total) if progress else None), True
    try:
        for planned in items:
            undo.item(planned)
    except PlanLost as error:
        is_ours = False
        undo.fails(0, str(error))
    state = "undoing" if undo.failed else "undone"
    with writing(engine) as connection:
        words = f"{undo.restored} restored, {undo.lost} cannot be, {undo.failed} failed"
        append(connection, replace(entry, at=now(), outcome=f"{state if is_ours else 'lost'}: {words}", follows=audit_id))
        if is_ours:
            end_plan(connection, plan_id, state, now())
    return UndoReport(plan_id, undo.restored, undo.lost, undo.failed, tuple(undo.reasons), audit_id)


def _refusal(person: Person, items: Sequence[PlannedItem], head: PlanHead | None, plan_id: int) -> Refusal | None:
    if head is None:
        return Refusal("not_found", f"there is no plan {plan_id}")
    teams = sorted({planned.item.team for planned in items})
    refusal = next((no for team in teams if (no := may_act(person, team)) is not None), None)
    if refusal is None and head.begun_at is None:
        return Refusal("not_begun", f"plan {plan_id} was never applied: there is nothing to undo")
    return refusal


class _Undo:
    """One undo: what came back so far, what cannot, and what failed."""

    def __init__(self, engine: Engine, reach: Reach, head: PlanHead, holder: str, now: Clock, advanced: Callable[[int], None]) -> None:
        self._engine, self._reach, self._holder, self._now, self._advanced = engine, reach, holder, now, advanced
        self._plan_id, self._head = head.plan_id, head
        self.restored = self.lost = self.failed = 0
        self.reasons: list[str] = []

    def item(self, planned: PlannedItem) -> None:
        """Everything of one prefix. Raises PlanLost."""
        for state, back in (("deleted", self._unhidden), ("tagged", self._untagged)):
            for objects in self._pages(planned.number, state):
                possible = [one for one in objects if one.marker or state == "tagged"]
                done = self._tried(planned, possible, back)
                self._keep(done)
                self.lost += len(objects) - len(possible)
        for objects in self._pages(planned.number, "planned") if self._may_be_unrecorded(planned) else ():
            self._keep(self._tried(planned, objects, self._unrecorded(planned)))

    def _may_be_unrecorded(self, planned: PlannedItem) -> bool:
        """Whether an apply that was killed may have done something here that it did not write down, and that can be undone."""
        is_deleting = self._head.mode != "quarantine"
        return planned.item.kind != "uploads" and (planned.item.versioning == "enabled" or not is_deleting)

    def _keep(self, done: Sequence[PlannedObject]) -> None:
        with writing(self._engine) as connection:
            renew_plan(connection, self._plan_id, self._holder, self._now())
            mark(connection, [(one.row, "undone", "", None) for one in done])
        self.restored += len(done)
        self._advanced(self.restored + self.lost)

    def _pages(self, number: int, state: str) -> Iterator[list[PlannedObject]]:
        after = ("", "")
        while True:
            with reading(self._engine) as connection:
                objects = plan_objects(connection, self._plan_id, number, state, after)
            if not objects:
                return
            yield objects
            after = (objects[-1].stored.key, objects[-1].stored.upload_id)

    def _tried(
        self,
        planned: PlannedItem,
        objects: Sequence[PlannedObject],
        back: Back,
    ) -> list[PlannedObject]:
        """Those of the objects that are back; an error of the whole call is one of each."""
        if not objects:
            return []
        try:
            return back(self._reach.of(planned.item.account, planned.item.region), planned.item.bucket, objects)
        except AwsError as error:
            self.fails(len(objects), asked_again(error, AGAIN))
            return []

    def _unhidden(self, clients: Clients, bucket: str, objects: Sequence[PlannedObject]) -> list[PlannedObject]:
        said = remove_markers(clients, bucket, [(one.stored.key, one.marker or "") for one in objects])
        for one in said:
            if not one.is_gone:
                self.fails(1, f"{one.key}: {one.code}: {one.message}")
        gone = {one.key for one in said if one.is_gone}
        return [one for one in objects if one.stored.key in gone]

    def _unrecorded(self, planned: PlannedItem) -> Back:
        """Brings back what an apply did and was killed before it wrote that down: the bucket alone knows of it."""
        since = (self._head.begun_at or EARLIEST) - AHEAD

        def back(clients: Clients, bucket: str, objects: Sequence[PlannedObject]) -> list[PlannedObject]:
            if self._head.mode == "quarantine":
                return self._untagged(clients, bucket, objects)
            markers = markers_of(clients, bucket, planned.item.prefix, {one.stored.key for one in objects}, since)
            hidden = [one._replace(marker=markers[one.stored.key]) for one in objects if one.stored.key in markers]
            return self._unhidden(clients, bucket, hidden) if hidden else []

        return back

    def _untagged(self, clients: Clients, bucket: str, objects: Sequence[PlannedObject]) -> list[PlannedObject]:
        done = []
        for one in objects:
            try:
                was_tagged = untag(clients, bucket, one.stored.key)
                done += [one] if was_tagged or one.state == "tagged" else []
            except AwsError as error:
                self.fails(1, f"{one.stored.key}: {asked_again(error, AGAIN)}")
        return done

    def fails(self, count: int, why: str) -> None:
        """Counts so many failures of one reason."""
        self.failed += count
        self.reasons += [why] if len(self.reasons) < MOST_NAMED else []
