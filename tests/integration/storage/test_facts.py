"""Facts, runs, leases and versions, on each kind of database."""

import os
import socket
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, func, select, text, update

from domain.money import nusd
from domain.prices import ML_STORAGE, Price
from domain.scope import Scope
from storage import backup, migrate
from storage.descriptions import pack, to_json, unpack
from storage.engine import DatabaseUnusable, open_engine, reading, writing
from storage.facts import (
    all_scopes,
    mark_gone,
    price_facts,
    record_prices,
    scope_id,
    upsert_descriptions,
    watched_jobs,
)
from storage.leases import LEASE, Lease, LeaseLost, acquire
from storage.runs import CallCount, count_calls, finish_run, read_watermark, start_run, write_watermark
from storage.schema import collector_runs, metadata, training_jobs
from storage.views.collection import calls_since, collector_states, data_as_of, recent_runs
from tests.descriptions import SCOPE, at, description


def test_the_migrations_make_exactly_the_tables_of_the_schema(engine: Engine) -> None:
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_a_newer_release_is_refused_and_left_untouched(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.SchemaNewer, match="newer release"):
        migrate.upgrade(engine)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE jobs (id INTEGER)"))
    with pytest.raises(DatabaseUnusable, match="did not make"):
        migrate.upgrade(engine)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "oracle://x"])
def test_a_url_that_names_no_database_we_know_is_refused_in_words(url: str) -> None:
    with pytest.raises(DatabaseUnusable, match="sqlite:///PATH"):
        open_engine(url)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database, but long enough to be taken for one " * 20)
    with pytest.raises(DatabaseUnusable, match="cannot be used"):
        migrate.upgrade(open_engine(f"sqlite:///{tmp_path / 'x.db'}"))


def test_a_scope_has_one_row_and_takes_a_new_name(engine: Engine) -> None:
    with writing(engine) as connection:
        first, second = scope_id(connection, SCOPE), scope_id(connection, Scope(SCOPE.account, SCOPE.region, "ml-prod"))
        assert first == second
        assert all_scopes(connection)[first].name == "ml-prod"


def test_a_description_comes_back_as_it_went_in() -> None:
    whole = description(tags={"Team": "rc"})
    again = unpack(pack(to_json(whole)))
    assert again["TrainingJobName"] == whole["TrainingJobName"]
    assert len(pack(to_json(whole))) < len(to_json(whole)) / 2


def test_what_lives_or_keeps_a_warm_pool_is_watched_until_it_is_gone(engine: Engine) -> None:
    pool = {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 60}
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        found = [description("live", ran=None), description("pool", WarmPoolStatus=pool), description("ended")]
        upsert_descriptions(connection, SCOPE, row, found, at(9))
        watched = watched_jobs(connection, row)
        assert [job.name for job in watched] == ["live", "pool"]
        mark_gone(connection, watched[0].job_id, at(10))
        assert [job.name for job in watched_jobs(connection, row)] == ["pool"]


