"""Undoes a plan where that can be done: in buckets with versioning, by removing the delete markers that were written down."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actions.cleaning_batch import GONE
from actions.objects import AHEAD, markers_of, remove_markers, untag
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, NotFound, asked_again
from aws.session import Clients
from domain.access import Person, Refusal, may_act
from domain.instants import EARLIEST
from storage.audit import Entry, append
from storage.cleaning import (
    Mark,
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
RENEWED_EVERY, RIGHT_AWAY = timedelta(seconds=20), timedelta(0)
AGAIN = "undo the plan again to go on"

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]
Back = Callable[[Clients, str, Sequence[PlannedObject]], list[Mark]]


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
    engine: Engine, reach: Reach, person: Person, plan_id: int, now: Clock, progress: Progress | None = None, reason: str = ""
) -> UndoReport | Refusal:
    """Brings back what a plan deleted in versioned buckets, and takes tags off; or why not.

    It may be killed and asked for again. From then on the plan is never applied further.
    """
    entry, holder = Entry(now(), person, "undo", f"plan {plan_id}", "asked", reason), new_holder()
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
        undo.fails(1, str(error))
    except Exception as error:
        undo.fails(1, f"{type(error).__name__}: {error}")
        undo.end(entry, audit_id, is_ours)
        raise
    undo.end(entry, audit_id, is_ours)
    return UndoReport(plan_id, undo.restored, undo.lost, undo.failed, tuple(undo.reasons), audit_id)


def _refusal(person: Person, items: Sequence[PlannedItem], head: PlanHead | None, plan_id: int) -> Refusal | None:
    if head is None:
        return Refusal("not_found", f"there is no plan {plan_id}")
    teams = sorted({team for planned in items for team in planned.item.teams})
    refusal = next((no for team in teams if (no := may_act(person, team)) is not None), None)
    if refusal is None and head.forgotten_at is not None:
        why = f"what plan {plan_id} deleted was forgotten on {head.forgotten_at:%Y-%m-%d} ([database] keep_days): look for it in S3 itself"
        return Refusal("forgotten", why)
    if refusal is None and head.begun_at is None:
        return Refusal("not_begun", f"plan {plan_id} was never applied: there is nothing to undo")
    return refusal


class _Undo:
    """One undo: what came back so far, what cannot, and what failed."""

    def __init__(self, engine: Engine, reach: Reach, head: PlanHead, holder: str, now: Clock, advanced: Callable[[int], None]) -> None:
        self._engine, self._reach, self._holder, self._now, self._advanced = engine, reach, holder, now, advanced
        self._plan_id, self._head, self._renewed_at = head.plan_id, head, now()
        self.restored = self.lost = self.failed = 0
        self.reasons: list[str] = []

    def item(self, planned: PlannedItem) -> None:
        """Everything of one prefix. Raises PlanLost."""
        for state, back in (("deleted", self._unhidden), ("tagged", self._untagged)):
            for objects in self._pages(planned.number, state):
                possible = [one for one in objects if state == "tagged" or one.marker]
                self._keep(self._tried(planned, possible, back))
                self.lost += len(objects) - len(possible)
        # A failure may have been one of the answer alone.
        for state in ("planned", "failed") if self._may_be_unrecorded(planned) else ():
            for objects in self._pages(planned.number, state):
                self._keep(self._tried(planned, objects, self._unrecorded(planned)))

    def end(self, entry: Entry, audit_id: int, is_ours: bool) -> None:
        """Writes down what came of it, in the audit log too."""
        state = "undoing" if self.failed else "undone"
        with writing(self._engine) as connection:
            is_ours = is_ours and end_plan(connection, self._plan_id, state, self._now(), self._holder)
            words = f"{self.restored:,} restored, {self.lost:,} cannot be, {self.failed:,} failed"
            words += f": {self.reasons[0]}" if self.reasons else ""
            append(connection, replace(entry, at=self._now(), outcome=f"{state if is_ours else 'lost'}: {words}", follows=audit_id))

    def _may_be_unrecorded(self, planned: PlannedItem) -> bool:
        """Whether an apply that was killed may have done something here that it did not write down, and that can be undone.

        The plan may be older than the versioning of its bucket.
        """
        return planned.item.kind != "uploads"

    def _keep(self, marks: Sequence[Mark]) -> None:
        self._alive(RIGHT_AWAY)
        with writing(self._engine) as connection:
            mark(connection, marks)
        self.restored += sum(state == "undone" for _, state, _, _ in marks)
        self.lost += sum(state == "gone" for _, state, _, _ in marks)
        self._advanced(self.restored + self.lost)

    def _alive(self, every: timedelta = RENEWED_EVERY) -> None:
        """Says that the process lives, where it has not said so for a while. Raises PlanLost when another one has taken over."""
        now = self._now()
        if now - self._renewed_at >= every:
            with writing(self._engine) as connection:
                renew_plan(connection, self._plan_id, self._holder, now)
            self._renewed_at = now

    def _pages(self, number: int, state: str) -> Iterator[list[PlannedObject]]:
        after = ("", "")
        while True:
            with reading(self._engine) as connection:
                objects = plan_objects(connection, self._plan_id, number, state, after)
            if not objects:
                return
            yield objects
            after = (objects[-1].stored.key, objects[-1].stored.upload_id)

    def _tried(self, planned: PlannedItem, objects: Sequence[PlannedObject], back: Back) -> list[Mark]:
        """What became of those of the objects that are done with; an error of the whole call is one of each."""
        if not objects:
            return []
        try:
            return back(self._reach.of(planned.item.account, planned.item.region), planned.item.bucket, objects)
        except AwsError as error:
            if isinstance(error, CredentialsUnusable):
                self._reach.forget()
            self.fails(len(objects), asked_again(error, AGAIN))
            return []

    def _unhidden(self, clients: Clients, bucket: str, objects: Sequence[PlannedObject]) -> list[Mark]:
        said = remove_markers(clients, bucket, [(one.stored.key, one.marker or "") for one in objects])
        for one in said:
            if not one.is_gone:
                self.fails(1, f"{one.key}: {one.code}: {one.message}")
        back = {one.key for one in said if one.is_gone}
        return [(one.row, "undone", "", None) for one in objects if one.stored.key in back]

    def _unrecorded(self, planned: PlannedItem) -> Back:
        """Brings back what an apply did and was killed before it wrote that down: the bucket alone knows of it."""
        since = (self._head.begun_at or EARLIEST) - AHEAD

        def back(clients: Clients, bucket: str, objects: Sequence[PlannedObject]) -> list[Mark]:
            if self._head.mode == "quarantine":
                return self._untagged(clients, bucket, objects)
            markers = markers_of(clients, bucket, planned.item.prefix, {one.stored.key for one in objects}, since)
            hidden = [one._replace(marker=markers[one.stored.key]) for one in objects if one.stored.key in markers]
            return self._unhidden(clients, bucket, hidden) if hidden else []

        return back

    def _untagged(self, clients: Clients, bucket: str, objects: Sequence[PlannedObject]) -> list[Mark]:
        done: list[Mark] = []
        for one in objects:
            self._alive()
            try:
                was_tagged = untag(clients, bucket, one.stored.key)
                done += [(one.row, "undone", "", None)] if was_tagged or one.state == "tagged" else []
            except NotFound:
                done += [(one.row, "gone", GONE, None)] if one.state == "tagged" else []
            except AwsError as error:
                if isinstance(error, CredentialsUnusable):
                    self._reach.forget()
                self.fails(1, f"{one.stored.key}: {asked_again(error, AGAIN)}")
        return done

    def fails(self, count: int, why: str) -> None:
        """Counts so many failures of one reason."""
        self.failed += count
        self.reasons += [why] if len(self.reasons) < MOST_NAMED else []
