"""Keeping the derived tables true: after each batch, after prices, settings or teams changed, and from scratch."""

import hashlib
from collections.abc import Callable, Sequence

import orjson

from derivations.job import Context, derive
from derivations.shipped import shipped_prices
from domain.attribution import Directory, Team
from domain.prices import PriceBook
from domain.vocabulary import Clue, learned_teams
from settings import Settings
from storage.derived import clear_derived, found_clues, jobs_speaking_of, replace_derived
from storage.engine import Connection, Engine, keep_quick, reading, writing
from storage.facts import (
    StoredJob,
    all_scopes,
    clear_pending,
    count_jobs,
    job_ids_after,
    mark_pending,
    pending_jobs,
    price_facts,
    stored_jobs,
)
from storage.state import DATA_VERSION, bump, read_state, write_state

RULES_VERSION = 2  # counts up whenever a formula changes, so that a new release derives everything anew
_CHUNK = 500
_HELD = ("fingerprint", "prices", "teams")

Progress = Callable[[int, int], None]


class Keeper:
    """Derives jobs under the settings; one per run, since it remembers prices and teams between batches."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._conventions, self._learns = settings.naming, not settings.known_teams
        self._context: Context | None = None
        self._derived_from: dict[str, str] = {}

    def refresh(self, progress: Progress = lambda done, total: None) -> None:
        """Derives every job anew, in place, when settings or formulas changed since the tables were last derived."""
        fingerprint = self._fingerprint()
        with reading(self._engine) as connection:
            known = read_state(connection, ["fingerprint"]).get("fingerprint")
            total = count_jobs(connection)
        if known == fingerprint:
            return
        last, done = 0, 0
        while total:
            with writing(self._engine) as connection:
                found = job_ids_after(connection, last, _CHUNK)
                self.derive(connection, stored_jobs(connection, found))
            if not found:
                break
            last, done = found[-1], done + len(found)
            progress(done, total)
        with writing(self._engine) as connection:
            write_state(connection, "fingerprint", fingerprint)

    def derive(self, connection: Connection, changed: Sequence[StoredJob]) -> None:
        """Derives these jobs in the given transaction, and takes their marks off."""
        if not changed:
            return
        context = self._current(connection)
        scopes = all_scopes(connection)
        replace_derived(connection, [derive(stored, scopes[stored.scope_id], context) for stored in changed])
        clear_pending(connection, [stored.job_id for stored in changed])
        bump(connection, DATA_VERSION)

    def finish(self, progress: Progress = lambda done, total: None) -> int:
        """Derives whatever is still marked, after price changes, new teams, or a run that was killed; returns how many."""
        done = 0
        while True:
            with writing(self._engine) as connection:
                marked = pending_jobs(connection, _CHUNK)
                self.derive(connection, stored_jobs(connection, marked))
            done += len(marked)
            if marked:
                progress(done, done)
            if not marked and not self._learn():
                keep_quick(self._engine)
                return done

    def from_scratch(self, progress: Progress) -> int:
        """Empties the derived tables and fills them from the facts, in one transaction; returns the number of jobs."""
        with writing(self._engine) as connection:
            clear_derived(connection)
            write_state(connection, "teams", "[]")
            write_state(connection, "fingerprint", self._fingerprint())
            last, done, total = 0, 0, count_jobs(connection)
            while found := job_ids_after(connection, last, _CHUNK):
                self.derive(connection, stored_jobs(connection, found))
                last, done = found[-1], done + len(found)
                progress(done, total)
            while self._learn_in(connection):
                while marked := pending_jobs(connection, _CHUNK):
                    self.derive(connection, stored_jobs(connection, marked))
        return done

    def _current(self, connection: Connection) -> Context:
        """The context for this transaction: read again only when prices or learned teams changed, and held until it ends."""
        state = read_state(connection, _HELD, hold=True)
        if self._context is None or state != self._derived_from:
            teams = self._settings.known_teams or _teams_from(state.get("teams", "[]"))
            book = PriceBook.of([*shipped_prices(), *price_facts(connection), *self._settings.price_overrides])
            self._context = Context(Directory(teams, self._conventions), book, self._settings.cost_rules, self._learns)
            self._derived_from = state
        return self._context

    def _learn(self) -> bool:
        """Whether the account tells of other teams than before; the jobs that speak of them are then marked."""
        if not self._learns:
            return False
        with writing(self._engine) as connection:
            return self._learn_in(connection)

    def _learn_in(self, connection: Connection) -> bool:
        if not self._learns:
            return False
        # The row is written, and so held, before the jobs are looked up: whoever derives meanwhile waits and sees the new teams.
        before = read_state(connection, ["teams"]).get("teams", "[]")
        teams = learned_teams((Clue(*clue) for clue in found_clues(connection)), self._conventions)
        after = orjson.dumps([[team.id, team.projects] for team in teams]).decode()
        if before == after:
            return False
        write_state(connection, "teams", after)
        known, found = {team.id: team for team in _teams_from(before)}, {team.id: team for team in teams}
        differing = [team for team in known.keys() | found.keys() if known.get(team) != found.get(team)]
        mark_pending(connection, jobs_speaking_of(connection, sorted(differing)))
        return True

    def _fingerprint(self) -> str:
        """What derived rows depend on besides facts, as a short text."""
        parts = (RULES_VERSION, self._settings.known_teams, self._conventions, self._settings.cost_rules)
        prices = (shipped_prices(), self._settings.price_overrides)
        return hashlib.sha256(repr((*parts, *prices)).encode()).hexdigest()[:24]


def _teams_from(text: str) -> tuple[Team, ...]:
    return tuple(Team(name, "", tuple(projects)) for name, projects in orjson.loads(text))


def rederive(engine: Engine, settings: Settings, progress: Progress = lambda done, total: None) -> int:
    """Rebuilds every derived table from the facts, without one AWS call; returns the number of jobs.

    Readers see the old rows until all of the new ones are there.
    """
    return Keeper(engine, settings).from_scratch(progress)
