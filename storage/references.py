"""Writer and plain reads of the S3 addresses that SageMaker Models, endpoints and model packages refer to."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import orjson
from sqlalchemy import Connection, delete, select

from domain.instants import instant_from
from domain.s3 import Location, location
from domain.text import storable
from storage.schema import scopes, watermarks
from storage.schema_objects import model_references
from storage.state import dialect_insert

COLLECTOR = "models"
COMPLETE_AT = "complete_at"  # in the collector's watermark: when the references of its scope were last known to be whole
_CHUNK = 500


class ReferenceRow(NamedTuple):
    """That something refers to an S3 URI: `kind` is model, endpoint, inference_component or model_package."""

    kind: str
    name: str
    uri: str


THAT_IS_ALL: Final = ReferenceRow("", "", "")
"""Among rows: with these they are all there are, so that every other one of the scope is gone."""


def upsert_references(connection: Connection, scope_row: int, rows: Sequence[ReferenceRow], now: datetime) -> int:
    """Keeps references; with THAT_IS_ALL among them the scope's others are removed, in the same transaction. Returns how many came.

    Without it none is ever removed: what was known stays until everything was seen.
    """
    found = dict.fromkeys(row for row in rows if row != THAT_IS_ALL)
    if found:
        new = dialect_insert(connection, model_references)
        upsert = new.on_conflict_do_update(index_elements=["scope_id", "kind", "name", "uri"], set_={"seen_at": new.excluded.seen_at})
        connection.execute(upsert, [{"scope_id": scope_row, **row._asdict(), "seen_at": now} for row in found])
    if THAT_IS_ALL in rows:
        _remove_others(connection, scope_row, found)
    return len(found)


def _remove_others(connection: Connection, scope_row: int, found: Container[ReferenceRow]) -> None:
    """Compared one by one, so that no clock that was set back can take for old what was just seen."""
    table = model_references.c
    known = connection.execute(select(table.id, table.kind, table.name, table.uri).where(table.scope_id == scope_row))
    gone = [row.id for row in known if ReferenceRow(row.kind, row.name, row.uri) not in found]
    for start in range(0, len(gone), _CHUNK):
        connection.execute(delete(model_references).where(table.id.in_(gone[start : start + _CHUNK])))


def is_keepable(row: ReferenceRow) -> bool:
    """Whether the database takes the row unchanged: a reference that is not quite the one would protect something else."""
    return storable(row.uri, len(row.uri) + 1) == row.uri and storable(row.name, len(row.name) + 1) == row.name


def references_known(connection: Connection) -> dict[Location, str]:
    """Every place referred to, with what refers to it in words; of all scopes, whole or not."""
    table = model_references.c
    statement = select(table.kind, table.name, table.uri).order_by(table.uri, table.kind, table.name)
    return places_of(ReferenceRow(*row) for row in connection.execute(statement))


def places_of(rows: Iterable[ReferenceRow]) -> dict[Location, str]:
    """The places that references are to, with what refers to each in words."""
    found: dict[Location, list[str]] = {}
    for kind, name, uri in rows:
        place = location(uri)
        if place is not None:
            found.setdefault(place, []).append(f"{kind.replace('_', ' ')} {name}")
    return {place: _in_words(referrers) for place, referrers in found.items()}


def references_at(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When each scope's references were last known to be whole, by account and region; missing where they never were."""
    statement = (
        select(scopes.c.account, scopes.c.region, watermarks.c.state)
        .join(scopes, scopes.c.id == watermarks.c.scope_id)
        .where(watermarks.c.collector == COLLECTOR)
    )
    found = {(row.account, row.region): instant_from(orjson.loads(row.state).get(COMPLETE_AT)) for row in connection.execute(statement)}
    return {scope: at for scope, at in found.items() if at is not None}


def _in_words(referrers: Sequence[str]) -> str:
    more = len(referrers) - 1
    return referrers[0] if not more else f"{referrers[0]} and {more} more"
