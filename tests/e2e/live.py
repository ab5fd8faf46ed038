"""The demo's account at this moment, collected once, and served: for browser tests that act."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

import demo
from demo.clock import SetClock
from demo.server import Server, start
from demo.workload import workload
from settings import Settings
from storage import migrate
from storage.engine import Engine, open_engine
from tests.e2e.conftest import serve
from worker.schedule import run_once


@dataclass
class Live:
    """A simulated account that was collected, and the dashboard over it."""

    aws: Server
    clock: SetClock
    engine: Engine
    settings: Settings
    url: str

    def status(self, name: str) -> object:
        """What the account says of a job now."""
        entry = next(one for one in self.aws._books.entries() if one.plan.name == name)
        return entry.status(self.clock.now())

    def collect(self) -> None:
        """One pass of all collectors."""
        outcomes = {report.outcome for report in run_once(self.engine, self.settings, None, self.clock.now)}
        assert outcomes <= {"ok", "partial"}, "buckets that keep us out make a partial inventory"


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The demo's account at this moment, collected once, and served."""
    clock = SetClock(datetime.now(UTC).replace(microsecond=0))
    with start(workload(1, 150, clock.now()), clock) as aws:
        for name, value in {
            "AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        url = f"sqlite:///{tmp_path / 'x.db'}"
        settings = Settings.model_validate(tomllib.loads(f'[database]\nurl = "{url}"\n{demo.settings_text()}'))
        engine = open_engine(url)
        migrate.upgrade(engine)
        run_once(engine, settings, None, clock.now)
        for served in serve(tmp_path, url):
            yield Live(aws, clock, engine, settings, served)
        engine.dispose()
