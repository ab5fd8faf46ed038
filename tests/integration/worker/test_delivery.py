"""How messages are sent: each once, each channel by itself, and later where it fails."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from threading import Event, Thread, active_count

import pytest
from sqlalchemy import Engine, delete

from storage.engine import reading, writing
from storage.messages import Untold, claim_due, recent_problems, waiting_channels
from storage.schema_operations import messages
from tests.integration.worker.listening import HOUR, MINUTE, Listener, World
from worker.channels import channel_name, send_by_apprise
from worker.delivery import Delivery

TEAM, ON_CALL = "json://team", "json://oncall"


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A web server of the test's own."""
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What a process writes to its log; pytest's own capture also takes what loggers keep to themselves."""
    stream, root = StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def _problems(world: World) -> list[Untold]:
    with reading(world.engine) as connection:
        return recent_problems(connection, world.now - 48 * HOUR)


def _eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def test_apprise_gets_title_body_and_how_grave_it_is(engine: Engine, listener: Listener) -> None:
    world = World(engine, send_by_apprise, team=[listener.url("team")], on_call=[])
    world.put(1)
    world.deliver()
    (_, heard) = listener.heard[0]
    assert (heard["title"], heard["message"], heard["type"]) == ("number 0", "words", "failure")


def test_a_channel_that_fails_is_tried_again_later_and_later_until_it_gets_through(engine: Engine, listener: Listener) -> None:
    world = World(engine, send_by_apprise, team=[listener.url("fail")], on_call=[])
    listener.failures = [500] * 3
    world.put(1)
    for seconds, requests in ((0, 1), (50, 1), (10, 2), (110, 2), (10, 3), (230, 3), (10, 4), (3600, 4)):
        world.deliver(timedelta(seconds=seconds))
        assert listener.requests["/fail"] == requests
        assert bool(_problems(world)) is (requests < 4)
    assert listener.titles("fail") == ["number 0"]
    assert world.outbox()[0].sent_at is not None


def test_a_channel_that_never_works_is_given_up(engine: Engine) -> None:
    world = World(engine, on_call=[])
    world.sent.problem = "JSON: error=410."
    world.put(1)
    for _ in range(30):
        world.deliver(HOUR)
    (problem,) = _problems(world)
    assert (problem.attempts, problem.problem, problem.due_at) == (12, "JSON: error=410.", None)
    assert problem.given_up_at is not None
    assert len(world.sent) == 12


def test_what_is_a_day_old_is_no_news(engine: Engine) -> None:
    world = World(engine, on_call=[])
    world.put(1)
    world.deliver(25 * HOUR)
    assert world.sent == []
    assert "is its channel still in settings?" in _problems(world)[0].problem


def test_what_another_process_has_channels_for_is_left_to_it(engine: Engine) -> None:
    world, other = World(engine, on_call=[]), World(engine, team=["json://elsewhere"], on_call=[])
    world.put(1)
    other.deliver()
    assert other.sent == []
    world.deliver()
    assert world.sent.to(TEAM) == ["number 0"]


def test_no_secret_of_a_url_is_in_the_database_or_in_a_log(engine: Engine, listener: Listener, written: StringIO) -> None:
    secret = "s3cr3t-t0k3n"

    def exploding(url: str, *words: str) -> str:
        if "explode" in url:
            raise RuntimeError(f"cannot send to {url}")
        return send_by_apprise(url, *words)

    team = [
        listener.url(f"fail/{secret}", f"olga:{secret}@"),
        f"json://127.0.0.1:1/{secret}",
        f"explode://{secret}",
        f"nonsense://{secret}",
    ]
    world = World(engine, exploding, team=team, on_call=[])
    listener.failures = [500]
    world.put(1)
    world.deliver()
    assert listener.requests[f"/fail/{secret}"] == 1
    assert len(_problems(world)) == 4
    assert any("error=500" in one.problem for one in _problems(world))
    for text in (written.getvalue(), str(world.outbox()), str(_problems(world))):
        assert channel_name(team[0]) in text
        assert "t0k3n" not in text
        assert "olga" not in text
    assert written.getvalue().count("\n") == 4  # Apprise's own words are not among them


