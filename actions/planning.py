"""Makes a plan to clean: decided on facts, then listed object by object, and stored. Nothing is changed in AWS."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from actions.cleaning_facts import clean_facts
from actions.objects import objects_under, uploads_under
from actions.reach import Reach
from aws.errors import AwsError, CredentialsUnusable, asked_again
from domain.access import Person, Refusal, may_act
from domain.cleaning import CleanFacts, CleanIndex, CleanItem, CleanRules, Kept, plan_clean
from domain.cleaning_paths import folder
from domain.leftovers import StoredObject
from domain.storage_prices import classes_nusd
from settings import Settings
from storage.audit import Entry, append
from storage.cleaning import PlannedItem, add_item, add_objects, drop_item, finish_plan, save_plan, set_item_totals
from storage.engine import Engine, writing

THREADS = 4  # listings under way at once
MOST_REASONS = 100  # told of what stays in one prefix that goes

Progress = Callable[[int, int], None]
_NONE: Progress = lambda done, total: None  # noqa: E731 - a default that does nothing


def make_plan(
    engine: Engine,
    settings: Settings,
    reach: Reach,
    person: Person,
    now: datetime,
    teams: Sequence[str] = (),
    min_age_days: int | None = None,
    mode: str = "delete",
    progress: Progress = _NONE,
) -> int | Refusal:
    """A stored plan; its id. `min_age_days` can only raise the settings' own. What cannot be listed now is kept, with the reason.

    Whoever may not act on any team is refused: a plan changes nothing, but its listings cost money.
    """
    refusal = may_not_plan(person, teams)
    if refusal is not None:
        with writing(engine) as connection:
            append(connection, Entry(now, person, "plan", "clean", f"refused: {refusal.why}"))
        return refusal
    days = max(settings.clean.min_age_days, min_age_days or 0)
    facts = clean_facts(engine, settings, now, days)
    decided = plan_clean(facts, days, now, frozenset(teams))
    rules = CleanRules(CleanIndex(facts), days, now)
    kept = list(decided.kept)
    with writing(engine) as connection:
        plan_id = save_plan(connection, person.name, teams, days, mode, kept, now)
    listing = _Listing(engine, reach, plan_id, rules, decided.items, _Costs(facts))

    def store(numbered: tuple[int, CleanItem]) -> None:
        number, item = numbered
        try:
            kept.extend(listing.store(number, item))
        except AwsError as error:
            if isinstance(error, CredentialsUnusable):
                reach.forget()
            with writing(engine) as connection:
                drop_item(connection, plan_id, number)
            why = f"it could not be listed: {asked_again(error, 'make a plan again')}"
            kept.append(Kept(item.bucket, item.prefix, item.job, why))

    with ThreadPoolExecutor(THREADS, thread_name_prefix="clean") as pool:
        for done, _ in enumerate(pool.map(store, enumerate(decided.items)), 1):
            progress(done, len(decided.items))
    with writing(engine) as connection:
        finish_plan(connection, plan_id, kept)
    return plan_id


def may_not_plan(person: Person, teams: Sequence[str]) -> Refusal | None:
    """Why somebody may not have a plan made: they may act on none of the teams asked for, or on none at all."""
    found = [may_act(person, team) for team in teams or person.teams or ("",)]
    return found[0] if all(found) else None


class _Listing:
    """What the items of a plan hold, listed object by object and stored."""

    def __init__(self, engine: Engine, reach: Reach, plan_id: int, rules: CleanRules, items: Sequence[CleanItem], costs: "_Costs") -> None:
        self._engine, self._reach, self._plan_id, self._rules, self._costs = engine, reach, plan_id, rules, costs
        self._numbers: dict[tuple[str, str, bool], int] = {}
        for number, item in enumerate(items):
            self._numbers.setdefault((item.bucket, item.prefix, item.kind == "uploads"), number)

    def store(self, number: int, item: CleanItem) -> list[Kept]:
        """Lists an item and keeps each object that may go; one by one, since a prefix may hold something that never goes.

        Where nothing of it may go, where something in it was written lately, or where nothing is there any more, the item is dropped.
        Returns what of it stays: the prefix, or the first object for each reason with how many there are.
        """
        with writing(self._engine) as connection:
            add_item(connection, self._plan_id, PlannedItem(number, item, None))
        count = size = 0
        staying: dict[str, tuple[str, int]] = {}
        young = ""
        for page in self._pages(item):
            newest = max((one.modified_at for one in page), default=None)
            young = young or (newest and self._rules.young_reason(newest, "something in it was written")) or ""
            if young:
                break
            reasons = [(one, self._rules.keep_reason(item.bucket, one.key, one.modified_at, item)) for one in page]
            going = [one for one, reason in reasons if reason is None and self._is_of(number, item, one)]
            for one, reason in reasons:
                if reason is not None and (reason in staying or len(staying) < MOST_REASONS):
                    first, so_far = staying.get(reason, (one.key, 0))
                    staying[reason] = first, so_far + 1
            count, size = count + len(going), size + sum(one.bytes for one in going)
            with writing(self._engine) as connection:
                add_objects(connection, self._plan_id, number, going)
        with writing(self._engine) as connection:
            if young or not count:
                drop_item(connection, self._plan_id, number)
                why = young or next(iter(staying), "")
                return [Kept(item.bucket, item.prefix, item.job, why)] if why else []
            set_item_totals(connection, self._plan_id, number, count, size, self._costs.of(item, size))
        return [
            Kept(
                item.bucket,
                first,
                item.job,
                why if number == 1 else f"{why} ({number:,} objects in {item.prefix}, of which this is the first)",
            )
            for why, (first, number) in staying.items()
        ]

    def _pages(self, item: CleanItem) -> Iterable[list[StoredObject]]:
        clients = self._reach.reading(item.account, item.region)
        if item.kind == "uploads":
            return [uploads_under(clients, item.bucket, item.prefix)]
        return objects_under(clients, item.bucket, item.prefix)

    def _is_of(self, number: int, item: CleanItem, one: StoredObject) -> bool:
        """Whether an object is this item's and not that of another item which lies closer to it: each is planned once, as it is counted."""
        key, is_upload = one.key, item.kind == "uploads"
        while (slash := key.rfind("/")) >= 0:
            closest = self._numbers.get((item.bucket, key[: slash + 1], is_upload))
            if closest is not None:
                return closest == number
            key = key[:slash]
        return True


class _Costs:
    """What keeping things costs a month, by the storage classes that the inventory found there."""

    def __init__(self, facts: CleanFacts) -> None:
        self._buckets = facts.buckets
        self._leftovers = {(one.bucket, folder(one.prefix), one.kind): one for one in facts.leftovers}

    def of(self, item: CleanItem, size: int) -> int | None:
        """Nano-dollars a month of so many bytes of an item; None where a price is not known."""
        found = self._leftovers[item.bucket, item.prefix, item.kind]
        if size and not found.bytes:
            return None  # the inventory could not tell how much there is
        cost, unpriced = classes_nusd(found.classes, self._buckets[item.bucket].region)
        return None if unpriced else cost * size // max(1, found.bytes)
