"""One batch of a clean: looked at again, judged anew key by key, and only then deleted, aborted or tagged."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import NamedTuple

from actions.cleaning_facts import FreshFacts, NotSure
from actions.objects import (
    AHEAD,
    PAGE,
    Deleted,
    abort,
    delete,
    is_still,
    just_before,
    markers_of,
    objects_under,
    tag_for_expiry,
    uploads_under,
)
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, CutOff, NotFound, ServerFault, Throttled, Unreachable, asked_again
from aws.session import Clients
from domain.cleaning import CleanRules
from domain.instants import EARLIEST
from domain.leftovers import StoredObject
from storage.cleaning import Mark, PlanHead, PlannedItem, PlannedObject

CHANGED = "it has changed since the plan was made"
GONE = "it was gone already"
AGAIN = "apply the plan again to go on"
LATER = (Throttled, Unreachable, ServerFault, CutOff, CredentialsUnusable, NotSure)
"""What may go well in a while, or of which nobody knows whether it went: the keys stay as they were, for being looked at again."""
# Source: DeleteObjects with an ETag, the codes for a key that has another ETag, or is not there.
_NO_LONGER_SO = frozenset({"PreconditionFailed", "NoSuchKey", "NotFound", "ConditionalRequestConflict"})
# Source: DeleteObjects, codes of single keys for which S3 asks to try again.
_PASSING = frozenset({"InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "Busy"})

LOOKERS = 8  # listings at once, of a prefix of several batches
MOST_KEPT, KEPT_FOR = 100, timedelta(seconds=30)  # batches whose listing is still good when their turn comes, and how long it is
DECIDED_FOR = timedelta(seconds=30)  # after that, as in a process that was suspended, a batch is decided anew
MOST_IN_VAIN = 3  # decisions in a row that were too old to act on when they were made
PAUSES = (0.5, 1.0, 2.0)  # seconds, before single keys that S3 is too busy for are asked for again

Clock = Callable[[], datetime]
Read = Callable[[int, tuple[str, str]], list[PlannedObject]]
"""The next objects of an item, by its number, that are still to be done, after a key and upload id; at most a page."""


class Batch(NamedTuple):
    """Up to a thousand objects of one item, in order of their keys; `is_whole` where these are all of the item."""

    planned: PlannedItem
    objects: Sequence[PlannedObject]
    is_whole: bool


class Outcome(NamedTuple):
    """What is to be written down of a batch; `problem` says why some of its keys stay as they were."""

    marks: list[Mark]
    problem: str


class Decision(NamedTuple):
    """Which objects of a batch may go as of an instant, and what is to be said of the others."""

    going: list[PlannedObject]
    marks: list[Mark]
    at: datetime


class Acted(NamedTuple):
    """What came of acting on a decision; `rest` are objects of which it has to be decided anew, since too much time has passed."""

    marks: list[Mark]
    problem: str
    rest: list[PlannedObject]


class _Look(NamedTuple):
    """What was seen of a batch, and when; `newest` is of all that lay beside it too."""

    at: datetime
    found: dict[tuple[str, str], StoredObject]
    newest: datetime


class BatchWork:
    """What a clean does with each batch; `alive` is called between single requests of long batches. Shared by its threads."""

    def __init__(
        self, reach: Reach, head: PlanHead, facts: FreshFacts, days: int, now: Clock, alive: Callable[[], None], read: Read
    ) -> None:
        self._reach, self._head, self._facts, self._days = reach, head, facts, days
        self._now, self._alive, self._read = now, alive, read
        # A marker from before the plan was first applied is somebody else's.
        self._since = (head.begun_at or now()) - AHEAD
        self._facts_lock, self._newest_lock = Lock(), Lock()
        self._newest: dict[int, datetime] = {}
        self._looks: dict[int, _Look] = {}  # by the first row of each batch

    def done(self, batch: Batch) -> Outcome:
        """Looks at a batch, decides and acts, until all of it is done. Raises AwsError where nothing of it was done."""
        marks, in_vain = list[Mark](), 0
        while True:
            try:
                decision = self.decided(batch)
                acted = self._acted(batch, decision) if decision.going else Acted([], "", [])
            except AwsError as error:
                if not marks:
                    raise
                if isinstance(error, CredentialsUnusable):
                    self._reach.forget()
                return Outcome(marks, asked_again(error, AGAIN))
            marks += decision.marks + acted.marks
            in_vain = in_vain + 1 if len(acted.rest) == len(decision.going) else 0
            if not acted.rest or in_vain == MOST_IN_VAIN:
                return Outcome(marks, acted.problem if not acted.rest else f"deciding takes longer than a decision holds: {AGAIN}")
            batch = batch._replace(objects=acted.rest)

    def decided(self, batch: Batch) -> Decision:
        """Which of the keys may go now, and what is to be said of the others: gone, changed, or kept by a rule."""
        item = batch.planned.item
        of_all = self._newest_of(batch)
        there, newest = self._listed(batch)
        gone = self._gone(batch, [one for one in batch.objects if (one.stored.key, one.stored.upload_id) not in there])
        with self._facts_lock:  # the last thing, so that the decision is as young as can be
            at = self._now()
            rules = CleanRules(self._facts.at(at), self._days, at)
        young = rules.young_reason(max(newest, of_all), "something in its prefix was written")
        going: list[PlannedObject] = []
        marks: list[Mark] = []
        for one in batch.objects:
            found = there.get((one.stored.key, one.stored.upload_id))
            if found is None:
                continue
            if (found.etag, found.bytes) != (one.stored.etag, one.stored.bytes):
                marks.append((one.row, "skipped", CHANGED, None))
            elif why := rules.keep_reason(item.bucket, found.key, found.modified_at, item) or young:
                marks.append((one.row, "skipped", why, None))
            else:
                going.append(one)
        return Decision(going, marks + gone, at)

    def _holds(self, decision: Decision) -> bool:
        """Whether a decision is young enough to act on, and the plan still ours. Raises PlanLost."""
        self._alive()
        return self._now() - decision.at <= DECIDED_FOR

    def _newest_of(self, batch: Batch) -> datetime:
        """When anything was last written in the item's prefix, as of its first batch: a prefix goes only with all that is in it."""
        if batch.is_whole:
            return EARLIEST  # its own listing says it
        number = batch.planned.number
        with self._newest_lock:
            if number not in self._newest:
                self._newest[number] = self._looked_through(batch.planned)
        return self._newest[number]

    def _looked_through(self, planned: PlannedItem) -> datetime:
        """Looks at all of a prefix of several batches at once, and keeps what it saw for those that come soon: the newest write."""
        newest, kept = EARLIEST, 0
        with ThreadPoolExecutor(LOOKERS, thread_name_prefix="look") as pool:
            pieces = self._pieces(planned)
            running = {pool.submit(self._look, *piece) for piece in islice(pieces, LOOKERS)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    row, look = future.result()
                    newest = max(newest, look.newest)
                    if row is not None and kept < MOST_KEPT:
                        self._looks[row] = look
                        kept += 1
                self._alive()
                running |= {pool.submit(self._look, *piece) for piece in islice(pieces, len(done))}
        return newest

    def _pieces(self, planned: PlannedItem) -> Iterator[tuple[Batch | None, PlannedItem, str]]:
        """The prefix in pieces: from behind one batch to the end of the next, and what comes after the last."""
        after = ""
        for batch in batches([planned], self._read):
            yield batch, planned, after
            after = batch.objects[-1].stored.key
        yield None, planned, after

    def _look(self, batch: Batch | None, planned: PlannedItem, after: str) -> tuple[int | None, "_Look"]:
        wanted = {(one.stored.key, one.stored.upload_id) for one in batch.objects} if batch else set()
        last = batch.objects[-1].stored.key if batch else None
        at, found, newest = self._now(), dict[tuple[str, str], StoredObject](), EARLIEST
        for page in self._pages(planned, after):
            found |= {(one.key, one.upload_id): one for one in page if (one.key, one.upload_id) in wanted}
            newest = max([newest, *(one.modified_at for one in page)])
            if page and last is not None and page[-1].key >= last:
                break
        return batch.objects[0].row if batch else None, _Look(at, found, newest)

    def _pages(self, planned: PlannedItem, after: str = "") -> Iterator[list[StoredObject]]:
        item = planned.item
        clients = self._reach.reading(item.account, item.region)
        if item.kind == "uploads":
            yield uploads_under(clients, item.bucket, item.prefix)
        else:
            yield from objects_under(clients, item.bucket, item.prefix, after)

    def _listed(self, batch: Batch) -> tuple[dict[tuple[str, str], StoredObject], datetime]:
        """The batch's part of the prefix as it is now, and the newest write that was seen in looking; all of a prefix of one batch."""
        kept = self._looks.pop(batch.objects[0].row, None)
        if kept is not None and self._now() - kept.at <= KEPT_FOR:
            return kept.found, kept.newest
        wanted = {(one.stored.key, one.stored.upload_id) for one in batch.objects}
        first, last = batch.objects[0].stored.key, batch.objects[-1].stored.key
        found: dict[tuple[str, str], StoredObject] = {}
        newest = EARLIEST
        for page in self._pages(batch.planned, "" if batch.is_whole else just_before(first)):
            found |= {(one.key, one.upload_id): one for one in page if (one.key, one.upload_id) in wanted}
            newest = max([newest, *(one.modified_at for one in page)])
            if page and page[-1].key >= last and not batch.is_whole:
                break
        return found, newest

    def _gone(self, batch: Batch, gone: Sequence[PlannedObject]) -> list[Mark]:
        """Keys that are no longer listed are done.

        In a versioned bucket our marker may hide them, which undoing has to know: a request of ours may have been carried out
        though its answer was lost, or its process killed.
        """
        item, markers = batch.planned.item, dict[str, str]()
        is_deleting = item.kind != "uploads" and self._head.mode != "quarantine"
        if gone and is_deleting and self._facts.versioning_of(item.bucket) != "off":
            keys = {one.stored.key for one in gone}
            markers = markers_of(self._reach.of(item.account, item.region), item.bucket, item.prefix, keys, self._since)
        return [(one.row, "deleted", GONE, marker) if (marker := markers.get(one.stored.key)) else _gone(one) for one in gone]

    def _acted(self, batch: Batch, decision: Decision) -> Acted:
        """Deletes, aborts or tags what may go, and says what came of each."""
        item = batch.planned.item
        clients = self._reach.of(item.account, item.region)
        if item.kind == "uploads":
            return self._one_by_one(decision, lambda one: _aborted(clients, item.bucket, one))
        if self._head.mode == "quarantine":
            return self._one_by_one(decision, lambda one: _tagged(clients, item.bucket, one))
        acted, no_longer = self._deleted(clients, item.bucket, decision)
        try:
            return acted._replace(marks=acted.marks + self._looked_again(batch, no_longer))
        except AwsError as error:  # what was answered stays written down
            return Acted(acted.marks, asked_again(error, AGAIN), [])

    def _deleted(self, clients: Clients, bucket: str, decision: Decision) -> tuple[Acted, list[PlannedObject]]:
        """What came of deletes, with why others stay for later, after some tries; and the objects that were no longer as planned."""
        rows = {one.stored.key: one for one in decision.going}
        marks: list[Mark] = []
        no_longer: list[PlannedObject] = []
        pending, passing = decision.going, ""
        for pause in (*PAUSES, 0.0):
            if not self._holds(decision):
                return Acted(marks, "", pending), no_longer
            said = [one for one in delete(clients, bucket, [one.stored for one in pending]) if one.key in rows]
            marks += [_mark_of(rows[one.key].row, one) for one in said if one.code not in _NO_LONGER_SO | _PASSING]
            no_longer += [rows[one.key] for one in said if one.code in _NO_LONGER_SO]
            pending = [rows[one.key] for one in said if one.code in _PASSING]
            if not pending:
                return Acted(marks, "", []), no_longer
            passing = next(f"{one.key}: {one.code}: {one.message}: {AGAIN}" for one in said if one.code in _PASSING)
            self._alive()
            time.sleep(pause)
        return Acted(marks, passing, []), no_longer

    def _looked_again(self, batch: Batch, refused: Sequence[PlannedObject]) -> list[Mark]:
        """What became of keys that were no longer as planned when they were to go: gone by another's hand, or by a request of a
        process that was killed before it heard the answer; or changed, and so kept."""
        if not refused:
            return []
        there, _ = self._listed(batch)
        gone = [one for one in refused if (one.stored.key, one.stored.upload_id) not in there]
        changed = [one for one in refused if (one.stored.key, one.stored.upload_id) in there]
        return self._gone(batch, gone) + [(one.row, "skipped", CHANGED, None) for one in changed]

    def _one_by_one(self, decision: Decision, act: Callable[[PlannedObject], Mark]) -> Acted:
        """What came of single requests: each is told for itself, and what may pass ends them, with what was done before it."""
        marks: list[Mark] = []
        for number, one in enumerate(decision.going):
            if not self._holds(decision):
                return Acted(marks, "", decision.going[number:])
            try:
                marks.append(act(one))
            except NotFound:
                marks.append(_gone(one))
            except LATER as error:
                if isinstance(error, CredentialsUnusable):
                    self._reach.forget()
                return Acted(marks, asked_again(error, AGAIN), [])
            except AwsError as error:
                marks.append((one.row, "failed", asked_again(error, "plan it again"), None))
        return Acted(marks, "", [])


def batches(items: Sequence[PlannedItem], read: Read) -> Iterator[Batch]:
    """The objects that are still to be done; each batch is read when it is needed, after the last key of the one before."""
    for planned in items:
        after = ("", "")
        while objects := read(planned.number, after):
            yield Batch(planned, objects, is_whole=after == ("", "") and len(objects) < PAGE)
            after = (objects[-1].stored.key, objects[-1].stored.upload_id)


def _gone(one: PlannedObject) -> Mark:
    return one.row, "gone", GONE, None


def _aborted(clients: Clients, bucket: str, one: PlannedObject) -> Mark:
    abort(clients, bucket, one.stored.key, one.stored.upload_id)
    return one.row, "deleted", "", None


def _tagged(clients: Clients, bucket: str, one: PlannedObject) -> Mark:
    if not is_still(clients, bucket, one.stored):
        return one.row, "skipped", CHANGED, None
    why = tag_for_expiry(clients, bucket, one.stored.key)
    return (one.row, "failed", why, None) if why else (one.row, "tagged", "", None)


def _mark_of(row: int, said: Deleted) -> Mark:
    if said.is_gone:
        return row, "deleted", "", said.marker
    return row, "failed", f"{said.code}: {said.message}", None
