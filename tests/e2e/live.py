"""The demo's account at this moment, collected once, and served: for browser tests that act."""

import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import demo
from demo.clock import SetClock
from demo.server import Server, start
from demo.workload import workload
from settings import Settings
from storage.engine import Engine, open_engine
from tests.databases import migrated
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


JOBS = 150


def _credentials(aws: Server) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _settings(url: str) -> Settings:
    return Settings.model_validate(tomllib.loads(f'[database]\nurl = "{url}"\n{demo.settings_text()}'))


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A database of the demo's account as it was collected at a moment: every test has a copy of it, and an account as it was then."""
    path = tmp_path_factory.mktemp("collected") / "x.db"
    clock = SetClock(datetime.now(UTC).replace(microsecond=0))
    engine = migrated(f"sqlite:///{path}")
    with start(workload(1, JOBS, clock.now()), clock) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in _credentials(aws).items():
            patch.setenv(name, value)
        run_once(engine, _settings(f"sqlite:///{path}"), None, clock.now)
    engine.dispose()
    return path, clock.now()


@pytest.fixture
def live(collected: tuple[Path, datetime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The demo's account, collected at a moment not long ago, and served."""
    path, moment = collected
    shutil.copy(path, tmp_path / "x.db")
    clock, url = SetClock(moment), f"sqlite:///{tmp_path / 'x.db'}"
    with start(workload(1, JOBS, moment), clock) as aws:
        for name, value in _credentials(aws).items():
            monkeypatch.setenv(name, value)
        engine = open_engine(url)
        for served in serve(tmp_path, url):
            clock.advance(max(timedelta(0), datetime.now(UTC) - clock.now()))
            yield Live(aws, clock, engine, _settings(url), served)
        engine.dispose()
