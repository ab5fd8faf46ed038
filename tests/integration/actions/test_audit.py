"""The audit log: it only grows, tells everything, and takes every text for text; on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from domain.access import Person
from storage.audit import TEXT_LIMIT, Entry, append
from storage.engine import reading, writing
from storage.schema_operations import audit
from storage.state import data_version
from storage.views.audit import AuditRow, audit_rows
from tests.descriptions import NOON

OLGA = Person("olga@example.com", "operator", frozenset({"rc"}), "sign-in")
ENTRY = Entry(
    NOON, OLGA, "stop", "arn:aws:sagemaker:us-east-1:123456789012:training-job/a", "asked", "hung", "123456789012", "us-east-1", "rc"
)
MINUTE = timedelta(minutes=1)
HOSTILE = (
    "'; DROP TABLE audit; --",
    "=cmd|'/c calc'!A0",
    "<script>alert(1)</script>",
    "[bold]x[/bold] \x1b[31mred",
    "two\nlines\r\nand\ta tab",
    "\u202egnp.exe",
    "%s %(x)s {x} ${x} :x ?",
    "日本語 🦆 é",
)


def _add(engine: Engine, *entries: Entry) -> list[int]:
    with writing(engine) as connection:
        return [append(connection, entry) for entry in entries]


def _read(engine: Engine, *arguments: Any, **named: Any) -> list[AuditRow]:
    with reading(engine) as connection:
        return audit_rows(connection, *arguments, **named)


CHANGES = {
    "an update": "UPDATE audit SET outcome = 'nothing happened'",
    "an update of one": "UPDATE audit SET reason = 'x' WHERE id = 1",
    "an update that changes nothing": "UPDATE audit SET reason = reason",
    "a delete": "DELETE FROM audit",
    "a delete of one": "DELETE FROM audit WHERE id = 2",
    "an upsert": (
        "INSERT INTO audit (id, at, by, via, role, action, target, reason, outcome) VALUES (1, 0, 'x', 'x', 'x', 'x', 'x', 'x', 'x') "
        "ON CONFLICT (id) DO UPDATE SET outcome = 'nothing happened'"
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_the_database_itself_refuses_to_change_or_delete_a_row(how: str, engine: Engine) -> None:
    _add(engine, ENTRY, replace(ENTRY, outcome="refused: no"))
    before = _read(engine)
    with pytest.raises(DBAPIError, match="the audit log is append-only"), writing(engine) as connection:
        connection.execute(text(CHANGES[how]))
    assert _read(engine) == before
    assert len(before) == 2
    _add(engine, ENTRY)
    assert len(_read(engine)) == 3


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # PostgreSQL knows no such thing
def test_sqlite_refuses_to_replace_a_row(engine: Engine) -> None:
    _add(engine, ENTRY)
    before = _read(engine)
    with pytest.raises(DBAPIError, match="the audit log is append-only"), writing(engine) as connection:
        connection.execute(text("REPLACE INTO audit SELECT * FROM audit"))
    assert _read(engine) == before


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # SQLite knows no such thing
@pytest.mark.parametrize("how", ["audit CASCADE", "audit RESTART IDENTITY CASCADE"])
def test_postgresql_refuses_to_truncate_it_too(how: str, engine: Engine) -> None:
    _add(engine, ENTRY)
    with pytest.raises(DBAPIError, match="the audit log is append-only"), writing(engine) as connection:
        connection.execute(text(f"TRUNCATE {how}"))
    assert len(_read(engine)) == 1


def test_actions_are_listed_newest_first_with_refusals_among_them(engine: Engine) -> None:
    ids = _add(
        engine, ENTRY, replace(ENTRY, at=NOON + MINUTE, outcome="refused: not yours"), replace(ENTRY, at=NOON - MINUTE, action="snooze")
    )
    rows = _read(engine)
    assert [row.audit_id for row in rows] == ids[::-1]
    assert [row.outcome for row in rows] == ["asked", "refused: not yours", "asked"]


def test_an_action_is_one_line_with_the_newest_of_what_came_of_it(engine: Engine) -> None:
    first = replace(ENTRY, caller="arn:aws:sts::1:assumed-role/operator/x", before={"status": "InProgress"})
    number, other = _add(engine, first, ENTRY)
    _add(
        engine,
        replace(ENTRY, at=NOON + MINUTE, outcome="stopping: AWS was asked", follows=number, after={"status": "Stopping"}),
        replace(ENTRY, at=NOON + 2 * MINUTE, person=Person("trainwatch", "admin", via="policy"), outcome="stopped", follows=number),
    )
    _, row = _read(engine)
    assert (row.audit_id, row.by, row.at, row.outcome) == (number, "olga@example.com", NOON, "stopped")
    assert row.caller == "arn:aws:sts::1:assumed-role/operator/x"
    assert (row.before, row.after) == ({"status": "InProgress"}, {"status": "Stopping"})
    assert row.events == ((NOON, "asked"), (NOON + MINUTE, "stopping: AWS was asked"), (NOON + 2 * MINUTE, "stopped"))
    assert [one.audit_id for one in _read(engine)] == [other, number]


def test_everything_about_who_and_what_is_kept(engine: Engine) -> None:
    _add(engine, replace(ENTRY, before={"a": [1, None]}, after={"at": NOON}))
    (row,) = _read(engine)
    assert (row.by, row.via, row.role, row.action, row.target) == ("olga@example.com", "sign-in", "operator", "stop", ENTRY.target)
    assert (row.account, row.region, row.team, row.reason, row.outcome) == ("123456789012", "us-east-1", "rc", "hung", "asked")
    assert (row.before, row.after, row.caller) == ({"a": [1, None]}, {"at": "2026-11-20T12:00:00Z"}, None)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_is_kept_as_text_and_found_as_text(words: str, engine: Engine) -> None:
    person = Person(words, "admin", via="sign-in")
    _add(
        engine,
        ENTRY,
        Entry(NOON, person, "stop", words, f"failed: {words}", words, caller=words, before={words: words}, after={"x": words}),
    )
    row = _read(engine)[0]
    assert (row.by, row.target, row.reason, row.outcome, row.caller) == (words, words, words, f"failed: {words}", words)
    assert (row.before, row.after) == ({words: words}, {"x": words})
    assert [found.audit_id for found in _read(engine, text=words)] == [row.audit_id]


def test_text_that_no_database_takes_is_kept_as_near_as_may_be(engine: Engine) -> None:
    _add(engine, replace(ENTRY, person=Person("a\0b", "admin"), target="x\ud800y", reason="r\0", outcome="o" * 5000, caller="c\0"))
    (row,) = _read(engine)
    assert (row.by, row.target, row.reason, row.caller) == ("a�b", "x?y", "r�", "c�")
    assert row.outcome == "o" * TEXT_LIMIT


@pytest.mark.parametrize(("words", "found"), [("OLGA", 2), ("job/b", 1), ("snooze", 1), ("hung", 2), ("%", 0), ("_", 0), ("\\", 0)])
def test_a_part_of_target_person_action_or_reason_finds_it(words: str, found: int, engine: Engine) -> None:
    _add(engine, ENTRY, replace(ENTRY, action="snooze", target="training-job/b"))
    assert len(_read(engine, text=words)) == found


def test_a_page_and_a_team_may_be_asked_for(engine: Engine) -> None:
    ids = _add(engine, *(replace(ENTRY, team="nlp" if number % 3 else "rc") for number in range(9)))
    assert [row.audit_id for row in _read(engine, 2)] == ids[:-3:-1]
    assert [row.audit_id for row in _read(engine, 2, 2)] == ids[-3:-5:-1]
    assert [row.audit_id for row in _read(engine, team="rc")] == [ids[6], ids[3], ids[0]]


def test_more_actions_than_one_query_may_name_keep_their_events(engine: Engine) -> None:
    ids = _add(engine, *(ENTRY for _ in range(1100)))
    _add(engine, *(replace(ENTRY, outcome=f"failed: {number}", follows=number) for number in ids))
    rows = _read(engine, 2000)
    assert len(rows) == 1100
    assert all(row.outcome == f"failed: {row.audit_id}" for row in rows)


def test_what_a_transaction_takes_back_was_never_in_the_log(engine: Engine) -> None:
    with writing(engine) as connection:
        append(connection, ENTRY)
        connection.rollback()
    assert _read(engine) == []


def test_a_row_makes_pages_look_anew(engine: Engine) -> None:
    def version() -> int:
        with reading(engine) as connection:
            return data_version(connection)

    before = version()
    _add(engine, ENTRY)
    assert version() > before
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(audit)) == 1
