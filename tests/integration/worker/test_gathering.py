"""Messages that gather: many become a digest, and in quiet hours they wait."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from storage.engine import writing
from storage.findings import close_of_ended
from tests.integration.worker.listening import HOUR, MINUTE, World, utc

TEAM, ON_CALL = "json://team", "json://oncall"


def test_more_messages_than_settings_say_become_a_digest(engine: Engine) -> None:
    world = World(engine, jobs=6)
    world.teller.tell_changes(world.judge(jobs=5))
    world.deliver()
    assert len(world.sent.to(TEAM)) == len(world.sent.to(ON_CALL)) == 5
    world.sent.clear()
    world.teller.tell_changes(world.judge(jobs=6, rule="hung"))
    with writing(engine) as connection:
        close_of_ended(connection, world.scope_row, [2, 3, 4, 5, 6], world.now)
    world.deliver(MINUTE)
    assert world.sent.to(TEAM) == ["6 messages: 6 critical"]
    body = world.sent[0][3].splitlines()
    assert body[:3] == [
        "Hung: 6 critical",
        "https://watch.example.com/runaway",
        "- Critical: Hung · rc-fraud-5 · rc, $6.00/h at list price",
    ]
    assert body[-1] == "- Critical: Hung · rc-fraud-0 · rc (over by now)"
    world.deliver(HOUR)
    assert all(row.sent_at for row in world.outbox())
    assert len(world.sent) == 2


def test_a_digest_that_fails_is_tried_again(engine: Engine) -> None:
    world = World(engine, on_call=[])
    world.put(8)
    world.sent.problem = "no"
    world.deliver()
    assert {row.attempts for row in world.outbox()} == {1}
    world.sent.problem = ""
    world.deliver(MINUTE)
    assert world.sent.to(TEAM) == ["8 messages: 8 critical"] * 2


@pytest.mark.parametrize(
    ("hours", "zone", "made", "end"),
    [
        ("22:00-07:00", "UTC", "2026-11-20T23:00", "2026-11-21T07:00"),
        ("22:00-07:00", "UTC", "2026-11-21T03:00", "2026-11-21T07:00"),
        ("12:00-14:00", "Europe/Berlin", "2026-11-20T12:30", "2026-11-20T13:00"),
        ("22:00-07:00", "Europe/Berlin", "2026-10-24T21:00", "2026-10-25T06:00"),  # the clocks go back in this night
        ("22:00-07:00", "Europe/Berlin", "2026-03-28T22:00", "2026-03-29T05:00"),  # and forward in this
    ],
)
def test_in_quiet_hours_only_what_is_critical_is_told_and_only_to_on_call(
    engine: Engine, hours: str, zone: str, made: str, end: str
) -> None:
    world = World(engine, quiet_hours=hours, quiet_zone=zone)
    world.now = utc(made)
    world.put(1)
    world.put(1, severity="warning")
    world.deliver()
    assert [(url, severity) for url, severity, *_ in world.sent] == [(ON_CALL, "critical")]
    world.now = utc(end) - timedelta(seconds=1)
    world.deliver()
    assert len(world.sent) == 1
    world.deliver(timedelta(seconds=1))
    assert sorted((url, severity) for url, severity, *_ in world.sent[1:]) == [(ON_CALL, "warning"), (TEAM, "critical"), (TEAM, "warning")]


def test_what_gathered_in_quiet_hours_is_one_digest_afterwards(engine: Engine) -> None:
    world = World(engine, quiet_hours="22:00-07:00", on_call=[])
    world.now = utc("2026-11-20T23:00")
    for severity in ("critical", "warning", "info"):
        world.put(3, severity=severity)
        world.deliver(HOUR)
    world.now = utc("2026-11-21T07:00")
    world.deliver()
    assert world.sent.to(TEAM) == ["9 messages: 3 critical, 3 warning, 3 info"]


def test_what_failed_before_quiet_hours_waits_for_their_end(engine: Engine) -> None:
    world = World(engine, quiet_hours="22:00-07:00", on_call=[])
    world.now = utc("2026-11-20T21:59")
    world.put(1)
    world.sent.problem = "no"
    world.deliver()
    world.deliver(2 * MINUTE)
    assert len(world.sent) == 1
    assert world.outbox()[0].due_at == utc("2026-11-21T07:00")
