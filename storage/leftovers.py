"""Writers and plain reads of what training left in S3, and of the buckets it lies in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, select

from domain.attribution import Team
from domain.leftovers import Bucket, Kind, Leftover, Versioning
from domain.secret_text import storable_words
from domain.text import storable
from storage.descriptions import unpack
from storage.schema import jobs, scopes, training_jobs
from storage.schema_objects import buckets, leftovers
from storage.state import dialect_insert, read_state

_CHUNK = 500
STANDS = timedelta(days=2)  # so long what one scope saw of a bucket is not replaced by another's failure to see it


class LeftoverRow(NamedTuple):
    """What lies under one prefix; `job` is the path component that names a job, `classes` bytes by storage class."""

    bucket: str
    prefix: str
    kind: Kind
    job: str
    team: str
    objects: int
    bytes: int
    classes: Mapping[str, int]
    newest_at: datetime | None


class BucketRow(NamedTuple):
    """A look at a bucket that began at `since`. `problem` says why it cannot be listed, empty where it can.

    `whole` says that every object of interest was listed, `uploads_whole` that every unfinished upload was: what the scope
    knew of these from before `since` is then gone.
    """

    name: str
    region: str | None
    versioning: Versioning
    object_lock: bool | None
    encrypted: str | None
    problem: str
    since: datetime
    whole: bool = False
    uploads_whole: bool = False


class StoredPlaces(NamedTuple):
    """A job of the books for whoever asks where jobs write."""

    job_id: int
    scope_id: int
    is_gone: bool
    description: Mapping[str, Any]


def is_storable(row: LeftoverRow) -> bool:
    """Whether the database takes the row's prefix and job unchanged: another prefix would be another place."""
    return storable(row.prefix, len(row.prefix) + 1) == row.prefix and storable(row.job, len(row.job) + 1) == row.job


def upsert_leftovers(connection: Connection, scope_row: int, rows: Sequence[LeftoverRow], now: datetime) -> int:
    """Keeps what was found under prefixes; returns how many. What is no longer there goes with the look at its bucket."""
    if not rows:
        return 0
    values = {
        (row.bucket, row.prefix, row.kind): {
            **row._asdict(), "scope_id": scope_row, "team": storable(row.team, 128), "looked_at": now,
            "classes": orjson.dumps(dict(row.classes)).decode(),
        }
        for row in rows
    }  # fmt: skip
    new = dialect_insert(connection, leftovers)
    names = ("scope_id", "job", "team", "objects", "bytes", "classes", "newest_at", "looked_at")
    upsert = new.on_conflict_do_update(index_elements=["bucket", "prefix", "kind"], set_={name: new.excluded[name] for name in names})
    connection.execute(upsert, list(values.values()))
    return len(values)


def upsert_buckets(connection: Connection, scope_row: int, rows: Sequence[BucketRow], now: datetime) -> int:
    """Keeps looks at buckets, after the leftovers found in them; returns how many.

    A bucket that another scope could list in the last days stays as that one saw it where this one cannot list it.
    """
    seen = _seen(connection, [row.name for row in rows])
    kept = [row for row in rows if not (row.problem and _stands(seen.get(row.name), scope_row, now))]
    if kept:
        values = [
            {
                "name": row.name, "scope_id": scope_row, "region": row.region, "versioning": row.versioning, "object_lock": row.object_lock,
                "encrypted": row.encrypted, "problem": storable_words(row.problem), "looked_at": now,
            }
            for row in {row.name: row for row in kept}.values()
        ]  # fmt: skip
        new = dialect_insert(connection, buckets)
        changed = {name: new.excluded[name] for name in values[0] if name != "name"}
        connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=changed), values)
    for row in kept:
        _remove_unseen(connection, scope_row, row)
    return len(rows)


def _seen(connection: Connection, names: Sequence[str]) -> dict[str, Any]:
    return {row.name: row for row in connection.execute(select(buckets).where(buckets.c.name.in_(names)))} if names else {}


def _stands(known: Any, scope_row: int, now: datetime) -> bool:
    return known is not None and known.scope_id != scope_row and not known.problem and now - known.looked_at < STANDS


def _remove_unseen(connection: Connection, scope_row: int, row: BucketRow) -> None:
    """Takes out what a whole look did not find again."""
    table = leftovers.c
    where = [table.bucket == row.name, table.scope_id == scope_row, table.looked_at < row.since]
    if row.whole:
        connection.execute(delete(leftovers).where(*where, table.kind != "uploads"))
    if row.uploads_whole:
        connection.execute(delete(leftovers).where(*where, table.kind == "uploads"))


def leftovers_found(connection: Connection) -> list[Leftover]:
    """Everything that was found, in the order of buckets and keys."""
    statement = (
        select(leftovers, scopes.c.account, scopes.c.region)
        .join(scopes, scopes.c.id == leftovers.c.scope_id)
        .order_by(leftovers.c.bucket, leftovers.c.prefix, leftovers.c.kind)
    )
    return [
        Leftover(
            row.bucket, row.prefix, row.kind, row.job, row.team, row.account, row.region, row.objects, row.bytes,
            orjson.loads(row.classes), row.newest_at, row.looked_at,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def buckets_known(connection: Connection) -> dict[str, Bucket]:
    """Every bucket that a look was had at, by name."""
    statement = select(buckets, scopes.c.account).join(scopes, scopes.c.id == buckets.c.scope_id)
    return {
        row.name: Bucket(
            row.name, row.account, row.region, row.versioning, row.object_lock, row.encrypted, row.problem, row.looked_at
        )
        for row in connection.execute(statement)
    }  # fmt: skip


def stored_places(connection: Connection, region: str, after: int, limit: int) -> list[StoredPlaces]:
    """Up to `limit` jobs of a region's scopes that follow a row, for walking over all of them: the books are read in pieces."""
    table = training_jobs.c
    statement = (
        select(table.id, table.scope_id, table.gone_at, table.description)
        .join(scopes, scopes.c.id == table.scope_id)
        .where(scopes.c.region == region, table.id > after)
        .order_by(table.id)
        .limit(limit)
    )
    return [StoredPlaces(row.id, row.scope_id, row.gone_at is not None, unpack(row.description)) for row in connection.execute(statement)]


def teams_of(connection: Connection, region: str, names: Iterable[str]) -> dict[str, str]:
    """Whose jobs of these names are, in a region's scopes; of several of a name the newest's."""
    wanted = sorted(set(names))
    own = list(connection.scalars(select(scopes.c.id).where(scopes.c.region == region)))
    table = training_jobs.c
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(table.name, jobs.c.team)
            .join(jobs, jobs.c.id == table.id)
            .where(table.scope_id.in_(own), table.name.in_(wanted[start : start + _CHUNK]))
            .order_by(table.created_second)
        )
        found |= {row.name: row.team for row in connection.execute(statement)}
    return found


def learned_teams(connection: Connection) -> tuple[Team, ...]:
    """The teams and projects that the account itself told of, for when settings list none."""
    text = read_state(connection, ["teams"]).get("teams", "[]")
    return tuple(Team(name, "", tuple(projects)) for name, projects in orjson.loads(text))