def test_a_channel_that_hangs_holds_up_no_other_and_has_one_message_under_way_at_most(engine: Engine, listener: Listener) -> None:
    world = World(engine, send_by_apprise, 0.4, team=[listener.url("hang?rto=20"), listener.url("one"), listener.url("two")], on_call=[])
    world.put(2)
    before = active_count()
    begun = time.monotonic()
    world.deliver()
    assert time.monotonic() - begun < 5
    assert listener.titles("one") == listener.titles("two") == ["number 0", "number 1"]
    assert [one.problem for one in _problems(world)] == ["no answer within 0.4 s"]
    for _ in range(5):
        world.deliver(5 * MINUTE)
    assert listener.requests["/hang"] == 1
    assert _eventually(lambda: active_count() - before <= 2)  # ours, and the server's
    listener.released.set()
    assert _eventually(lambda: listener.titles("hang") == ["number 0"] and len(_problems(world)) == 0)


def test_what_gets_through_late_is_not_sent_again(engine: Engine) -> None:
    release, calls = Event(), []

    def slowly(*words: str) -> str:
        calls.append(words)
        release.wait(10)
        return ""

    world = World(engine, slowly, 0.2, on_call=[])
    world.put(2)
    world.deliver()
    assert [row.attempts for row in world.outbox()] == [1, 0]
    release.set()
    assert _eventually(lambda: world.outbox()[0].sent_at is not None)
    world.deliver(5 * MINUTE)
    assert [words[2] for words in calls] == ["number 0", "number 1"]


def test_many_hanging_channels_are_waited_for_together(engine: Engine) -> None:
    release = Event()

    def hanging(url: str, *_: str) -> str:
        if "hang" in url:
            release.wait(10)
        return ""

    world = World(engine, hanging, 0.3, team=[f"json://hang{number}" for number in range(12)], on_call=["json://well"])
    world.put(1)
    begun = time.monotonic()
    world.deliver()
    assert time.monotonic() - begun < 4
    assert Counter(row.sent_at is not None for row in world.outbox()) == {False: 12, True: 1}
    release.set()
    assert _eventually(lambda: all(row.sent_at for row in world.outbox()))


def test_two_processes_at_once_send_each_message_once(engine: Engine) -> None:
    world = World(engine, team=[f"json://team{number}" for number in range(4)], digest_over=100)
    world.put(25)
    others = [Delivery(world.settings, engine, world.clock, world.sent) for _ in range(4)]
    threads = [Thread(target=lambda one=one: [one.round() for _ in range(3)]) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(Counter((url, title) for url, _, title, _ in world.sent).values()) == {1: 125}
    assert all(row.sent_at for row in world.outbox())


def test_what_a_process_claimed_that_died_is_sent_by_another(engine: Engine) -> None:
    world = World(engine, on_call=[])
    world.put(1)
    with writing(engine) as connection:
        (channel,) = waiting_channels(connection, world.now)
        assert len(claim_due(connection, channel, world.now)) == 1
    world.deliver(MINUTE)
    assert world.sent == []
    world.deliver(MINUTE)
    assert world.sent.to(TEAM) == ["number 0"]


def test_a_round_that_breaks_is_noted_and_the_next_one_goes_on(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> datetime:
        if not mended:
            raise OSError("no clock")
        return world.now

    mended: list[int] = []
    world = World(engine, on_call=[])
    world.put(1)
    world.teller._delivery._now = broken
    world.teller.deliver()
    assert _eventually(lambda: "could not be delivered" in caplog.text)
    mended.append(1)
    world.teller.deliver()
    world.teller.close()
    assert world.sent.to(TEAM) == ["number 0"]


def test_with_nothing_to_send_a_round_writes_nothing(engine: Engine) -> None:
    world = World(engine)
    with writing(engine) as connection:
        connection.execute(delete(messages))
        done = Thread(target=world.deliver, daemon=True)  # would wait for the writer's lock
        if engine.dialect.name == "sqlite":
            done.start()
            done.join(5)
            assert not done.is_alive()
