"""Databases for tests: one is migrated in each process, the others are copies of it, which takes two milliseconds instead of seventy."""

import atexit
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from storage import migrate
from storage.engine import open_engine

# A server of tests may forget everything when the machine fails.
_HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_TEMPLATE = "trainwatch_template"


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="trainwatch-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = open_engine(f"sqlite:///{folder / 'empty.db'}")
    migrate.upgrade(engine)
    engine.dispose()
    return folder / "empty.db"


def migrated(url: str) -> Engine:
    """An engine on a database with our tables. A SQLite file that is not there yet is a copy of the one migrated before."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_template(), parsed.database)
        return open_engine(url)
    engine = open_engine(url)
    migrate.upgrade(engine)
    return engine


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A server of this test process's own, and a migrated database on it that others are copied from."""

    url: str

    @classmethod
    def prepared(cls, url: str) -> "PostgreSQL":
        """The server at a URL, made hasty and given its template."""
        server = cls(url)
        server._run(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in _HASTY.items()), "SELECT pg_reload_conf()")
        server._run(f"CREATE DATABASE {_TEMPLATE}")
        engine = migrated(server.named(_TEMPLATE))
        engine.dispose()
        return server

    def named(self, name: str) -> str:
        """The URL of a database on it."""
        return self.url.replace("/postgres?", f"/{name}?")

    def create(self, *, empty: bool = False) -> str:
        """The URL of a new database: a copy of the template, or one without any table."""
        name = f"t{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name}" if empty else f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.named(name)

    def drop(self, url: str) -> None:
        """Drops a database, whoever is still connected."""
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _run(self, *statements: str) -> None:
        admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        admin.dispose()
