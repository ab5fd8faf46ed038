"""Applies a plan to clean: every rule again on fresh facts, every key listed again and held to the ETag that was planned.

It may be killed at any moment and goes on where it was: what is written down is done, and what is not is looked at anew.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from threading import Event, Lock
from typing import NamedTuple

from actions.cleaning_batch import AGAIN, LATER, Batch, BatchWork, Outcome, batches
from actions.cleaning_facts import FreshFacts
from actions.objects import PAGE
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, asked_again
from domain.access import Person, Refusal, may_act
from domain.cleaning import parse_bytes, within_limits
from settings import Settings
from storage.audit import Entry, append
from storage.cleaning import (
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
RENEWED_EVERY = timedelta(seconds=20)

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]


class Named(NamedTuple):
    """A key that was not deleted, and why."""

    bucket: str
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class CleanReport:
    """What became of a plan, exactly. `left` objects are still to be done, by resuming; `problem` says why it stopped short.

    `gone_objects` were no longer there, by another's hand, or in a bucket without versions by an apply that was killed.
    """

    plan_id: int
    deleted_objects: int
    deleted_bytes: int
    tagged_objects: int
    tagged_bytes: int
    gone_objects: int
    skipped: tuple[Named, ...]
    failed: tuple[Named, ...]
    skipped_objects: int
    failed_objects: int
    left: int
    problem: str
    audit_id: int | None
    dry_run: bool


def apply_plan(
    engine: Engine,
    settings: Settings,
    reach: Reach,
    person: Person,
    plan_id: int,
    now: Clock,
    *,
    reason: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
    stopping: Event | None = None,
) -> CleanReport | Refusal:
    """Carries a plan out, or says why not. The same plan twice deletes once; a dry run looks at everything and changes nothing."""
    apply = _Apply(engine, settings, reach, person, plan_id, now, progress or (lambda done, total: None), stopping or Event())
    return apply.execute(reason, dry_run)


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
        self._holder, self._renewed_at, self._renewing = new_holder(), now(), Lock()
        self._problem, self._done, self._total, self._counting = "", 0, 0, Lock()

    def execute(self, reason: str, dry_run: bool) -> CleanReport | Refusal:
        with reading(self._engine) as connection:
            head = plan_head(connection, self._plan_id)
            items = plan_items(connection, self._plan_id) if head else []
            before = tallies(connection, self._plan_id) if head else {}
        refusal = self._refusal(head, items, before) or (self._not_sure(head, items) if head else None)
        entry = Entry(self._now(), self._person, "clean", f"plan {self._plan_id}", "asked", reason, team=_teams(items))
        if head is None or refusal is not None:
            refusal = refusal or Refusal("not_found", f"there is no plan {self._plan_id}; `trainwatch clean plan` makes one")
            if not dry_run:
                with writing(self._engine) as connection:
                    append(connection, replace(entry, outcome=f"refused: {refusal.why}"))
            return refusal
        alive = self._alive if not dry_run else lambda: None
        self._work = BatchWork(self._reach, head, self._facts, self._days(head), self._now, alive, self._read)
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
        for team in sorted({team for planned in items for team in planned.item.teams}):
            refusal = may_act(self._person, team)
            if refusal is not None:
                return refusal
        planned = before.get("planned", Tally(0, 0))
        return within_limits(planned.objects, planned.bytes, self._settings.clean.max_objects, parse_bytes(self._settings.clean.max_bytes))

    def _days(self, head: PlanHead) -> int:
        return max(head.min_age_days, self._settings.clean.min_age_days)

    def _not_sure(self, head: PlanHead, items: Sequence[PlannedItem]) -> Refusal | None:
        """Why nothing is sure right now: AWS cannot be asked what has come to be in use since the last collection."""
        buckets = {planned.item.bucket: (planned.item.account, planned.item.region) for planned in items}
        self._facts = FreshFacts(self._engine, self._settings, self._reach, self._days(head), buckets)
        try:
            self._facts.at(self._now())
        except AwsError as error:
            self._reach.forget()
            return Refusal("not_sure", f"plan {head.plan_id}: {asked_again(error, AGAIN)}")
        return None

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
            self._all(items)
        except PlanLost as error:
            self._problem, is_ours = str(error), False
        except Exception as error:
            self._problem = f"{type(error).__name__}: {error}"
            self._end(head, entry, audit_id, is_ours)
            raise
        return self._end(head, entry, audit_id, is_ours)

    def _end(self, head: PlanHead, entry: Entry, audit_id: int, is_ours: bool) -> CleanReport:
        """Writes down what came of it, in the audit log too."""
        report = self._report(audit_id)
        state = "applied" if not report.left else "planned"
        after = {
            "deleted_objects": report.deleted_objects, "deleted_bytes": report.deleted_bytes, "tagged_objects": report.tagged_objects,
            "gone_objects": report.gone_objects, "left": report.left,
        }  # fmt: skip
        with writing(self._engine) as connection:
            is_ours = is_ours and end_plan(connection, head.plan_id, state, self._now(), self._holder)
            words = f"{state if is_ours else 'lost'}: {in_words(report)}"
            append(connection, replace(entry, at=self._now(), outcome=words, follows=audit_id, after=after))
        return report

    def _looked(self, head: PlanHead, items: Sequence[PlannedItem]) -> CleanReport:
        """What would become of every key now, and nothing written down."""
        counts, size = Counter[str](), 0
        staying: dict[str, list[Named]] = {"skipped": [], "failed": []}
        for batch in batches(items, self._read):
            try:
                decision = self._work.decided(batch)
            except AwsError as error:
                self._problem = asked_again(error, "look again")
                break
            counts["going"] += len(decision.going)
            size += sum(one.stored.bytes for one in decision.going)
            keys = {one.row: one.stored.key for one in batch.objects}
            for row, state, why, _ in decision.marks:
                if state in staying:
                    staying[state].append(Named(batch.planned.item.bucket, keys[row], why))
                counts["gone" if state == "deleted" else state] += 1
            self._advance(len(batch.objects))
        skipped, failed = staying["skipped"], staying["failed"]
        is_tagging = head.mode == "quarantine"
        going = (0, 0, counts["going"], size) if is_tagging else (counts["going"], size, 0, 0)
        return CleanReport(
            head.plan_id, *going, counts["gone"], tuple(skipped[:MOST_NAMED]), tuple(failed[:MOST_NAMED]), len(skipped),
            len(failed), self._total - self._done, self._problem, None, dry_run=True,
        )  # fmt: skip

    def _read(self, number: int, after: tuple[str, str]) -> list[PlannedObject]:
        with reading(self._engine) as connection:
            return plan_objects(connection, self._plan_id, number, "planned", after, PAGE)

    def _all(self, items: Sequence[PlannedItem]) -> None:
        """Every batch, a few at a time; the first error that may pass stops handing out more."""
        waiting = batches(items, self._read)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="clean") as pool:
            running: set[Future[None]] = {pool.submit(self._one, batch) for batch in islice(waiting, THREADS)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                if not self._problem and not self._stopping.is_set():
                    running |= {pool.submit(self._one, batch) for batch in islice(waiting, len(done))}

    def _one(self, batch: Batch) -> None:
        """One batch, from the look to the record. What fails for a while leaves its keys as they were."""
        try:
            outcome = self._work.done(batch)
        except LATER as error:
            if isinstance(error, CredentialsUnusable):
                self._reach.forget()
            outcome = Outcome([], asked_again(error, AGAIN))
        except AwsError as error:
            outcome = Outcome([(one.row, "failed", asked_again(error, "plan it again"), None) for one in batch.objects], "")
        self._problem = self._problem or outcome.problem
        with writing(self._engine) as connection:
            renew_plan(connection, self._plan_id, self._holder, self._now())
            mark(connection, outcome.marks)
        self._advance(len(outcome.marks))

    def _alive(self) -> None:
        """Says that the process lives, in batches that take long. Raises PlanLost when another one has taken over."""
        with self._renewing:
            now = self._now()
            if now - self._renewed_at >= RENEWED_EVERY:
                with writing(self._engine) as connection:
                    renew_plan(connection, self._plan_id, self._holder, now)
                self._renewed_at = now

    def _advance(self, count: int) -> None:
        with self._counting:
            self._done += count
            done = self._done
        self._progress(done, self._total)

    def _report(self, audit_id: int) -> CleanReport:
        none = Tally(0, 0)
        with reading(self._engine) as connection:
            found = tallies(connection, self._plan_id)
            skipped = objects_not_done(connection, self._plan_id, ("skipped",), MOST_NAMED)
            failed = objects_not_done(connection, self._plan_id, ("failed",), MOST_NAMED)
        deleted, tagged = found.get("deleted", none), found.get("tagged", none)
        return CleanReport(
            self._plan_id, deleted.objects, deleted.bytes, tagged.objects, tagged.bytes, found.get("gone", none).objects,
            tuple(Named(bucket, one.stored.key, one.why) for bucket, one in skipped),
            tuple(Named(bucket, one.stored.key, one.why) for bucket, one in failed), found.get("skipped", none).objects,
            found.get("failed", none).objects, found.get("planned", none).objects, self._problem, audit_id, dry_run=False,
        )  # fmt: skip


def in_words(report: CleanReport) -> str:
    """What came of an apply, in a sentence."""
    counts = [
        (report.deleted_objects, "deleted"), (report.tagged_objects, "tagged"), (report.gone_objects, "gone already"),
    ]  # fmt: skip
    words = [f"{count:,} {what}" for count, what in counts if count] or ["nothing done"]
    words += [f"{report.skipped_objects:,} skipped", f"{report.failed_objects:,} failed"]
    left = f", {report.left:,} left: {report.problem or 'stopped before it was done'}" if report.left else ""
    return f"{', '.join(words)}{left}"


def _teams(items: Sequence[PlannedItem]) -> str | None:
    """The team of a plan that has one, for the audit log."""
    teams = {planned.item.team for planned in items}
    return teams.pop() if len(teams) == 1 else None
