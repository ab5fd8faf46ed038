"""Twice is once: plans, threads, processes and kills, and a database that fails in between."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from actions.stopping import StopResult
from aws.session import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS
from domain.access import Person
from storage.engine import writing
from storage.schema_operations import stops
from storage.stops import CLAIM_HOLDS, Claim, OpenStop, advance, claim
from tests.integration.actions.conftest import (
    ADMIN,
    NAME,
    Desk,
    Sit,
    running,
)
from tests.integration.collectors.watching import HOUR, NOW

ROOT = Path(__file__).parents[3]
SECOND = timedelta(seconds=1)


# Once


def test_the_same_plan_twice_asks_aws_once(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made = desk.plan()
    first, second = desk.execute(made)[0], desk.execute(replace(made, person=ADMIN))[0]
    assert (first.outcome, second.outcome) == ("stopping", "already_stopping")
    assert second.words == "olga@example.com asked at 12:00 UTC already, and it is stopping"
    assert desk.asked() == 1
    assert desk.events() == ["asked", f"joined: {second.words}"]
    desk.clock.advance(HOUR)
    assert desk.execute(made)[0].outcome == "already_ended"
    assert desk.asked() == 1


def test_a_stop_that_takes_long_stays_that_of_whoever_asked_first(sit: Sit, engine: Engine) -> None:
    desk = sit([running(stop_takes_seconds=36_000)], engine)
    desk.stop()
    desk.clock.advance(5 * HOUR)
    result = desk.stop(person=ADMIN)
    assert result.outcome == "already_stopping"
    assert result.words == "olga@example.com asked at 12:00 UTC already, and it is stopping"
    assert [one.by for one in desk.open_stops()] == ["olga@example.com"]
    assert desk.asked() == 1


def _at_once(*acts: Callable[[], StopResult]) -> list[StopResult]:
    """Threads that begin together."""
    barrier, found = Barrier(len(acts)), dict[int, StopResult]()

    def run(number: int, act: Callable[[], StopResult]) -> None:
        barrier.wait()
        found[number] = act()

    threads = [Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[number] for number in range(len(acts))]


def test_of_threads_at_once_one_asks_aws_and_the_others_are_told_who_did(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.slow("StopTrainingJob", 0.3)
    plans = [desk.plan(person=Person(f"person-{number}", "admin")) for number in range(4)]
    results = _at_once(*(lambda made=made: desk.execute(made)[0] for made in plans))  # type: ignore[misc] # bound early
    assert desk.asked() == 1
    assert sorted(result.outcome for result in results) == ["already_stopping"] * 3 + ["stopping"]
    winner = next(made.person.name for made, result in zip(plans, results, strict=True) if result.outcome == "stopping")
    assert all(result.words.startswith(f"{winner} asked at 12:00 UTC") for result in results if result.outcome == "already_stopping")
    assert len(desk.audit()) == 4
    assert len(desk.open_stops()) == 1


ONE_STOP = """
import json, os, signal, sys, time
from datetime import UTC, datetime
import actions.stopping
from actions.reach import Reach
from domain.access import Person
from domain.stopping import StopLimits, plan_stop
from settings import Settings
from storage.engine import open_engine, reading
from storage.views.targets import job_targets

url, name, who, how = sys.argv[1:]
now = lambda: datetime(2026, 11, 20, 12, tzinfo=UTC)
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if how == "dies before asking":
    actions.stopping.ask_to_stop = die
if how == "dies after asking":
    actions.stopping._Stop._over = die
engine = open_engine(url)
with reading(engine) as connection:
    targets = job_targets(connection, name)
