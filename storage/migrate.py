"""The database's version: created, brought up to date, or refused untouched when a newer release wrote it."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DatabaseError, OperationalError

import storage.schema_objects
import storage.schema_operations  # noqa: F401 - their tables join the metadata
from storage.engine import DatabaseUnusable, reading, unusable, writing
from storage.schema import metadata


class SchemaNewer(DatabaseUnusable):
    """A newer release of Trainwatch wrote the database."""


def upgrade(engine: Engine) -> str:
    """Creates the tables or brings them up to date; returns the version. Raises SchemaNewer, touching nothing, for a newer one.

    Raises DatabaseUnusable when the database cannot be reached, or holds tables of something else.
    """
    try:
        with writing(engine) as connection:
            config = _config(connection)
            found, newest = _current(connection, config), _newest(config)
            if found != newest:
                if connection.dialect.name == "postgresql":
                    # Two processes that start together must not both create the tables.
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7420001)")
                command.upgrade(config, "head")
        return newest
    except (OperationalError, DatabaseError) as error:
        raise unusable(engine, error) from error


def version(engine: Engine) -> tuple[str | None, str]:
    """The database's version, None for an empty one, and the version this release writes. Raises SchemaNewer."""
    try:
        with reading(engine) as connection:
            config = _config(connection)
            return _current(connection, config), _newest(config)
    except (OperationalError, DatabaseError) as error:
        raise unusable(engine, error) from error


def _current(connection: Connection, config: Config) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaNewer(
            f"the database is of a newer release (schema {found}) than this one (schema {_newest(config)}): nothing was changed; "
            "install the newer release or point [database] url elsewhere"
        )
    if found is None:
        strange = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
        if strange:
            raise DatabaseUnusable(
                f"the database holds a table {strange[0]} that Trainwatch did not make; point [database] url at an empty one"
            )
    return found


def _newest(config: Config) -> str:
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _config(connection: Connection) -> Config:
    config = Config()
    with as_file(files("storage") / "migrations") as folder:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
