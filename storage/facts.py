"""Writers of facts: what AWS said, and when. None of them commits; whoever began the transaction does."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, bindparam, func, or_, select, update

from domain.arns import training_job_arn
from domain.instants import to_millis
from domain.masking import masked
from domain.prices import ML_STORAGE, Price
from domain.scope import Scope
from domain.text import storable
from domain.training_job import TrainingJob, Unreadable, training_job_from
from storage import descriptions as packed_descriptions
from storage.schema import jobs, pending_derivations, prices, scopes, training_jobs
from storage.state import bump, dialect_insert


class StoredJob(NamedTuple):
    """A job with the id of its row: what derivations start from. `gone_at` is when AWS no longer knew a job that lived."""

    job_id: int
    scope_id: int
    job: TrainingJob
    observed_at: datetime
    gone_at: datetime | None = None


class Upserted(NamedTuple):
    """What became of a batch: the jobs whose facts changed, how many came, and the records that could not be read, in words."""

    changed: list[StoredJob]
    seen: int
    unreadable: list[str]


class WatchedJob(NamedTuple):
    """A job whose facts may still change, to be described again."""

    job_id: int
    name: str
    created_second: int
    description: Mapping[str, Any]


class _Incoming(NamedTuple):
    job: TrainingJob
    created_second: int
    digest: int
    description: bytes

    @property
    def key(self) -> tuple[str, int]:
        return storable(self.job.name, 256), self.created_second


def scope_id(connection: Connection, scope: Scope) -> int:
    """The id of a scope's row, made on first sight and renamed when its name changed."""
    insert: Insert = dialect_insert(connection, scopes).values(account=scope.account, region=scope.region, name=scope.name)
    upsert = insert.on_conflict_do_update(index_elements=["account", "region"], set_={"name": scope.name})  # type: ignore[attr-defined]
    return int(connection.execute(upsert.returning(scopes.c.id)).scalar_one())


def upsert_descriptions(
    connection: Connection, scope: Scope, scope_row: int, found: Sequence[Mapping[str, Any]], observed_at: datetime
) -> Upserted:
    """Keeps a batch of job descriptions: masked, compressed, and marked for derivation where they changed.

    A description like the stored one only moves `observed_at`; one that is older than the stored one (the search index
    lags) changes nothing. The same batch twice is the same as once.
    """
    incoming, unreadable = _read(found)
    known = _known(connection, scope_row, [key[0] for key in incoming])
    changed_keys, seen_again = [], []
    for key, item in incoming.items():
        row = known.get(key)
        if row is None or (row.digest != item.digest and not _is_older(item.job, row.last_modified_at)):
            changed_keys.append(key)
        else:
            seen_again.append(row.id)
    ids = _write(connection, scope, scope_row, [incoming[key] for key in changed_keys], observed_at)
    if seen_again:
        connection.execute(
            update(training_jobs).where(training_jobs.c.id.in_(seen_again), training_jobs.c.watched).values(observed_at=observed_at)
        )
    changed = [StoredJob(ids[key], scope_row, incoming[key].job, observed_at) for key in changed_keys]
    mark_pending(connection, [stored.job_id for stored in changed])
    return Upserted(changed, len(incoming), unreadable)


