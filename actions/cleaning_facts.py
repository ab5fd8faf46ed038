"""What a decision to clean rests on: our books as they are now, and what AWS knows that they do not know yet."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actions.reach import Reach
from aws.errors import AwsError, translated
from aws.session import Clients
from collectors.describing import describe
from collectors.models import collect_models
from collectors.s3 import bucket_seen
from domain.cleaning import CleanFacts, CleanIndex, CleanJob
from domain.leftovers import Bucket, Versioning
from domain.s3 import Location
from domain.training_job import Unreadable
from settings import Settings
from storage.engine import Engine, reading
from storage.leftovers import buckets_known, leftovers_found
from storage.references import THAT_IS_ALL, ReferenceRow, places_of, references_at, references_known
from storage.state import data_version
from storage.views.cleanjobs import clean_job_from, clean_jobs, jobs_known_at, scopes_known

_LONGEST_DAYS = 36_500
REREAD_AFTER = timedelta(seconds=20)
AT_MOST_A_FIFTH = 5  # of the time is spent on reading the books again, which takes a minute with a million jobs
LOOKED_EVERY = timedelta(minutes=10)
OVERLAP = timedelta(minutes=15)  # so late may a job come to be listed

Places = Mapping[str, tuple[str, str]]
"""Buckets by name, with the account and region through which each is reached."""


class NotSure(AwsError):
    """AWS could not be looked at, so that nobody knows what has come to be in use: nothing goes until it can."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at AWS has seen: jobs created since the books were last whole, every place that models refer to now, and buckets."""

    jobs: Sequence[CleanJob]
    references: dict[Location, str]
    buckets: dict[str, Bucket]


def clean_facts(engine: Engine, settings: Settings, now: datetime, days: int) -> CleanFacts:
    """The facts for a least age of so many days, in one consistent read of the books."""
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


def look(facts: CleanFacts, reach: Reach, now: datetime, buckets: Places) -> Seen:
    """Looks at every account and region of the facts, since any may use what lies in any bucket; and at these buckets. Raises NotSure.

    What the books know already and does not change, such as the places of jobs that have ended, is not asked for again.
    """
    jobs: list[CleanJob] = []
    references: dict[Location, str] = {}
    for account, region in facts.scopes:
        known_at = facts.jobs_at.get((account, region))
        if known_at is None:
            continue  # without its jobs nothing goes anyway
        try:
            clients = reach.reading(account, region)
            jobs += _created_since(clients, known_at - OVERLAP, now)
            references |= _referred_to(clients, now)
        except AwsError as error:
            raise NotSure(f"what is in use by now could not be looked at: {error}") from error
    return Seen(jobs, references, {name: _bucket(reach, *where, name, now) for name, where in sorted(buckets.items())})


def _bucket(reach: Reach, account: str, region: str, name: str, now: datetime) -> Bucket:
    """A bucket as it is now: whether it keeps versions and locks objects may have been changed since the last inventory."""
    try:
        seen = bucket_seen(reach.reading(account, region), name, now)
    except AwsError as error:
        raise NotSure(f"bucket {name} could not be looked at: {error}") from error
    if seen.standing == "failed":
        raise NotSure(f"bucket {name} could not be looked at: {seen.row.problem}")
    row = seen.row
    return Bucket(name, account, row.region, row.versioning, row.object_lock, row.encrypted, row.problem, now)


def _created_since(clients: Clients, since: datetime, now: datetime) -> Iterator[CleanJob]:
    """Jobs created since an instant. Source: ListTrainingJobs, DescribeTrainingJob."""
    with translated(clients.where):
        pages = clients.sagemaker.get_paginator("list_training_jobs").paginate(CreationTimeAfter=since)
        names = [str(one["TrainingJobName"]) for page in pages for one in page["TrainingJobSummaries"]]
    for name in names:
        description = describe(clients, name)
        try:
            if description is not None:
                yield clean_job_from(description, clients.target.scope, now)
        except Unreadable as error:
            raise NotSure(f"training job {name} cannot be understood: {error}") from error


def _referred_to(clients: Clients, now: datetime) -> dict[Location, str]:
    """Every place that models, endpoints and model packages refer to. Raises NotSure where that is not all."""
    rows, problems = list[ReferenceRow](), list[str]()
    for batch in collect_models(clients, lambda: now):
        rows += batch.references
        problems += batch.problems
    if problems or THAT_IS_ALL not in rows:
        raise NotSure(f"not all that models refer to could be seen: {'; '.join(problems[:3])}")
    return places_of(row for row in rows if row != THAT_IS_ALL)


class FreshFacts:
    """Facts that are read again whenever our books have changed, every twenty seconds or less often, with looks at AWS in between.

    `buckets` are those that are cleaned, with the account and region through which each is reached.
    """

    def __init__(self, engine: Engine, settings: Settings, reach: Reach, days: int, buckets: Places) -> None:
        self._engine, self._settings, self._reach, self._days, self._buckets = engine, settings, reach, days, buckets
        self._index: CleanIndex | None = None
        self._version = -1
        self._read_at: datetime | None = None
        self._took = timedelta(0)
        self._seen = Seen((), {}, {})
        self._looked_at: datetime | None = None

    def at(self, now: datetime) -> CleanIndex:
        """The facts as of now, ordered for being asked. Raises NotSure."""
        with reading(self._engine) as connection:
            version = data_version(connection)
        is_due = self._read_at is None or (
            version != self._version and now - self._read_at >= max(REREAD_AFTER, AT_MOST_A_FIFTH * self._took)
        )
        must_look = self._looked_at is None or now - self._looked_at >= LOOKED_EVERY
        if self._index is None or is_due or must_look:
            begun = time.monotonic()
            facts = clean_facts(self._engine, self._settings, now, self._days)
            self._took = timedelta(seconds=time.monotonic() - begun)
            if must_look:
                self._seen, self._looked_at = look(facts, self._reach, now, self._buckets), now
            self._index, self._version, self._read_at = CleanIndex(_with(facts, self._seen)), version, now
        return self._index

    def versioning_of(self, bucket: str) -> Versioning:
        """Whether one of the buckets keeps versions, as it was last seen."""
        seen = self._seen.buckets.get(bucket)
        return seen.versioning if seen is not None else "unknown"


def _with(facts: CleanFacts, seen: Seen) -> CleanFacts:
    """The facts and what was seen beside them; of a job that is in both, what was seen."""
    identities = {job.identity for job in seen.jobs}
    jobs = [*seen.jobs, *(job for job in facts.jobs if job.identity not in identities)]
    return replace(facts, jobs=jobs, references={**facts.references, **seen.references}, buckets={**facts.buckets, **seen.buckets})
