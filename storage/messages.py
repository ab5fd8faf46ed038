"""The outbox: what has to be told to which channel, and whether it was. The same thing is told once to a channel.

A channel is known here by a digest of its URL alone, since the URL may hold a secret. Whoever sends a message claims it
before: two processes never send the same one, unless the first dies on the way.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, update

from domain.secret_text import storable_words
from storage.schema_operations import messages
from storage.state import DATA_VERSION, bump, dialect_insert

ON_CALL = "on_call"
CLAIM_HOLDS = timedelta(minutes=2)  # longer than one batch may take; after that, whoever claimed it has died
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)
MOST_ATTEMPTS = 12
NO_NEWS_AFTER = timedelta(hours=24)
AT_ONCE = 1000
TITLE_LIMIT, BODY_LIMIT, PROBLEM_LIMIT = 250, 4000, 300


class NewMessage(NamedTuple):
    """Something to be told to a channel; `key` says what it is about, `audience` is a team's id or ON_CALL."""

    key: str
    audience: str
    channel: str
    severity: str
    title: str
    body: str


class Claimed(NamedTuple):
    """A message that is ours to send for a while; `attempts` failed before."""

    message_id: int
    key: str
    audience: str
    channel: str
    severity: str
    title: str
    body: str
    made_at: datetime
    attempts: int


class Untold(NamedTuple):
    """A message that did not get through: why, how often it was tried, and when it is tried again or was given up."""

    audience: str
    channel: str
    severity: str
    title: str
    problem: str
    attempts: int
    made_at: datetime
    due_at: datetime | None
    given_up_at: datetime | None


def enqueue(connection: Connection, new: Iterable[NewMessage], now: datetime) -> None:
    """Adds messages, due at once; what a channel was told before, or is about to be, stays as it is."""
    rows = [
        one._asdict()
        | {"title": storable_words(one.title, TITLE_LIMIT), "body": storable_words(one.body, BODY_LIMIT), "made_at": now, "due_at": now}
        for one in new
    ]
    if rows:
        connection.execute(dialect_insert(connection, messages).on_conflict_do_nothing(index_elements=["key", "channel"]), rows)


def keys_told(connection: Connection, prefix: str) -> set[str]:
    """The keys of messages, told or about to be, that begin so."""
    return set(connection.scalars(select(messages.c.key).distinct().where(messages.c.key.startswith(prefix, autoescape=True))))


def waiting_channels(connection: Connection, now: datetime) -> list[str]:
    """The channels that something is due to, the one that waits longest first."""
    table = messages.c
    statement = select(table.channel).where(_is_due(now)).group_by(table.channel).order_by(func.min(table.due_at), table.channel)
    return list(connection.scalars(statement))


def claim_due(connection: Connection, channel: str, now: datetime, limit: int = AT_ONCE) -> list[Claimed]:
    """What is due to a channel, oldest first, and from now on ours: nobody else gets it for two minutes."""
    table = messages.c
    due = select(table.id).where(table.channel == channel, _is_due(now)).order_by(table.id).limit(limit)
    claim = (
        update(messages)
        .where(table.id.in_(due.with_for_update(skip_locked=True)), _is_due(now))
        .values(due_at=now + CLAIM_HOLDS)
        .returning(*(table[name] for name in ("id", *Claimed._fields[1:])))
    )
    return sorted(Claimed(*row) for row in connection.execute(claim))


def mark_sent(connection: Connection, told: Sequence[Claimed], now: datetime) -> None:
    """Notes that messages were told, whatever was thought of them before."""
    rows = [{"row": one.message_id} for one in told]
    values = {"sent_at": now, "given_up_at": None, "problem": ""}
    if rows:
        connection.execute(update(messages).where(messages.c.id == bindparam("row")).values(values), rows)
    if any(one.attempts for one in told):
        bump(connection, DATA_VERSION)


def mark_failed(connection: Connection, failed: Sequence[Claimed], now: datetime, problem: str) -> None:
    """Notes why messages did not get through and when to try again: after a minute, two, four … an hour, until they are given up.

    `problem` must not hold the channel's URL.
    """
    table, rows = messages.c, []
    for one in failed:
        attempts = one.attempts + 1
        over = attempts >= MOST_ATTEMPTS or now - one.made_at >= NO_NEWS_AFTER
        again = now + min(LONGEST_RETRY, FIRST_RETRY * 2 ** (attempts - 1))
        rows.append({"row": one.message_id, "tried": attempts, "again": again, "over": now if over else None})
    changed: dict[str, Any] = {"attempts": bindparam("tried"), "due_at": bindparam("again"), "given_up_at": bindparam("over")}
    if rows:
        statement = update(messages).where(table.id == bindparam("row"), table.sent_at.is_(None))
        connection.execute(statement.values(changed | {"problem": storable_words(problem, PROBLEM_LIMIT)}), rows)
        bump(connection, DATA_VERSION)


def defer_quiet(connection: Connection, now: datetime, until: datetime) -> None:
    """Puts off what is due in quiet hours to their end: all but critical messages to whoever is on call."""
    table = messages.c
    loud = and_(table.audience == ON_CALL, table.severity == "critical")
    connection.execute(update(messages).where(_is_due(now), ~loud).values(due_at=until))


def give_up_old(connection: Connection, now: datetime) -> None:
    """Gives up what could not be told for a day, or has a channel that is no longer in anybody's settings: it is no news."""
    table = messages.c
    why = "nobody could send it for 24 hours; is its channel still in settings?"
    statement = (
        update(messages)
        .where(_is_due(now), table.made_at <= now - NO_NEWS_AFTER)
        .values(given_up_at=now, problem=func.coalesce(func.nullif(table.problem, ""), why))
    )
    if connection.execute(statement).rowcount:
        bump(connection, DATA_VERSION)


def recent_problems(connection: Connection, since: datetime, limit: int = 50) -> list[Untold]:
    """Messages made since an instant that did not get through, newest first."""
    table = messages.c
    where = (table.sent_at.is_(None), table.problem != "", table.made_at >= since)
    return [_untold(row) for row in connection.execute(select(messages).where(*where).order_by(table.id.desc()).limit(limit))]


def _is_open() -> ColumnElement[bool]:
    return and_(messages.c.sent_at.is_(None), messages.c.given_up_at.is_(None))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(_is_open(), messages.c.due_at <= now)


def _untold(row: Any) -> Untold:
    due_at = None if row.given_up_at else row.due_at
    return Untold(row.audience, row.channel, row.severity, row.title, row.problem, row.attempts, row.made_at, due_at, row.given_up_at)
