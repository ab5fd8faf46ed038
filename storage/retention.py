"""What is not kept for ever: records of our own work that have grown old. Facts, findings and the audit log always stay."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from storage.cleaning import is_free, may_be_tagged
from storage.schema import collector_runs, collector_status
from storage.schema_objects import clean_objects, clean_plans
from storage.schema_operations import messages
from storage.state import DATA_VERSION, bump


def give_up_old_records(connection: Connection, now: datetime, keep: timedelta, most: int = 5000) -> int:
    """Deletes records older than that, at most about so many rows of each kind at once; how many. Call it until there are none.

    The newest run of each collector stays. So do the objects of a plan that may carry our tag, which is taken off again when something
    points at them, and those of a plan that somebody is at right now.
    """
    before = now - keep
    return _runs(connection, before, most) + _messages(connection, before, most) + _plans(connection, before, now, most)


def _runs(connection: Connection, before: datetime, most: int) -> int:
    table = collector_runs.c
    newest = select(collector_status.c.run_id)
    old = select(table.id).where(table.started_at < before, table.id.not_in(newest)).limit(most)
    return int(connection.execute(delete(collector_runs).where(table.id.in_(old))).rowcount)


def _messages(connection: Connection, before: datetime, most: int) -> int:
    table = messages.c
    is_over = or_(table.sent_at.is_not(None), table.given_up_at.is_not(None))
    old = select(table.id).where(table.made_at < before, is_over).limit(most)
    return int(connection.execute(delete(messages).where(table.id.in_(old))).rowcount)


def _plans(connection: Connection, before: datetime, now: datetime, most: int) -> int:
    """Forgets the objects of one old plan after the other; its items, totals and reasons stay, as its report does in the audit log."""
    plans, objects = clean_plans.c, clean_objects.c
    is_old = func.coalesce(plans.applied_at, plans.created_at) < before
    where = (plans.forgotten_at.is_(None), is_old, is_free(now), ~may_be_tagged())
    plan_id = connection.scalar(select(plans.id).where(*where).order_by(plans.id).limit(1))
    if plan_id is None:
        return 0
    some = select(objects.id).where(objects.plan_id == plan_id).limit(most)
    gone = int(connection.execute(delete(clean_objects).where(objects.id.in_(some))).rowcount)
    if gone < most:
        connection.execute(update(clean_plans).where(plans.id == plan_id).values(forgotten_at=now))
        bump(connection, DATA_VERSION)
    return gone + 1  # a plan without objects is something done too
