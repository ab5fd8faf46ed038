"""Who is told what: each thing once to each channel that it concerns."""

import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from domain.access import Person
from domain.findings.finding import Severity
from domain.money import nusd
from settings import PolicySettings
from storage.audit import Entry, append
from storage.engine import reading, writing
from storage.findings import Change, close_of_ended, quiet
from storage.runs import finish_run, start_run
from storage.stops import Claim, OpenStop, advance, claim, open_stops
from storage.views.collection import collector_states
from storage.views.findings import findings_by_id
from tests.descriptions import NOON, at
from tests.integration.worker.listening import HOUR, MINUTE, World

TEAM, ON_CALL = "json://team", "json://oncall"


def test_a_critical_finding_is_told_once_to_its_team_and_to_on_call(engine: Engine) -> None:
    world = World(engine)
    changes = world.judge()
    for _ in range(3):
        world.teller.tell_changes(changes)
        world.deliver(MINUTE)
    world.teller.tell_changes(world.judge())
    world.deliver(MINUTE)
    assert world.sent.to(TEAM) == world.sent.to(ON_CALL) == ["Critical: Idle GPU · rc-fraud-0 · rc"]
    assert "https://watch.example.com/job?job=rc-fraud-0&account=123456789012" in world.sent[0][3]


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_lesser_finding_is_not_told(engine: Engine, severity: Severity) -> None:
    world = World(engine)
    world.tell(severity)
    assert world.outbox() == []


def test_a_finding_that_becomes_critical_is_told_again(engine: Engine) -> None:
    world = World(engine)
    world.tell("warning")
    world.now += MINUTE
    world.tell("critical")
    world.deliver(MINUTE)
    assert world.sent.to(TEAM) == ["Now critical: Idle GPU · rc-fraud-0 · rc"]


def test_a_finding_that_wavers_is_told_again_once_an_hour_at_most(engine: Engine) -> None:
    world = World(engine, digest_over=100)
    for _ in range(10):  # 50 minutes within an hour, and 50 minutes of the next
        for severity in ("warning", "critical"):
            world.now += timedelta(minutes=5)
            world.tell(severity)
    world.deliver()
    assert len(world.sent.to(TEAM)) == 2


def test_a_finding_that_goes_by_itself_is_not_told(engine: Engine) -> None:
    world = World(engine)
    opened = world.judge()
    with writing(engine) as connection:
        changes = close_of_ended(connection, world.scope_row, [], at(1))
    assert changes == [Change("closed", opened[0].finding_id)]
    world.teller.tell_changes(changes)
    world.teller.tell_changes(opened)  # it was over before anybody could tell it
    assert world.outbox() == []


@pytest.mark.parametrize(("kind", "until", "told"), [("acknowledged", None, 0), ("snoozed", at(1), 0), ("snoozed", at(-1), 2)])
def test_a_finding_that_somebody_has_put_aside_is_not_told(engine: Engine, kind: str, until: datetime | None, told: int) -> None:
    world = World(engine)
    opened = world.judge()
    aside = {"quiet_kind": kind, "quiet_by": "olga", "quiet_at": at(-2), "quiet_until": until, "quiet_reason": "known"}
    with writing(engine) as connection:
        quiet(connection, [opened[0].finding_id], aside)
    world.teller.tell_changes(opened)
    assert len(world.outbox()) == told


def test_what_somebody_put_aside_is_told_when_it_gets_graver(engine: Engine) -> None:
    world = World(engine)
    opened = world.judge("warning")
    aside = {"quiet_kind": "snoozed", "quiet_by": "olga", "quiet_at": NOON, "quiet_until": at(1), "quiet_reason": "known"}
    with writing(engine) as connection:
        quiet(connection, [opened[0].finding_id], aside)
    world.tell("critical")
    assert len(world.outbox()) == 2


def test_a_finding_and_its_message_can_be_kept_in_one_transaction(engine: Engine) -> None:
    world = World(engine)
    changes = world.judge()
    with writing(engine) as connection:
        world.teller.tell_changes(changes, connection)
        connection.rollback()
    assert world.outbox() == []


def test_a_channel_that_is_a_teams_and_on_calls_is_told_once_as_on_call(engine: Engine) -> None:
    world = World(engine, team=[ON_CALL])
    world.tell()
    world.deliver()
    assert [row.audience for row in world.outbox()] == ["on_call"]
    assert len(world.sent) == 1


def test_without_channels_nothing_is_written(engine: Engine) -> None:
    world = World(engine, team=[], on_call=[])
    world.tell()
    world.teller.tell_late([], world.now)
    world.teller.deliver()
    world.teller.close()
    assert world.outbox() == []


def _asked_to_stop(world: World) -> OpenStop:
    with writing(world.engine) as connection:
        audit_id = append(
            connection, Entry(NOON, Person("olga@example.com", "admin", via="cli"), "stop", "arn", "asked", "idles\nsince noon")
        )
        wanted = Claim(
            audit_id, world.scope_row, "training_job", "rc-fraud-0", int(at(-2).timestamp()), "olga@example.com", "rc", nusd(40), None
        )
        claim(connection, wanted, NOON)
        return open_stops(connection)[0]


