"""Channels that listen, and findings to tell of, for the tests of messages."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import Engine, select

from derivations.keep import Keeper
from domain.findings.finding import Finding, Severity
from domain.money import nusd
from settings import Settings
from storage.engine import reading, writing
from storage.facts import scope_id, upsert_descriptions
from storage.findings import Change, JudgedJob, Money, record_findings
from storage.messages import NewMessage, enqueue
from storage.schema import training_jobs
from storage.schema_operations import messages
from tests.descriptions import NOON, SCOPE, description
from worker.channels import Channels
from worker.delivery import Delivery
from worker.telling import Teller

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Listener:
    """A web server that takes Apprise's JSON. Paths under /fail answer 500 while there is anything in `failures`; /hang does not answer."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.requests: Counter[str] = Counter()
        self.failures: list[int] = []
        self.released, self._lock = Event(), Lock()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = listener.answer(self.path, message)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def answer(self, path: str, message: dict[str, Any]) -> int:
        """The status that a message is answered with."""
        with self._lock:
            self.requests[path] += 1
        if path.startswith("/hang"):
            self.released.wait(30)
        with self._lock:
            if path.startswith("/fail") and self.failures:
                return self.failures.pop()
            self.heard.append((path, message))
        return 200

    def url(self, path: str, user: str = "") -> str:
        """The Apprise URL of a channel here."""
        return f"json://{user}127.0.0.1:{self._server.server_port}/{path}"

    def titles(self, path: str) -> list[str]:
        """What a channel was told, in order."""
        return [message["title"] for at, message in self.heard if at == f"/{path}"]

    def close(self) -> None:
        """Ends it, hanging requests too."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class Sent(list[tuple[str, str, str, str]]):
    """A channel for everything: keeps what it is given; `problem` is what it says of each."""

    problem = ""

    def __call__(self, url: str, severity: str, title: str, body: str) -> str:
        self.append((url, severity, title, body))
        return self.problem

    def to(self, url: str) -> list[str]:
        """The titles of what went to a URL."""
        return [title for at, _, title, _ in self if at == url]


class World:
    """Books with some jobs of team rc, a clock at noon of 20 November 2026, and whoever tells."""

    def __init__(self, engine: Engine, send: Any = None, send_seconds: float = 10, jobs: int = 1, **notify: Any) -> None:
        team = {"id": "rc", "notify": notify.pop("team", ["json://team"])}
        sections = {"teams": [team], "notify": {"on_call": ["json://oncall"], "base_url": "https://watch.example.com/"} | notify}
        self.engine, self.now = engine, NOON
        self.settings = Settings.model_validate(sections)
        self.sent = Sent()
        self.teller = Teller(self.settings, engine, self.clock, send or self.sent, send_seconds)
        self.delivery = Delivery(self.settings, engine, self.clock, send or self.sent, send_seconds)
        keeper = Keeper(engine, self.settings)
        keeper.refresh()
        with writing(engine) as connection:
            self.scope_row = scope_id(connection, SCOPE)
            made = [description(f"rc-fraud-{number}", created=-2, ran=None, tags={"Team": "rc"}) for number in range(jobs)]
            keeper.derive(connection, upsert_descriptions(connection, SCOPE, self.scope_row, made, self.now).changed)
        keeper.finish()

    def clock(self) -> datetime:
        """The present."""
        return self.now

    def judge(self, severity: Severity = "critical", rule: str = "idle_gpu", jobs: int = 1, **facts: Any) -> list[Change]:
        """A finding on each of the first jobs, as a judgement records it now."""
        given = {"since": self.now - HOUR, "evidence": "all GPUs under 5 %", "advice": "stop it", "wasted_nusd": nusd("30.2")} | facts
        with reading(self.engine) as connection:
            ids = list(connection.scalars(select(training_jobs.c.id).order_by(training_jobs.c.id)))[:jobs]
        found = [Finding(rule, severity, **given)]
        judged = [JudgedJob(one, "rc", found, [], Money(nusd(100), nusd(one), nusd(900)), self.now) for one in ids]
        with writing(self.engine) as connection:
            return record_findings(connection, self.scope_row, judged, self.now)

    def tell(self, severity: Severity = "critical", **facts: Any) -> None:
        """Judges, and tells what changed."""
        self.teller.tell_changes(self.judge(severity, **facts))

    def put(self, count: int, urls: Sequence[str] = (), severity: str = "critical") -> None:
        """Messages to be sent, whatever they are about."""
        channels = Channels(self.settings).reaching("rc")
        rows = [
            NewMessage(f"stop:{number}:stopped:{severity}", audience, channel, severity, f"number {number}", "words")
            for number in range(count)
            for channel, audience in channels.items()
            if not urls or Channels(self.settings).url(channel) in urls
        ]
        with writing(self.engine) as connection:
            enqueue(connection, rows, self.now)

    def deliver(self, after: timedelta = timedelta(0)) -> None:
        """One round of sending, some time later."""
        self.now += after
        self.delivery.round()

    def outbox(self) -> list[Any]:
        """All messages, oldest first."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(messages).order_by(messages.c.id)))


def utc(text: str) -> datetime:
    """An instant of an ISO text without a zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
