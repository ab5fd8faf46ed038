"""Takes our tag off what was quarantined and is wanted again, before a lifecycle rule deletes it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from actions.cleaning_facts import clean_facts
from actions.following import FOLLOWER
from actions.objects import untag
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, NotFound, asked_again
from aws.session import Clients
from domain.cleaning import CleanIndex, CleanRules
from settings import Settings
from storage.audit import Entry, append
from storage.cleaning import Mark, PlanHead, PlannedItem, PlannedObject, mark, plan_items, plan_objects, quarantines
from storage.engine import Engine, reading, writing

AGAIN = "it is tried again"
MOST_REASONS = 3
RENEWED_EVERY = 100  # objects, at two calls each

Clock = Callable[[], datetime]
Wanted = list[tuple[PlannedObject, str]]
log = logging.getLogger("trainwatch.actions")


def release_wanted(
    engine: Engine, settings: Settings, reach: Reach, scope: tuple[str, str], now: Clock, alive: Callable[[], None] = lambda: None
) -> int:
    """Takes the tag off objects of quarantined plans in a scope (account and region) that something points at anew; how many.

    `alive` is called now and then, by which whoever holds the right to do this says so.

    Only what speaks for an object releases it: facts that are merely old or missing do not, since people decided on the quarantine.
    Each plan's release is in the audit log, before it happens and with what came of it.
    """
    with reading(engine) as connection:
        plans = quarantines(connection, now())
    released, rules = 0, _Rules(engine, settings, now)
    for head in plans:
        with reading(engine) as connection:
            items = [one for one in plan_items(connection, head.plan_id) if (one.item.account, one.item.region) == scope]
        if items:
            alive()
            released += _Release(engine, reach, head, rules.of(head), now, alive).of(items)
    return released


class _Rules:
    """What may go and what may not, as of now, by the least age that a plan was made with."""

    def __init__(self, engine: Engine, settings: Settings, now: Clock) -> None:
        self._engine, self._settings, self._now = engine, settings, now
        self._made: dict[int, CleanRules] = {}

    def of(self, head: PlanHead) -> CleanRules:
        days = max(head.min_age_days, self._settings.clean.min_age_days)
        if days not in self._made:
            facts = clean_facts(self._engine, self._settings, self._now(), days)
            self._made[days] = CleanRules(CleanIndex(facts), days, self._now())
        return self._made[days]


class _Release:
    """The release of one plan: the first object that is wanted begins it, and its audit entry."""

    def __init__(self, engine: Engine, reach: Reach, head: PlanHead, rules: CleanRules, now: Clock, alive: Callable[[], None]) -> None:
        self._engine, self._reach, self._head, self._rules, self._now, self._alive = engine, reach, head, rules, now, alive
        self._entry: Entry | None = None
        self._audit_id = 0
        self._released = 0
        self._failed: list[str] = []

    def of(self, items: Sequence[PlannedItem]) -> int:
        """Releases what is wanted of these items; how many objects."""
        for planned in items:
            for wanted in self._wanted(planned):
                self._ask(planned, wanted)
                self._untag(planned, wanted)
        if self._entry is not None:
            words = f"{self._released} released, {len(self._failed)} failed"
            words += f": {'; '.join(self._failed[:MOST_REASONS])}" if self._failed else ""
            with writing(self._engine) as connection:
                append(connection, replace(self._entry, at=self._now(), outcome=words, follows=self._audit_id))
            log.log(logging.WARNING if self._failed else logging.INFO, "plan %d: %s", self._head.plan_id, words)
        return self._released

    def _wanted(self, planned: PlannedItem) -> Iterator[Wanted]:
        """Pages of the objects that are wanted, with what speaks for each.

        An apply that was killed, or whose answer was lost, may have put tags on that it did not write down: what is still planned,
        or has failed, is looked at too.
        """
        for state in ("tagged", "planned", "failed"):
            after = ("", "")
            while True:
                with reading(self._engine) as connection:
                    objects = plan_objects(connection, self._head.plan_id, planned.number, state, after)
                if not objects:
                    break
                self._alive()
                reasons = [(one, self._rules.wanted_reason(planned.item.bucket, one.stored.key)) for one in objects]
                wanted = [(one, why) for one, why in reasons if why and not one.stored.upload_id]
                if wanted:
                    yield wanted
                after = (objects[-1].stored.key, objects[-1].stored.upload_id)

    def _ask(self, planned: PlannedItem, wanted: Wanted) -> None:
        """The audit entry, before anything is changed."""
        if self._entry is None:
            item, (first, why) = planned.item, wanted[0]
            reason = f"s3://{item.bucket}/{first.stored.key}: {why}"
            target = f"plan {self._head.plan_id}"
            self._entry = Entry(self._now(), FOLLOWER, "release", target, "asked", reason, item.account, item.region, item.team)
            with writing(self._engine) as connection:
                self._audit_id = append(connection, self._entry)

    def _untag(self, planned: PlannedItem, wanted: Wanted) -> None:
        item, marks = planned.item, list[Mark]()
        try:
            clients = self._reach.of(item.account, item.region)
            for number, (one, why) in enumerate(wanted, 1):
                if number % RENEWED_EVERY == 0:
                    self._alive()
                marks += self._one(clients, item.bucket, one, why)
        except AwsError as error:
            if isinstance(error, CredentialsUnusable):
                self._reach.forget()
            self._failed.append(asked_again(error, AGAIN))
        states = {one.row: one.state for one, _ in wanted}
        with writing(self._engine) as connection:
            for state in set(states.values()):  # an apply that goes on meanwhile knows better
                mark(connection, [found for found in marks if states[found[0]] == state], only_if=state)

    def _one(self, clients: Clients, bucket: str, one: PlannedObject, why: str) -> list[Mark]:
        """What became of one object; nothing where it has to be tried again."""
        try:
            was_tagged = untag(clients, bucket, one.stored.key)
        except NotFound:
            return [(one.row, "released", f"it was gone already; {why}", None)]
        except CredentialsUnusable:
            raise
        except AwsError as error:
            self._failed.append(f"{one.stored.key}: {asked_again(error, AGAIN)}")
            return []
        self._released += was_tagged
        return [(one.row, "released" if was_tagged or one.state == "tagged" else "skipped", why, None)]