@pytest.mark.parametrize(("state", "title"), [("stopped", "Stopped: rc-fraud-0 · rc"), ("failed", "Stop failed: rc-fraud-0 · rc")])
def test_a_stop_is_told_when_it_has_come_to_its_end(engine: Engine, state: str, title: str) -> None:
    world = World(engine)
    stop = _asked_to_stop(world)
    with writing(engine) as connection:
        advance(connection, stop.stop_id, state, at(0.1), ended=True)
    for _ in range(2):
        world.teller.tell_stops([stop._replace(state=state)])
        world.deliver(MINUTE)
    assert world.sent.to(TEAM) == world.sent.to(ON_CALL) == [title]
    body = world.sent[0][3]
    assert "olga@example.com asked for it at 20 Nov 2026 12:00 UTC: idles since noon" in body
    assert ("at most: $40.00" in body) is (state == "stopped")


def test_each_step_of_a_policy_is_told_once(engine: Engine) -> None:
    world = World(engine)
    finding_id = world.judge()[0].finding_id
    with reading(engine) as connection:
        row = findings_by_id(connection, [finding_id])[finding_id]
    policy = PolicySettings(name="night", rules=["idle_gpu"], dry_run=False)
    for _ in range(2):
        world.teller.tell_policy("warned", policy, row)
        world.teller.tell_policy("warned_again", policy, row)
        world.teller.tell_policy("stopped", policy.model_copy(update={"dry_run": True}), row)
    world.deliver()
    assert [title.split(":")[0] for title in world.sent.to(TEAM)] == ["First warning", "Last warning", "Dry run, would have stopped"]
    bodies = [body for url, _, _, body in world.sent if url == TEAM]
    assert "Policy night stops this job at 20 Nov 2026 13:00 UTC" in bodies[0]
    assert "Policy night stops this job at 20 Nov 2026 12:30 UTC" in bodies[1]


def _run(world: World, outcome: str, collector: str = "jobs", message: str = "sagemaker:Search is denied") -> None:
    with writing(world.engine) as connection:
        run = start_run(connection, world.scope_row, collector, "test", world.now)
        if outcome != "running":
            finish_run(connection, run, world.now, outcome, message, 0, 1, 0)  # type: ignore[arg-type]
    with reading(world.engine) as connection:
        states = collector_states(connection)
    world.teller.tell_late(states, world.now)
    world.deliver()


def test_a_collector_that_is_late_is_told_to_on_call_once_an_outage_and_its_recovery_once(engine: Engine) -> None:
    world = World(engine)
    for outcome in ("ok", *["failed"] * 8, "ok", "ok", *["failed"] * 8, "ok"):
        _run(world, outcome)
        world.now += 10 * MINUTE
    late, well = "Collector failed: jobs of 123456789012, us-east-1", "Collector well again: jobs of 123456789012, us-east-1"
    assert world.sent.to(ON_CALL) == [late, well, late, well]
    assert world.sent.to(TEAM) == []
    assert world.sent[0][1] == "critical"
    assert "sagemaker:Search is denied" in world.sent[0][3]
    assert "https://watch.example.com/collectors" in world.sent[0][3]


def test_a_collector_that_runs_seldom_is_late_after_three_of_its_intervals(engine: Engine) -> None:
    world = World(engine)
    _run(world, "ok", "prices")
    world.now += 71 * HOUR
    _run(world, "failed", "prices")
    assert world.outbox() == []
    world.now += 2 * HOUR
    _run(world, "failed", "prices")
    assert [(row.severity, row.title[:24]) for row in world.outbox()] == [("warning", "Collector failed: prices")]


def test_a_collector_that_never_went_well_is_late_but_a_first_collection_that_takes_long_is_not(engine: Engine) -> None:
    world = World(engine)
    for outcome in ("failed", "failed", "running"):
        _run(world, outcome)
        world.now += 25 * MINUTE
    assert world.outbox() == []
    _run(world, "failed")
    _run(world, "failed")
    assert len(world.outbox()) == 1
    _run(world, "ok")
    assert [row.title.split(":")[0] for row in world.outbox()] == ["Collector failed", "Collector well again"]


def test_a_scope_that_is_no_longer_watched_is_not_late(engine: Engine) -> None:
    world = World(engine)
    world.settings = world.settings.model_copy(update={"aws": world.settings.aws.model_copy(update={"regions": ["eu-west-1"]})})
    world.teller = type(world.teller)(world.settings, engine, world.clock, world.sent)
    _run(world, "ok")
    world.now += 5 * HOUR
    _run(world, "failed")
    assert world.outbox() == []


def test_handing_over_returns_at_once_and_closing_waits_for_it(engine: Engine) -> None:
    def slowly(*_: str) -> str:
        time.sleep(0.5)
        return ""

    world = World(engine, slowly)
    world.tell()
    begun = time.monotonic()
    for _ in range(20):
        world.teller.deliver()
    assert time.monotonic() - begun < 0.4
    world.teller.close()
    assert all(row.sent_at for row in world.outbox())
    world.teller.deliver()  # after the end it does nothing
