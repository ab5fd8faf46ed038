"""Records of our own work that have grown old go; facts, the newest run of each collector, and what is still to be undone stay."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from domain.access import Refusal
from storage.cleaning import plan_head
from storage.engine import reading, writing
from storage.messages import NewMessage, enqueue
from storage.retention import give_up_old_records
from storage.schema import collector_runs
from storage.schema_objects import clean_items, clean_objects
from storage.schema_operations import audit, messages
from storage.views.collection import collector_states
from tests.integration.actions.yard import Yard, cut_short, jobs, yard
from tests.integration.collectors.conftest import Watch, watch
from tests.integration.collectors.watching import DAY

__all__ = ["watch"]

KEEP = timedelta(days=90)


def count(ours: Yard, table: Any) -> int:
    """How many rows there are."""
    with reading(ours.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def give_up(ours: Yard, most: int = 5000) -> int:
    """Gives up all that is old, some rows at a time; in how many turns."""
    turns = 0
    while True:
        with writing(ours.engine) as connection:
            if not give_up_old_records(connection, ours.account.now(), KEEP, most):
                return turns
        turns += 1


def test_nothing_young_goes(watch: Watch) -> None:
    ours = yard(watch, jobs())
    ours.applied(ours.plan())
    before = [count(ours, table) for table in (collector_runs, clean_objects, messages)]
    ours.account.clock.advance(89 * DAY)
    assert give_up(ours) == 0
    assert [count(ours, table) for table in (collector_runs, clean_objects, messages)] == before


def test_old_runs_go_but_for_the_newest_of_each_collector(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, jobs(), engine)
    ours.look()
    with reading(ours.engine) as connection:
        before = collector_states(connection)
    ours.account.clock.advance(91 * DAY)
    assert give_up(ours, most=2) > 1
    assert count(ours, collector_runs) == len(before) == 3
    with reading(ours.engine) as connection:
        assert collector_states(connection) == before


def test_messages_that_are_over_go_and_what_is_still_to_be_sent_stays(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, jobs(), engine)
    with writing(engine) as connection:
        enqueue(connection, [NewMessage(f"key-{n}", "on_call", "channel", "info", "title", "body") for n in range(3)], ours.account.now())
        connection.execute(messages.update().where(messages.c.key != "key-0").values(sent_at=ours.account.now()))
    ours.account.clock.advance(91 * DAY)
    give_up(ours)
    with reading(engine) as connection:
        assert list(connection.scalars(select(messages.c.key))) == ["key-0"]


def test_the_objects_of_an_old_plan_go_and_its_totals_and_its_audit_stay(watch: Watch, engine: Engine) -> None:
    ours = yard(watch, jobs(), engine)
    plan_id = ours.plan()
    ours.applied(plan_id)
    items, entries = count(ours, clean_items), count(ours, audit)
    ours.account.clock.advance(91 * DAY)
    assert give_up(ours, most=3) > 2
    assert (count(ours, clean_objects), count(ours, clean_items), count(ours, audit)) == (0, items, entries)
    with reading(engine) as connection:
        head = plan_head(connection, plan_id)
    assert head is not None
    assert head.forgotten_at == ours.account.now()
    refusal = ours.undo(plan_id)
    assert isinstance(refusal, Refusal)
    assert "[database] keep_days" in refusal.why


def test_a_quarantine_is_never_forgotten_while_its_tags_are_on(watch: Watch) -> None:
    ours = yard(watch, jobs())
    plan_id = ours.plan("quarantine")
    tagged = ours.applied(plan_id).tagged_objects
    ours.account.clock.advance(400 * DAY)
    give_up(ours)
    assert ours.states(plan_id)["tagged"] == tagged > 0


def test_a_quarantine_that_was_killed_is_not_forgotten_either(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have tagged what it did not write down."""
    ours = yard(watch, jobs())
    plan_id = ours.plan("quarantine")
    cut_short(ours, plan_id, monkeypatch)
    before = count(ours, clean_objects)
    ours.account.clock.advance(400 * DAY)
    give_up(ours)
    assert count(ours, clean_objects) == before > 0


def test_the_inventory_gives_them_up(watch: Watch) -> None:
    ours = yard(watch, jobs())
    ours.plan()
    ours.account.clock.advance(181 * DAY)
    ours.look()
    assert count(ours, clean_objects) == 0
    assert count(ours, collector_runs) <= 4
