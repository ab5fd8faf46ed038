"""Makes a plan to clean: decided on facts, then listed object by object, and stored. Nothing is changed in AWS."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from actions.cleaning_facts import clean_facts
from actions.objects import objects_under, uploads_under
from actions.reach import Reach
from aws.errors import AwsError, asked_again
from domain.access import Person
from domain.cleaning import CleanFacts, CleanIndex, CleanItem, CleanRules, Kept, plan_clean
from domain.cleaning_paths import folder
from domain.storage_prices import classes_nusd
from settings import Settings
from storage.cleaning import PlannedItem, add_item, add_objects, drop_item, finish_plan, save_plan, set_item_totals
from storage.engine import Engine, writing

THREADS = 4  # listings under way at once

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
) -> int:
    """A stored plan; its id. `min_age_days` can only raise the settings' own. What cannot be listed now is kept, with the reason."""
    days = max(settings.clean.min_age_days, min_age_days or 0)
    facts = clean_facts(engine, settings, now, days)
    decided = plan_clean(facts, days, now, frozenset(teams))
    rules = CleanRules(CleanIndex(facts), days, now)
    kept = list(decided.kept)
    with writing(engine) as connection:
        plan_id = save_plan(connection, person.name, teams, days, mode, kept, now)
    costs = _Costs(facts)

    def store(numbered: tuple[int, CleanItem]) -> None:
        number, item = numbered
        try:
            why = _store_item(engine, reach, plan_id, number, item, rules, costs)
        except AwsError as error:
            with writing(engine) as connection:
                drop_item(connection, plan_id, number)
            why = f"it could not be listed: {asked_again(error, 'make a plan again')}"
        if why:
            kept.append(Kept(item.bucket, item.prefix, item.job, why))

    with ThreadPoolExecutor(THREADS, thread_name_prefix="clean") as pool:
        for done, _ in enumerate(pool.map(store, enumerate(decided.items)), 1):
            progress(done, len(decided.items))
    with writing(engine) as connection:
        finish_plan(connection, plan_id, kept)
    return plan_id


def _store_item(engine: Engine, reach: Reach, plan_id: int, number: int, item: CleanItem, rules: CleanRules, costs: "_Costs") -> str:
    """Lists an item and keeps each object that may go; one by one, since a prefix may hold something that never goes.

    Where nothing of it may go, or nothing is there any more, the item is dropped. Returns why all of it is kept; "" where it is not.
    """
    clients = reach.reading(item.account, item.region)
    with writing(engine) as connection:
        add_item(connection, plan_id, PlannedItem(number, item, None))
    count = size = 0
    why = ""
    pages = (
        [uploads_under(clients, item.bucket, item.prefix)] if item.kind == "uploads" else objects_under(clients, item.bucket, item.prefix)
    )
    for page in pages:
        reasons = [rules.keep_reason(item.bucket, one.key, one.modified_at, item) for one in page]
        going = [one for one, reason in zip(page, reasons, strict=True) if reason is None]
        why = why or next((reason for reason in reasons if reason), "")
        count, size = count + len(going), size + sum(one.bytes for one in going)
        with writing(engine) as connection:
            add_objects(connection, plan_id, number, going)
    with writing(engine) as connection:
        if not count:
            drop_item(connection, plan_id, number)
            return why
        set_item_totals(connection, plan_id, number, count, size, costs.of(item, size))
    return ""


class _Costs:
    """What keeping things costs a month, by the storage classes that the inventory found there."""

    def __init__(self, facts: CleanFacts) -> None:
        self._buckets = facts.buckets
        self._leftovers = {(one.bucket, folder(one.prefix), one.kind): one for one in facts.leftovers}

    def of(self, item: CleanItem, size: int) -> int | None:
        """Nano-dollars a month of so many bytes of an item; None where a price is not known."""
        found = self._leftovers[item.bucket, item.prefix, item.kind]
        cost, unpriced = classes_nusd(found.classes, self._buckets[item.bucket].region)
        return None if unpriced else cost * size // max(1, found.bytes)
