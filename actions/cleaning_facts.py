"""What a decision to clean rests on, read from our books as they are now."""

from datetime import datetime, timedelta

from domain.cleaning import CleanFacts, CleanIndex
from settings import Settings
from storage.engine import Engine, reading
from storage.leftovers import buckets_known, leftovers_found
from storage.references import references_at, references_known
from storage.state import data_version
from storage.views.cleanjobs import clean_jobs, jobs_known_at, scopes_known

_LONGEST_DAYS = 36_500
REREAD_AFTER = timedelta(seconds=20)


def clean_facts(engine: Engine, settings: Settings, now: datetime, days: int) -> CleanFacts:
    """The facts for a least age of so many days, in one consistent read."""
    with reading(engine) as connection:
        leftovers = leftovers_found(connection)
        return CleanFacts(
            leftovers=leftovers,
            jobs=clean_jobs(connection, leftovers, now - timedelta(days=min(days, _LONGEST_DAYS) + 60)),
            references=references_known(connection),
            references_at=references_at(connection),
            jobs_at=jobs_known_at(connection),
            scopes=scopes_known(connection),
            buckets=buckets_known(connection),
            shared_buckets=frozenset(settings.clean.shared_buckets),
            artifact_prefix=settings.conventions.artifact_prefix,
        )


class FreshFacts:
    """Facts that are read again whenever our books have changed, at most every twenty seconds."""

    def __init__(self, engine: Engine, settings: Settings, days: int) -> None:
        self._engine, self._settings, self._days = engine, settings, days
        self._index: CleanIndex | None = None
        self._version = -1
        self._read_at: datetime | None = None

    def at(self, now: datetime) -> CleanIndex:
        """The facts as of now, ordered for being asked."""
        with reading(self._engine) as connection:
            version = data_version(connection)
        is_due = self._read_at is None or (version != self._version and now - self._read_at >= REREAD_AFTER)
        if self._index is None or is_due:
            self._index, self._version, self._read_at = CleanIndex(clean_facts(self._engine, self._settings, now, self._days)), version, now
        return self._index
