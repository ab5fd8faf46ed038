"""What all commands share: settings, database, forms of output, exit codes.

Exit codes: 0 done · 1 failed, one line on stderr says why and what to do · 2 wrong usage · 3 refused.
"""

import getpass
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

import settings as settings_module
from domain.access import Person
from domain.text import visible
from reports.output import as_csv, as_json
from settings import Settings, SettingsError
from storage import migrate
from storage.engine import DatabaseUnusable, Engine, open_engine
from storage.views.collection import has_jobs

FORMATS = click.Choice(["table", "json", "csv"])
DAY = click.DateTime(["%Y-%m-%d"])


def say(text: str = "", *, nl: bool = True, file: Any = None) -> None:
    """On stderr, with whatever a terminal would obey shown as a box: names and errors come from AWS."""
    click.echo(visible(text, keep="\n\t\r"), nl=nl, err=True, file=file)


def confirm(question: str) -> bool:
    """A question on stderr that only a yes answers."""
    return click.confirm(visible(question), err=True)


class Failed(click.ClickException):
    """What ends a command with exit code 1 and one line."""

    def show(self, file: Any = None) -> None:
        """One line on stderr."""
        say(f"trainwatch: {self.message}", file=file)


class WrongSettings(Failed):
    """Settings that cannot be used: wrong usage, exit code 2."""

    exit_code = 2


class RefusedToAct(Failed):
    """Not allowed, not confirmed, or the plan no longer holds: exit code 3."""

    exit_code = 3


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format table|json|csv`, on every command that reads."""
    return click.option("--format", "form", type=FORMATS, default="table", show_default=True)(command)


def settings_of(context: click.Context) -> Settings:
    """The settings that the command was given, or found."""
    try:
        return settings_module.load(context.find_root().obj)
    except SettingsError as error:
        raise WrongSettings(str(error)) from error


def whoever() -> Person:
    """Whoever runs the command, by the operating system's name: an admin, since the AWS credentials at hand are theirs.

    A container may run under a number that has no name.
    """
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Person(name, "admin", via="shell")


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """The database, brought up to date."""
    try:
        engine = open_engine(settings.database.url)
        try:
            migrate.upgrade(engine)
            yield engine
        finally:
            engine.dispose()
    except DatabaseUnusable as error:
        raise Failed(str(error)) from error


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def say_if_empty(connection: Any) -> None:
    """On stderr, that there is nothing in the books yet and what to do."""
    if not has_jobs(connection):
        say("no jobs are in the books yet; `trainwatch collect --once` asks AWS for them")


def show(whole: Any, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: str) -> None:
    """JSON as a whole, or CSV by the columns."""
    click.echo(as_json(whole) if form == "json" else as_csv(rows, columns), nl=form == "json")