def test_an_unchanged_live_job_is_only_noted_as_seen_again(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        assert upsert_descriptions(connection, SCOPE, row, [description(ran=None)], at(5)).changed
        again = upsert_descriptions(connection, SCOPE, row, [description(ran=None)], at(6))
        assert (again.changed, again.seen) == ([], 1)
        assert connection.scalar(select(training_jobs.c.observed_at)) == at(6)


def test_a_record_without_name_and_arn_is_counted_in_words_and_the_rest_is_kept(engine: Engine) -> None:
    with writing(engine) as connection:
        found = [description(), {"TrainingJobStatus": "Completed"}]
        kept = upsert_descriptions(connection, SCOPE, scope_id(connection, SCOPE), found, at(5))
    assert (len(kept.changed), len(kept.unreadable)) == (1, 1)


def test_a_lower_cased_arn_is_kept_as_it_came_and_a_usual_one_is_worked_out(engine: Engine) -> None:
    odd = "arn:aws:sagemaker:us-east-1:123456789012:training-job/rc-fraud-upper"
    with writing(engine) as connection:
        upsert_descriptions(
            connection,
            SCOPE,
            scope_id(connection, SCOPE),
            [description("RC-Fraud-Upper", TrainingJobArn=odd), description()],
            at(5),
        )
        assert set(connection.scalars(select(training_jobs.c.arn))) == {None, odd}


def test_rates_are_only_ever_added(engine: Engine) -> None:
    def price(usd: str, since: float) -> Price:
        return Price("us-east-1", "ml.g5.2xlarge", at(since), nusd(usd), "price_list")

    with writing(engine) as connection:
        assert record_prices(connection, [price("2", 0), Price("us-east-1", ML_STORAGE, at(0), nusd("0.14"), "price_list")], at(1))
        assert record_prices(connection, [price("2", 30)], at(31)) == []  # the same rate, announced again
        assert record_prices(connection, [price("1", 40)], at(41)) == [price("1", 40)]
        assert record_prices(connection, [price("3", 40)], at(50)) == [price("3", 50)]  # corrected: from when we saw it
        assert len(price_facts(connection)) == 4


def test_a_run_that_never_ended_is_called_abandoned_by_the_next(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        start_run(connection, row, "jobs", "a", at(0))
        second = start_run(connection, row, "jobs", "b", at(1))
        finish_run(connection, second, at(2), "ok", "12 jobs", 12, 3, 0)
        assert [run.outcome for run in recent_runs(connection)] == ["ok", "abandoned"]
        assert data_as_of(connection) == at(2)
        (state,) = collector_states(connection)
        assert (state.outcome, state.succeeded_at, state.rows) == ("ok", at(2), 12)


def test_hostile_error_messages_are_stored_as_text(engine: Engine) -> None:
    with writing(engine) as connection:
        run = start_run(connection, scope_id(connection, SCOPE), "jobs", "a", at(0))
        finish_run(connection, run, at(1), "failed", "a\x00b\ud800" + "x" * 9000, 0, 0, 0)
        assert len(connection.scalar(select(collector_runs.c.message)) or "") == 2000


def test_watermarks_and_calls_are_kept_per_scope(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        assert read_watermark(connection, row, "jobs") == {}
        write_watermark(connection, row, "jobs", {"down_to": 5})
        write_watermark(connection, row, "jobs", {"down_to": 3})
        assert read_watermark(connection, row, "jobs") == {"down_to": 3}
        for _ in range(2):
            count_calls(connection, row, date(2026, 11, 20), [CallCount("sagemaker:Search", 3, 1, 0), CallCount("ce:X", 0, 0, 0)])
        (calls,) = calls_since(connection, date(2026, 11, 1))
        assert (calls.operation, calls.calls, calls.errors) == ("sagemaker:Search", 6, 2)


def test_a_lease_is_held_by_one_and_taken_over_when_it_ends(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        lease = acquire(connection, row, "jobs", "elsewhere:1:a", at(0))
        assert isinstance(lease, Lease)
        assert acquire(connection, row, "jobs", "elsewhere:2:b", at(0)) == "elsewhere:1:a"
        assert isinstance(acquire(connection, row, "prices", "elsewhere:2:b", at(0)), Lease)
        assert isinstance(acquire(connection, row, "jobs", "elsewhere:2:b", at(0) + LEASE + timedelta(seconds=1)), Lease)
        with pytest.raises(LeaseLost):
            lease.renew(connection, at(1))


def test_the_lease_of_a_dead_process_of_this_host_is_taken_over_at_once(engine: Engine) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        acquire(connection, row, "jobs", f"{socket.gethostname()}:{gone.pid}:a", at(0))
        assert isinstance(acquire(connection, row, "jobs", f"{socket.gethostname()}:{os.getpid()}:b", at(0)), Lease)


def test_a_released_lease_is_free(engine: Engine) -> None:
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        lease = acquire(connection, row, "jobs", "elsewhere:1:a", at(0))
        assert isinstance(lease, Lease)
        lease.release(connection)
        assert isinstance(acquire(connection, row, "jobs", "elsewhere:2:b", at(0)), Lease)


def test_a_backup_is_a_whole_database_and_never_overwrites(sqlite_engine: Engine, tmp_path: Path) -> None:
    with writing(sqlite_engine) as connection:
        upsert_descriptions(connection, SCOPE, scope_id(connection, SCOPE), [description()], at(5))
    backup.write(sqlite_engine, tmp_path / "copy.db")
    copy = open_engine(f"sqlite:///{tmp_path / 'copy.db'}")
    with reading(copy) as connection:
        assert connection.scalar(select(func.count()).select_from(training_jobs)) == 1
    with pytest.raises(DatabaseUnusable, match="there already"):
        backup.write(sqlite_engine, tmp_path / "copy.db")


def test_sums_that_do_not_add_up_are_found(engine: Engine) -> None:
    from tests.integration.derivations.test_keep import keep  # the product's own way to derive

    keep(engine, [description()])
    assert backup.problems(engine) == []
    with writing(engine) as connection:
        connection.execute(update(metadata.tables["rollup_team_days"]).values(compute_nusd=1))
    assert len(backup.problems(engine)) == 1