plan = plan_stop(targets, Person(who, "admin", via="shell"), "why not", StopLimits(10, 15), now())
reach = Reach(Settings())
reach.of(targets[0].account, targets[0].region).caller()
print("ready", flush=True)
sys.stdin.readline()
result = actions.stopping.execute(plan, engine, reach, now)[0]
print(json.dumps([result.outcome, result.words]), flush=True)
"""


def another_process(desk: Desk, who: str, how: str = "") -> "subprocess.Popen[str]":
    """A process that is about to stop NAME, and does once it is told to."""
    url = desk.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", ONE_STOP, url, NAME, who, how],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_of_processes_at_once_one_asks_aws_and_the_other_is_told_who_did(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.slow("StopTrainingJob", 0.5)
    processes = [another_process(desk, who) for who in ("ann", "bob", "cat")]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert desk.asked() == 1
    assert sorted(outcome for outcome, _ in said) == ["already_stopping", "already_stopping", "stopping"]
    winner = ("ann", "bob", "cat")[[outcome for outcome, _ in said].index("stopping")]
    assert all(words.startswith(f"{winner} asked at") for outcome, words in said if outcome == "already_stopping")


def killed(desk: Desk, how: str) -> None:
    """A process that stops NAME and is killed in the middle of it."""
    process = another_process(desk, "mallory", how)
    process.communicate("\n", timeout=60)
    assert process.returncode == -9


def test_a_claim_whose_process_was_killed_is_taken_over_once_it_no_longer_holds(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    killed(desk, "dies before asking")
    assert desk.asked() == 0
    assert desk.events() == ["asked"]
    desk.clock.advance(CLAIM_HOLDS)
    held = desk.stop()
    assert (held.outcome, desk.asked()) == ("already_stopping", 0)
    assert held.words.startswith("mallory asked at 12:00 UTC already")
    desk.clock.advance(SECOND)
    taken = desk.stop()
    assert (taken.outcome, desk.asked(), desk.status()) == ("stopping", 1, "Stopping")
    newest, _, abandoned = desk.audit()
    assert (newest.by, newest.outcome) == ("olga@example.com", "stopping: AWS was asked and stops it")
    assert abandoned.by == "mallory"
    assert abandoned.outcome.endswith(f"taken over by entry {newest.audit_id}")
    assert [one.by for one in desk.open_stops()] == ["olga@example.com"]


def test_a_claim_holds_longer_than_all_tries_of_a_request_that_nobody_answers() -> None:
    waits = sum(min(2**number, 20) for number in range(ATTEMPTS - 1))  # Source: botocore, exponential backoff of up to 20 s
    assert timedelta(seconds=ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + waits) < CLAIM_HOLDS


def test_a_stop_that_has_ended_gives_the_right_to_ask_to_whoever_asks_next(engine: Engine, sit: Sit) -> None:
    desk = sit(engine=engine)
    desk.aws.faults.deny("StopTrainingJob")
    audit_id = desk.stop().audit_id
    wanted = Claim(audit_id, 1, "training_job", NAME, int(desk.target().created_at.timestamp()), "x", "rc", None, None)
    with writing(engine) as connection:
        granted = claim(connection, wanted, NOW)
        assert not isinstance(granted, OpenStop)
        assert isinstance(claim(connection, wanted, NOW), OpenStop)
        advance(connection, granted.stop_id, "failed", NOW, ended=True)
        assert not isinstance(claim(connection, wanted, NOW), OpenStop)
    assert len(desk.account.rows(select(stops))) == 3


# A database that fails


@contextmanager
def _away(engine: Engine, table: str) -> Iterator[None]:
    """Without a table, as a database that cannot be written."""
    _run(engine, f"ALTER TABLE {table} RENAME TO {table}_away")
    yield
    _run(engine, f"ALTER TABLE {table}_away RENAME TO {table}")


def _run(engine: Engine, statement: str) -> None:
    with writing(engine) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("table", ["audit", "stops"])
def test_a_database_that_cannot_be_written_leaves_aws_unasked(table: str, sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made, before = desk.plan(), desk.statuses()
    with _away(engine, table), pytest.raises(DBAPIError):
        desk.execute(made)
    assert desk.asked() == 0
    assert desk.statuses() == before
    assert desk.audit() == []
    assert desk.execute(made)[0].outcome == "stopping"


def test_a_database_that_is_lost_after_aws_was_asked_keeps_who_asked(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made = desk.plan()
    desk.before("StopTrainingJob", lambda _: _run(engine, "ALTER TABLE stops RENAME TO stops_away"))
    with pytest.raises(DBAPIError):
        desk.execute(made)
    _run(engine, "ALTER TABLE stops_away RENAME TO stops")
    assert (desk.status(), desk.asked()) == ("Stopping", 1)
    assert desk.events() == ["asked"]
    desk.clock.advance(HOUR)
    desk.collect()
    desk.follow()
    assert desk.events() == ["asked", "stopped: it is Stopped"]
