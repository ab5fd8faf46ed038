"""Makes a plan to clean: decided on facts, then listed object by object, and stored. Nothing is changed in AWS."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from actions.cleaning_facts import clean_facts
from actions.objects import objects_under, uploads_under
from actions.reach import Reach
from aws.errors import AwsError
from domain.access import Person
from domain.cleaning import CleanFacts, CleanIndex, CleanItem, CleanRules, Kept, plan_clean
from domain.cleaning_paths import folder
from domain.storage_prices import classes_nusd
from settings import Settings
from storage.cleaning import PlannedItem, add_item, add_objects, save_plan, set_item_totals, set_kept
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
    unlisted: list[Kept] = []
    costs = _Costs(facts)

    def store(numbered: tuple[int, CleanItem]) -> None:
        number, item = numbered
        try:
            _store_item(engine, reach, plan_id, number, item, rules, costs)
        except AwsError as error:
            unlisted.append(Kept(item.bucket, item.prefix, item.job, f"it could not be listed: {error}"))

    with ThreadPoolExecutor(THREADS, thread_name_prefix="clean") as pool:
        for done, _ in enumerate(pool.map(store, enumerate(decided.items)), 1):
            progress(done, len(decided.items))
    if unlisted:
        _add_kept(engine, plan_id, kept + unlisted)
    return plan_id


def _store_item(engine: Engine, reach: Reach, plan_id: int, number: int, item: CleanItem, rules: CleanRules, costs: "_Costs") -> None:
    """Lists an item and keeps each object that may go; one by one, since a prefix may hold something that never goes."""
    clients = reach.reading(item.account, item.region)
    with writing(engine) as connection:
        add_item(connection, plan_id, PlannedItem(number, item, None))
    count = size = 0
    pages = (
        [uploads_under(clients, item.bucket, item.prefix)] if item.kind == "uploads" else objects_under(clients, item.bucket, item.prefix)
    )
    for page in pages:
        going = [one for one in page if rules.keep_reason(item.bucket, one.key, one.modified_at, item) is None]
        count, size = count + len(going), size + sum(one.bytes for one in going)
        with writing(engine) as connection:
            add_objects(connection, plan_id, number, going)
    with writing(engine) as connection:
        set_item_totals(connection, plan_id, number, count, size, costs.of(item, size))


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


def _add_kept(engine: Engine, plan_id: int, kept: Sequence[Kept]) -> None:
    with writing(engine) as connection:
        set_kept(connection, plan_id, kept)
