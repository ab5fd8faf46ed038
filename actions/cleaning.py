"""Applies a plan to clean: every rule again on fresh facts, every key listed again and held to the ETag that was planned.

It may be killed at any moment and goes on where it was: what is written down is done, and what is not is looked at anew.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from threading import Event, Lock
from typing import NamedTuple

from actions.cleaning_facts import FreshFacts
from actions.objects import AHEAD, PAGE, Deleted, abort, delete, just_before, markers_of, objects_under, tag_for_expiry, uploads_under
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, ServerFault, Throttled, Unreachable, asked_again
from aws.session import Clients
from domain.access import Person, Refusal, may_act
from domain.cleaning import CleanRules, parse_bytes, within_limits
from domain.leftovers import StoredObject
from settings import Settings
from storage.audit import Entry, append
from storage.cleaning import (
    Mark,
    PlanHead,
    PlanLost,
    PlannedItem,
    PlannedObject,
    Tally,
    claim_plan,
    end_plan,
    mark,
    objects_not_done,
    plan_head,
    plan_items,
    plan_objects,
    renew_plan,
    tallies,
)
from storage.engine import Engine, reading, writing
from storage.leases import new_holder

EXPIRES_AFTER = timedelta(days=1)
THREADS = 4
MOST_NAMED = 1000
_CHANGED = "it has changed since the plan was made"
# Source: DeleteObjects with an ETag, the codes for a key that has another ETag, or is not there.
_NO_LONGER_SO = frozenset({"PreconditionFailed", "NoSuchKey", "NotFound", "ConditionalRequestConflict"})
_LATER = (Throttled, Unreachable, ServerFault)  # what may go well in a while: the plan stays open for being resumed

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]
log = logging.getLogger("trainwatch.actions")


class Named(NamedTuple):
    """A key that was not deleted, and why."""

    bucket: str
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class CleanReport:
    """What became of a plan, exactly. `left` objects are still to be done, by resuming; `problem` says why it stopped short."""

    plan_id: int
    deleted_objects: int
    deleted_bytes: int
    skipped: tuple[Named, ...]
    failed: tuple[Named, ...]
    skipped_objects: int
    failed_objects: int
    left: int
    problem: str
    audit_id: int | None
    dry_run: bool


class _Batch(NamedTuple):
    """Up to a thousand objects of one item, in order of their keys."""

    planned: PlannedItem
    objects: Sequence[PlannedObject]


def apply_plan(
    engine: Engine,
    settings: Settings,
    reach: Reach,
    person: Person,
    plan_id: int,
    now: Clock,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    stopping: Event | None = None,
) -> CleanReport | Refusal:
    """Carries a plan out, or says why not. The same plan twice deletes once; a dry run looks at everything and changes nothing."""
    return _Apply(engine, settings, reach, person, plan_id, now, progress or (lambda done, total: None), stopping or Event()).execute(
        dry_run
    )


class _Apply:
    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        reach: Reach,
        person: Person,
        plan_id: int,
        now: Clock,
        progress: Progress,
        stopping: Event,
    ) -> None:
        self._engine, self._settings, self._reach, self._person, self._plan_id = engine, settings, reach, person, plan_id
        self._now, self._progress, self._stopping = now, progress, stopping
        self._facts_lock, self._holder = Lock(), new_holder()
        self._problem, self._done, self._total = "", 0, 0

    def execute(self, dry_run: bool) -> CleanReport | Refusal:
        with reading(self._engine) as connection:
            head = plan_head(connection, self._plan_id)
            items = plan_items(connection, self._plan_id) if head else []
            before = tallies(connection, self._plan_id) if head else {}
        refusal = self._refusal(head, items, before)
        entry = Entry(self._now(), self._person, "clean", f"plan {self._plan_id}", "asked", team=_teams(items))
        if head is None or refusal is not None:
            refusal = refusal or Refusal("not_found", f"there is no plan {self._plan_id}; `trainwatch clean plan` makes one")
            if not dry_run:
                with writing(self._engine) as connection:
                    append(connection, replace(entry, outcome=f"refused: {refusal.why}"))
            return refusal
        self._days = max(head.min_age_days, self._settings.clean.min_age_days)
        self._facts = FreshFacts(self._engine, self._settings, self._days)
        self._since = (head.begun_at or self._now()) - AHEAD
        self._total = before.get("planned", Tally(0, 0)).objects
        if dry_run:
            return self._looked(head, items)
        return self._carried_out(head, items, entry, before)

    def _refusal(self, head: PlanHead | None, items: Sequence[PlannedItem], before: dict[str, Tally]) -> Refusal | None:
        if head is None:
            return None
        if head.state == "making":
            return Refusal("unfinished", f"plan {head.plan_id} is still being made, or its making was cut short; make a new one then")
        if head.state in ("applied", "undoing", "undone"):
            return Refusal("done", f"plan {head.plan_id} is {head.state} already; make a new one")
        if self._now() - head.created_at > EXPIRES_AFTER:
            return Refusal("expired", f"plan {head.plan_id} is older than a day: the world may have changed; make a new one")
        for team in sorted({planned.item.team for planned in items}):
            refusal = may_act(self._person, team)
            if refusal is not None:
                return refusal
        planned = before.get("planned", Tally(0, 0))
        return within_limits(planned.objects, planned.bytes, self._settings.clean.max_objects, parse_bytes(self._settings.clean.max_bytes))

    def _carried_out(self, head: PlanHead, items: Sequence[PlannedItem], entry: Entry, before: dict[str, Tally]) -> CleanReport | Refusal:
        start = {state: {"objects": tally.objects, "bytes": tally.bytes} for state, tally in before.items()}
        with writing(self._engine) as connection:
            audit_id = append(connection, replace(entry, before=start))
            held = claim_plan(connection, head.plan_id, self._holder, audit_id, self._now())
            if held is not None:
                append(connection, replace(entry, at=self._now(), outcome=f"refused: {held}", follows=audit_id))
                return Refusal("held", f"plan {head.plan_id}: {held}")
        is_ours = True
        try:
            self._all(items, head)
        except PlanLost as error:
            self._problem, is_ours = str(error), False
        report = self._report(audit_id)
        state = "applied" if not report.left else "planned"
        words = f"{report.deleted_objects} deleted, {report.skipped_objects} skipped, {report.failed_objects} failed"
        words += f", {report.left} left: {report.problem or 'stopped before it was done'}" if report.left else ""
        after = {"deleted_objects": report.deleted_objects, "deleted_bytes": report.deleted_bytes, "left": report.left}
        with writing(self._engine) as connection:
            append(connection, replace(entry, at=self._now(), outcome=f"{state}: {words}", follows=audit_id, after=after))
            if is_ours:
                end_plan(connection, head.plan_id, state, self._now())
        return report

    def _looked(self, head: PlanHead, items: Sequence[PlannedItem]) -> CleanReport:
        """What would become of every key now, and nothing written down."""
        count = size = 0
        staying: dict[str, list[Named]] = {"skipped": [], "failed": []}
        for batch in self._batches(items):
            going, marks = self._decided(batch, head)
            count, size = count + len(going), size + sum(one.stored.bytes for one in going)
            keys = {one.row: one.stored.key for one in batch.objects}
            for row, state, why, _ in marks:
                if state in staying:
                    staying[state].append(Named(batch.planned.item.bucket, keys[row], why))
            self._advance(len(batch.objects))
        skipped, failed = staying["skipped"], staying["failed"]
        return CleanReport(
            head.plan_id, count, size, tuple(skipped[:MOST_NAMED]), tuple(failed[:MOST_NAMED]), len(skipped), len(failed), 0, "", None,
            dry_run=True,
        )  # fmt: skip

    def _all(self, items: Sequence[PlannedItem], head: PlanHead) -> None:
        """Every batch, a few at a time; the first error that may pass stops handing out more."""
        batches = self._batches(items)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="clean") as pool:
            running: set[Future[None]] = {pool.submit(self._one, batch, head) for batch in islice(batches, THREADS)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                if not self._problem and not self._stopping.is_set():
                    running |= {pool.submit(self._one, batch, head) for batch in islice(batches, len(done))}

    def _batches(self, items: Sequence[PlannedItem]) -> Iterator[_Batch]:
        """The objects that are still to be done; each batch is read when it is needed, after the last key of the one before."""
        for planned in items:
            after = ("", "")
            while True:
                with reading(self._engine) as connection:
                    objects = plan_objects(connection, self._plan_id, planned.number, "planned", after, PAGE)
                if not objects:
                    break
                yield _Batch(planned, objects)
                after = (objects[-1].stored.key, objects[-1].stored.upload_id)

    def _one(self, batch: _Batch, head: PlanHead) -> None:
        """One batch, from the look to the record. What fails for a while leaves its keys as they were."""
        try:
            going, marks = self._decided(batch, head)
            if going:
                marks += self._acted(batch, head, going)
        except (*_LATER, CredentialsUnusable) as error:
            self._problem = asked_again(error, "apply the plan again to go on")
            return
        except AwsError as error:
            marks = [(one.row, "failed", asked_again(error, "plan it again"), None) for one in batch.objects]
        with writing(self._engine) as connection:
            renew_plan(connection, self._plan_id, self._holder, self._now())
            mark(connection, marks)
        self._advance(len(batch.objects))

    def _advance(self, count: int) -> None:
        with self._facts_lock:
            self._done += count
            done = self._done
        self._progress(done, self._total)

    def _decided(self, batch: _Batch, head: PlanHead) -> tuple[list[PlannedObject], list[Mark]]:
        """Which of the keys may go now, and what is to be said of the others: gone, changed, or kept by a rule."""
        item, now = batch.planned.item, self._now()
        with self._facts_lock:
            rules = CleanRules(self._facts.at(now), self._days, now)
        there = self._listed(batch)
        going: list[PlannedObject] = []
        gone: list[PlannedObject] = []
        marks: list[Mark] = []
        for one in batch.objects:
            found = there.get((one.stored.key, one.stored.upload_id))
            if found is None:
                gone.append(one)
            elif (found.etag, found.bytes) != (one.stored.etag, one.stored.bytes):
                marks.append((one.row, "skipped", _CHANGED, None))
            elif why := rules.keep_reason(item.bucket, found.key, found.modified_at, item):
                marks.append((one.row, "skipped", why, None))
            else:
                going.append(one)
        return going, marks + self._gone(batch, gone)

    def _gone(self, batch: _Batch, gone: Sequence[PlannedObject]) -> list[Mark]:
        """Keys that are no longer listed are done.

        In a versioned bucket our marker may hide them, which undoing has to know: a request of ours may have been carried out
        though its answer was lost, or its process killed. A marker from before the plan was first applied is somebody else's.
        """
        item, markers = batch.planned.item, dict[str, str]()
        if gone and item.versioning == "enabled" and item.kind != "uploads":
            keys = {one.stored.key for one in gone}
            markers = markers_of(self._reach.of(item.account, item.region), item.bucket, item.prefix, keys, self._since)
        return [(one.row, "deleted", "it was gone already", markers.get(one.stored.key)) for one in gone]

    def _listed(self, batch: _Batch) -> dict[tuple[str, str], StoredObject]:
        """The batch's part of the prefix as it is now."""
        item, clients = batch.planned.item, self._reading(batch)
        if item.kind == "uploads":
            return {(one.key, one.upload_id): one for one in uploads_under(clients, item.bucket, item.prefix)}
        # By code points, as S3 orders keys: a database may order text by the rules of a language.
        wanted = {one.stored.key for one in batch.objects}
        first, last = min(wanted), max(wanted)
        found: dict[tuple[str, str], StoredObject] = {}
        for page in objects_under(clients, item.bucket, item.prefix, just_before(first)):
            found |= {(one.key, ""): one for one in page if one.key in wanted}
            if page and page[-1].key >= last:
                break
        return found

    def _acted(self, batch: _Batch, head: PlanHead, going: Sequence[PlannedObject]) -> list[Mark]:
        """Deletes, aborts or tags what may go, and says what came of each."""
        item = batch.planned.item
        clients = self._reach.of(item.account, item.region)
        if item.kind == "uploads":
            return [self._one_by_one(one, lambda one: self._aborted(clients, item.bucket, one)) for one in going]
        if head.mode == "quarantine":
            return [self._one_by_one(one, lambda one: self._tagged(clients, item.bucket, one)) for one in going]
        rows = {one.stored.key: one for one in going}
        answers = [said for said in delete(clients, item.bucket, [one.stored for one in going]) if said.key in rows]
        marks = [_mark_of(rows[said.key].row, said) for said in answers if said.code not in _NO_LONGER_SO]
        return marks + self._looked_again(batch, [rows[said.key] for said in answers if said.code in _NO_LONGER_SO])

    def _looked_again(self, batch: _Batch, refused: Sequence[PlannedObject]) -> list[Mark]:
        """What became of keys that were no longer as planned when they were to go: gone by another's hand, or by a request of a
        process that was killed before it heard the answer; or changed, and so kept."""
        if not refused:
            return []
        there = self._listed(batch)
        gone = [one for one in refused if (one.stored.key, one.stored.upload_id) not in there]
        changed = [one for one in refused if (one.stored.key, one.stored.upload_id) in there]
        return self._gone(batch, gone) + [(one.row, "skipped", _CHANGED, None) for one in changed]

    def _one_by_one(self, one: PlannedObject, act: Callable[[PlannedObject], Mark]) -> Mark:
        """What came of one object, so that of a batch each is told for itself."""
        try:
            return act(one)
        except (*_LATER, CredentialsUnusable):
            raise
        except AwsError as error:
            return one.row, "failed", str(error), None

    def _aborted(self, clients: Clients, bucket: str, one: PlannedObject) -> Mark:
        abort(clients, bucket, one.stored.key, one.stored.upload_id)
        return one.row, "deleted", "", None

    def _tagged(self, clients: Clients, bucket: str, one: PlannedObject) -> Mark:
        why = tag_for_expiry(clients, bucket, one.stored.key)
        return (one.row, "failed", why, None) if why else (one.row, "tagged", "", None)

    def _reading(self, batch: _Batch) -> Clients:
        return self._reach.reading(batch.planned.item.account, batch.planned.item.region)

    def _report(self, audit_id: int) -> CleanReport:
        with reading(self._engine) as connection:
            found = tallies(connection, self._plan_id)
            skipped = objects_not_done(connection, self._plan_id, ("skipped",), MOST_NAMED)
            failed = objects_not_done(connection, self._plan_id, ("failed",), MOST_NAMED)
        gone = [found.get(state, Tally(0, 0)) for state in ("deleted", "tagged")]
        return CleanReport(
            self._plan_id, sum(one.objects for one in gone), sum(one.bytes for one in gone),
            tuple(Named(bucket, one.stored.key, one.why) for bucket, one in skipped),
            tuple(Named(bucket, one.stored.key, one.why) for bucket, one in failed), found.get("skipped", Tally(0, 0)).objects,
            found.get("failed", Tally(0, 0)).objects, found.get("planned", Tally(0, 0)).objects, self._problem, audit_id,
            dry_run=False,
        )  # fmt: skip


def _mark_of(row: int, said: Deleted) -> Mark:
    if said.is_gone:
        return row, "deleted", "", said.marker
    return row, "failed", f"{said.code}: {said.message}", None


def _teams(items: Sequence[PlannedItem]) -> str | None:
    """The team of a plan that has one, for the audit log."""
    teams = {planned.item.team for planned in items}
    return teams.pop() if len(teams) == 1 else None