def _read(found: Iterable[Mapping[str, Any]]) -> tuple[dict[tuple[str, int], _Incoming], list[str]]:
    incoming: dict[tuple[str, int], _Incoming] = {}
    unreadable = []
    for raw in found:
        description = masked(raw)
        try:
            job = training_job_from(description)
        except Unreadable as error:
            unreadable.append(f"{error}: {storable(str(raw), 200)}")
            continue
        as_json = packed_descriptions.to_json(description)
        assert job.created_at is not None  # noqa: S101 - `training_job_from` always finds a creation time
        item = _Incoming(job, to_millis(job.created_at) // 1000, packed_descriptions.digest(description, as_json), as_json)
        incoming[item.key] = item
    return incoming, unreadable


def _known(connection: Connection, scope_row: int, names: Sequence[str]) -> dict[tuple[str, int], Any]:
    table = training_jobs.c
    rows = connection.execute(
        select(table.id, table.name, table.created_second, table.digest, table.last_modified_at, table.watched).where(
            table.scope_id == scope_row, table.name.in_(names)
        )
    )
    return {(row.name, row.created_second): row for row in rows}


def known_description(connection: Connection, scope_row: int, name: str, created_second: int) -> bytes | None:
    """A job's description as it is stored; None where there is no such job."""
    table = training_jobs.c
    where = (table.scope_id == scope_row, table.name == name, table.created_second == created_second)
    found: bytes | None = connection.scalar(select(table.description).where(*where))
    return found


def _is_older(job: TrainingJob, stored: datetime | None) -> bool:
    """Whether a description is from before the stored one, to the second, since Search cuts fractions off."""
    if stored is None or job.last_modified_at is None:
        return False
    return int(job.last_modified_at.timestamp()) < int(stored.timestamp())


def _write(
    connection: Connection, scope: Scope, scope_row: int, items: Sequence[_Incoming], observed_at: datetime
) -> dict[tuple[str, int], int]:
    if not items:
        return {}
    rows = [
        {
            "scope_id": scope_row,
            "name": item.key[0],
            "created_second": item.created_second,
            "arn": None if item.job.arn in (None, training_job_arn(scope, item.job.name)) else storable(item.job.arn or ""),
            "last_modified_at": item.job.last_modified_at,
            "observed_at": observed_at,
            "gone_at": None,
            "watched": item.job.is_watched,
            "digest": item.digest,
            "description": packed_descriptions.pack(item.description),
        }
        for item in items
    ]
    insert = dialect_insert(connection, training_jobs)
    kept = ("arn", "last_modified_at", "observed_at", "gone_at", "watched", "digest", "description")
    upsert = insert.on_conflict_do_update(
        index_elements=["scope_id", "name", "created_second"], set_={name: insert.excluded[name] for name in kept}
    )
    table = training_jobs.c
    returned = connection.execute(upsert.returning(table.id, table.name, table.created_second), rows)
    return {(row.name, row.created_second): row.id for row in returned}


def mark_pending(connection: Connection, job_ids: Sequence[int]) -> None:
    """Marks jobs whose derived rows must be made anew."""
    if job_ids:
        insert = dialect_insert(connection, pending_derivations)
        connection.execute(insert.on_conflict_do_nothing(), [{"job_id": job_id} for job_id in job_ids])


def watched_jobs(connection: Connection, scope_row: int) -> list[WatchedJob]:
    """The scope's jobs that live, or whose warm pool still bills, oldest first."""
    table = training_jobs.c
    rows = connection.execute(
        select(table.id, table.name, table.created_second, table.description)
        .where(table.scope_id == scope_row, table.watched)
        .order_by(table.created_second)
    )
    return [WatchedJob(row.id, row.name, row.created_second, packed_descriptions.unpack(row.description)) for row in rows]


def watched_ids(connection: Connection, scope_row: int) -> list[int]:
    """The rows of the scope's jobs that live, or whose warm pool still bills."""
    table = training_jobs.c
    return list(connection.scalars(select(table.id).where(table.scope_id == scope_row, table.watched)))


def known_modifications(connection: Connection, scope_row: int, names: Sequence[str]) -> dict[tuple[str, int], datetime | None]:
    """When AWS last modified the jobs of these names that we have, by name and creation second."""
    return {key: row.last_modified_at for key, row in _known(connection, scope_row, names).items()}


def mark_gone(connection: Connection, job_id: int, at: datetime) -> None:
    """Notes that AWS no longer knows a job. It stays in our books and is not looked at again."""
    connection.execute(update(training_jobs).where(training_jobs.c.id == job_id).values(gone_at=at, watched=False))
    mark_pending(connection, [job_id])


def record_prices(connection: Connection, found: Sequence[Price], seen_at: datetime) -> list[Price]:
    """Keeps the Price List rates that are new; returns those. A rate, once kept, is never rewritten.

    A rate that differs from the newest we have counts from its own effective date, or from now where that date is not
    after the one it replaces.
    """
    newest = _newest_rates(connection)
    fresh = []
    for price in found:
        known = newest.get((price.region, price.instance_type))
        if known is None:
            fresh.append(price)
        elif known[1] != price.rate_nusd:
            fresh.append(price if price.effective_at > known[0] else price._replace(effective_at=seen_at))
    if fresh:
        insert = dialect_insert(connection, prices)
        bump(connection, "prices")
        connection.execute(
            insert.on_conflict_do_nothing(),
            [
                {
                    "region": price.region,
                    "instance_type": price.instance_type,
                    "effective_at": price.effective_at,
                    "rate_nusd": price.rate_nusd,
                    "seen_at": seen_at,
                }
                for price in fresh
            ],
        )
        for price in fresh:
            _mark_priced_by(connection, price, first=(price.region, price.instance_type) not in newest)
    return fresh


def _mark_priced_by(connection: Connection, price: Price, *, first: bool) -> None:
    """Marks the jobs whose cost a new rate may change: all of its type for a first rate, else those it was in force for."""
    table = jobs.c
    statement = select(table.id).join(scopes, scopes.c.id == table.scope_id).where(scopes.c.region == price.region)
    if price.instance_type != ML_STORAGE:
        statement = statement.where(table.instances.contains(f'"{price.instance_type}"', autoescape=True))
    if not first:
        statement = statement.where(or_(table.is_live, table.started_at >= price.effective_at))
    mark_pending(connection, list(connection.scalars(statement)))


def _newest_rates(connection: Connection) -> dict[tuple[str, str], tuple[datetime, int]]:
    rows = connection.execute(select(prices).order_by(prices.c.effective_at))
    return {(row.region, row.instance_type): (row.effective_at, row.rate_nusd) for row in rows}


def price_facts(connection: Connection) -> list[Price]:
    """Every Price List rate we ever kept."""
    rows = connection.execute(select(prices))
    return [Price(row.region, row.instance_type, row.effective_at, row.rate_nusd, "price_list") for row in rows]


def all_scopes(connection: Connection) -> dict[int, Scope]:
    """Every scope we ever collected, by its id."""
    rows = connection.execute(select(scopes).order_by(scopes.c.id))
    return {row.id: Scope(row.account, row.region, row.name) for row in rows}


def stored_jobs(connection: Connection, job_ids: Sequence[int]) -> list[StoredJob]:
    """The jobs of these rows, read again from their stored descriptions and held until the transaction ends."""
    statement = select(training_jobs).where(training_jobs.c.id.in_(job_ids)).order_by(training_jobs.c.id).with_for_update()
    rows = connection.execute(statement)
    return [_stored(row) for row in rows]


def job_ids_after(connection: Connection, job_id: int, limit: int) -> list[int]:
    """Up to `limit` ids of jobs that follow the given one, for walking over all of them."""
    table = training_jobs.c
    return list(connection.scalars(select(table.id).where(table.id > job_id).order_by(table.id).limit(limit)))


def pending_jobs(connection: Connection, limit: int) -> list[int]:
    """Up to `limit` ids of jobs whose derived rows must be made anew."""
    return list(connection.scalars(select(pending_derivations.c.job_id).order_by(pending_derivations.c.job_id).limit(limit)))


def clear_pending(connection: Connection, job_ids: Sequence[int]) -> None:
    """Takes the mark off jobs whose derived rows are made."""
    if job_ids:
        statement = pending_derivations.delete().where(pending_derivations.c.job_id == bindparam("job"))
        connection.execute(statement, [{"job": job_id} for job_id in job_ids])


def count_jobs(connection: Connection) -> int:
    """How many jobs are in our books."""
    return int(connection.execute(select(func.count()).select_from(training_jobs)).scalar_one())


def _stored(row: Any) -> StoredJob:
    return StoredJob(row.id, row.scope_id, training_job_from(packed_descriptions.unpack(row.description)), row.observed_at, row.gone_at)
