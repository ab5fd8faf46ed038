"""References of models: added as they are found, and taken out only when everything was seen."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from domain.s3 import Location
from domain.scope import Scope
from storage.engine import writing
from storage.facts import scope_id
from storage.references import (
    COLLECTOR,
    COMPLETE_AT,
    THAT_IS_ALL,
    ReferenceRow,
    is_keepable,
    references_at,
    references_known,
    upsert_references,
)
from storage.runs import write_watermark

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ONE, TWO = ReferenceRow("model", "one", "s3://b/one"), ReferenceRow("model_package", "g/2", "s3://b/two/")
SCOPES = Scope("123456789012", "us-east-1"), Scope("123456789012", "eu-west-1")


def known(engine: Engine) -> set[str]:
    with writing(engine) as connection:
        return {place.uri for place in references_known(connection)}


def test_a_partial_look_adds_and_never_removes(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        assert upsert_references(connection, row, [ONE, ONE], NOW) == 1
        assert upsert_references(connection, row, [TWO], NOW) == 1
        assert upsert_references(connection, row, [], NOW) == 0
    assert known(engine) == {ONE.uri, TWO.uri}


def test_a_whole_look_removes_what_is_no_longer_referred_to_in_its_own_scope(engine: Engine) -> None:
    with writing(engine) as connection:
        first, second = (scope_id(connection, scope) for scope in SCOPES)
        upsert_references(connection, first, [ONE, TWO], NOW)
        upsert_references(connection, second, [ONE._replace(uri="s3://other/x")], NOW)
        upsert_references(connection, first, [TWO, THAT_IS_ALL], NOW)
    assert known(engine) == {TWO.uri, "s3://other/x"}
    with writing(engine) as connection:
        upsert_references(connection, first, [THAT_IS_ALL], NOW)
    assert known(engine) == {"s3://other/x"}


def test_a_clock_that_was_set_back_takes_nothing_out(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        upsert_references(connection, row, [ONE, THAT_IS_ALL], NOW)
        upsert_references(connection, row, [ONE, TWO, THAT_IS_ALL], NOW.replace(year=2020))
    assert known(engine) == {ONE.uri, TWO.uri}


def test_a_removal_that_is_rolled_back_leaves_everything(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        upsert_references(connection, row, [ONE, TWO], NOW)
    with engine.connect() as connection:
        upsert_references(connection, row, [THAT_IS_ALL], NOW)
        connection.rollback()
    assert known(engine) == {ONE.uri, TWO.uri}


def test_a_place_says_in_words_what_refers_to_it(engine: Engine) -> None:
    rows = [ReferenceRow("model", name, "s3://b/x/") for name in ("one", "two", "three")]
    with writing(engine) as connection:
        upsert_references(connection, scope_id(connection, SCOPES[0]), [*rows, TWO, ReferenceRow("model", "bad", "s3://")], NOW)
        assert references_known(connection) == {Location("b", "x/"): "model one and 2 more", Location("b", "two/"): "model package g/2"}


def test_only_scopes_that_were_once_whole_have_an_instant(engine: Engine) -> None:
    with writing(engine) as connection:
        rows = [scope_id(connection, scope) for scope in SCOPES]
        write_watermark(connection, rows[0], COLLECTOR, {COMPLETE_AT: NOW.isoformat()})
        write_watermark(connection, rows[1], COLLECTOR, {"other": 1})
        write_watermark(connection, rows[1], "jobs", {COMPLETE_AT: NOW.isoformat()})
        assert references_at(connection) == {("123456789012", "us-east-1"): NOW}


def test_a_reference_that_no_database_takes_unchanged_is_told_apart() -> None:
    assert is_keepable(ONE)
    assert is_keepable(ReferenceRow("model", "x", "s3://b/" + "ü" * 2000))
    assert not is_keepable(ReferenceRow("model", "x", "s3://b/\0"))
    assert not is_keepable(ReferenceRow("model", "x", "s3://b/\ud800"))
