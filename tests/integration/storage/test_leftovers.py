"""Leftovers and buckets in the books: replaced by whole looks alone, and added up for money."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from domain.scope import Scope
from domain.storage_prices import GB, month_nusd
from storage.engine import Connection, writing
from storage.facts import scope_id
from storage.leftover_months import leftover_months, leftovers_on, record_leftover_day
from storage.leftovers import (
    STANDS,
    BucketRow,
    LeftoverRow,
    buckets_known,
    is_storable,
    leftovers_found,
    upsert_buckets,
    upsert_leftovers,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
SCOPES = Scope("123456789012", "us-east-1"), Scope("210987654321", "us-east-1")
ROW = LeftoverRow("b", "models/training/j/", "intermediates", "j", "rc", 2, 30, {"STANDARD": 10, "GLACIER": 20}, NOW)
UPLOADS = ROW._replace(kind="uploads", objects=1, bytes=5, classes={"STANDARD": 5})
OTHER = ROW._replace(prefix="models/training/k/", job="k")
BUCKET = BucketRow("b", "eu-west-1", "enabled", True, "aws:kms", "", NOW, whole=True, uploads_whole=True)


def found(connection: Connection) -> set[tuple[str, str]]:
    return {(one.prefix, one.kind) for one in leftovers_found(connection)}


def test_what_was_kept_comes_back_with_account_and_region(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        assert upsert_leftovers(connection, row, [ROW, ROW], NOW) == 1
        assert upsert_leftovers(connection, row, [], NOW) == 0
        (one,) = leftovers_found(connection)
    assert (one.bucket, one.prefix, one.kind, one.job, one.team) == ("b", "models/training/j/", "intermediates", "j", "rc")
    assert (one.account, one.region, one.objects, one.bytes) == ("123456789012", "us-east-1", 2, 30)
    assert (dict(one.classes), one.newest_at, one.looked_at) == ({"STANDARD": 10, "GLACIER": 20}, NOW, NOW)


def test_a_whole_look_takes_out_what_it_did_not_find(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        upsert_leftovers(connection, row, [ROW, OTHER, UPLOADS, ROW._replace(bucket="c")], NOW)
        upsert_buckets(connection, row, [BUCKET], NOW)
        upsert_leftovers(connection, row, [ROW], LATER)
        upsert_buckets(connection, row, [BUCKET._replace(since=LATER, uploads_whole=False)], LATER)
        assert {one.bucket for one in leftovers_found(connection)} == {"b", "c"}
        assert found(connection) == {(ROW.prefix, "intermediates"), (ROW.prefix, "uploads")}
        upsert_buckets(connection, row, [BUCKET._replace(since=LATER, whole=False)], LATER)
        assert found(connection) == {(ROW.prefix, "intermediates")}


def test_a_look_that_was_not_whole_takes_out_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        upsert_leftovers(connection, row, [ROW, UPLOADS], NOW)
        upsert_buckets(connection, row, [BUCKET._replace(since=LATER, whole=False, uploads_whole=False, problem="denied")], LATER)
        assert len(found(connection)) == 2
        assert buckets_known(connection)["b"].problem == "denied"


def test_one_scopes_look_takes_out_nothing_of_anothers(engine: Engine) -> None:
    with writing(engine) as connection:
        first, second = (scope_id(connection, scope) for scope in SCOPES)
        upsert_leftovers(connection, first, [ROW], NOW)
        upsert_leftovers(connection, second, [OTHER], LATER)
        upsert_buckets(connection, second, [BUCKET._replace(since=LATER)], LATER)
        assert len(found(connection)) == 2


def test_a_bucket_that_one_scope_can_list_is_not_closed_by_another(engine: Engine) -> None:
    closed = BucketRow("b", None, "unknown", None, None, "it belongs to another account than 210987654321", LATER)
    with writing(engine) as connection:
        first, second = (scope_id(connection, scope) for scope in SCOPES)
        upsert_buckets(connection, second, [closed], NOW)
        assert buckets_known(connection)["b"].problem
        upsert_buckets(connection, first, [BUCKET], NOW)
        upsert_buckets(connection, second, [closed], LATER)
        one = buckets_known(connection)["b"]
        assert (one.account, one.problem, one.region, one.versioning) == ("123456789012", "", "eu-west-1", "enabled")
        assert (one.object_lock, one.encrypted, one.looked_at) == (True, "aws:kms", NOW)
        upsert_buckets(connection, second, [closed], NOW + STANDS)
        assert buckets_known(connection)["b"].account == "210987654321"
        upsert_buckets(connection, first, [BUCKET], LATER)
        upsert_buckets(connection, first, [BUCKET._replace(problem="denied")], LATER)
        assert buckets_known(connection)["b"].problem == "denied"  # its own scope may say so


def test_what_is_kept_adds_up_by_team_and_kind_at_the_price_of_its_buckets_region(engine: Engine) -> None:
    big = ROW._replace(bytes=300, classes={"STANDARD": 100 * GB, "GLACIER": 200 * GB, "SOMETHING_NEW": 7})
    undated = UPLOADS._replace(classes={"STANDARD": GB}, newest_at=None)
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        upsert_leftovers(connection, row, [big, OTHER, undated, ROW._replace(bucket="unseen", team="nlp")], NOW)
        upsert_buckets(connection, row, [BUCKET], NOW)
        found = {(one.team, one.kind): one for one in leftover_months(connection, NOW + timedelta(days=20))}
    counted = {key: (one.objects, one.bytes) for key, one in found.items()}
    assert counted == {("rc", "intermediates"): (4, 330), ("rc", "uploads"): (1, 5), ("nlp", "intermediates"): (2, 30)}
    rates = [month_nusd(GB, "eu-west-1", name) or 0 for name in ("STANDARD", "GLACIER")]
    assert min(rates) > 0
    assert abs(found["rc", "intermediates"].nusd_per_month - (100 * rates[0] + 200 * rates[1])) < 10
    assert found["rc", "intermediates"].unpriced_bytes == 7
    assert found["rc", "intermediates"].by_age == (0, found["rc", "intermediates"].nusd_per_month, 0, 0, 0)
    assert found["rc", "uploads"].by_age[-1] == found["rc", "uploads"].nusd_per_month > 0, "nobody knows how old it is"
    assert (found["nlp", "intermediates"].nusd_per_month, found["nlp", "intermediates"].unpriced_bytes) == (0, 30), (
        "its region is not known"
    )


def test_a_day_that_was_looked_at_keeps_its_last_sum_by_team(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPES[0])
        upsert_buckets(connection, row, [BUCKET], NOW)
        assert leftovers_on(connection, NOW.date()) is None
        upsert_leftovers(connection, row, [ROW._replace(classes={"STANDARD": GB}), ROW._replace(kind="artifacts")], NOW)
        record_leftover_day(connection, NOW)
        one_gb = month_nusd(GB, "eu-west-1", "STANDARD")
        assert leftovers_on(connection, NOW.date()) == leftovers_on(connection, LATER.date() + timedelta(days=3), ["rc"]) == one_gb
        assert leftovers_on(connection, NOW.date(), ["nlp"]) == 0
        upsert_buckets(connection, row, [BUCKET._replace(since=LATER)], LATER)  # a whole look that found nothing again
        record_leftover_day(connection, NOW)
        assert leftovers_on(connection, NOW.date()) == 0


def test_a_prefix_that_no_database_takes_unchanged_is_told_apart() -> None:
    assert is_storable(ROW._replace(prefix="ü " * 900))
    assert not is_storable(ROW._replace(prefix="a\0/"))
    assert not is_storable(ROW._replace(job="\ud800"))
