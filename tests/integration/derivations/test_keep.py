"""Derived tables stay in step with the facts: kept incrementally, they equal what is built from scratch."""

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from derivations.keep import Keeper, rederive
from domain.money import nusd
from domain.prices import ML_STORAGE, Price
from domain.scope import Scope
from settings import Settings
from storage.engine import open_engine, reading, writing
from storage.facts import mark_gone, record_prices, scope_id, upsert_descriptions
from storage.schema import DERIVED_TABLES, job_days, jobs, rollup_days, rollup_team_days, training_jobs
from tests.databases import migrated
from tests.descriptions import SCOPE, at, description
from tests.effort import examples

LATER = at(100)
OTHER = Scope("210987654321", "eu-west-1", "other")
TEAMS = Settings.model_validate(
    {
        "conventions": {"company": "acme"},
        "teams": [{"id": "rc", "projects": ["fraud", "credit"]}, {"id": "nlp", "projects": ["llm"]}],
    }
)
LEARNS = Settings.model_validate({"conventions": {"company": "acme"}})


def derived(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the derived tables."""
    with reading(engine) as connection:
        return {table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr) for table in DERIVED_TABLES}


def keep(engine: Engine, found: list[dict[str, Any]], settings: Settings = TEAMS, scope: Scope = SCOPE, observed: datetime = LATER) -> None:
    """Collects some descriptions as the worker does."""
    keeper = Keeper(engine, settings)
    keeper.refresh()
    with writing(engine) as connection:
        keeper.derive(connection, upsert_descriptions(connection, scope, scope_id(connection, scope), found, observed).changed)
    keeper.finish()


def test_a_job_is_attributed_priced_and_summed(engine: Engine) -> None:
    keep(engine, [description(instance_type="ml.g5.2xlarge", ran=2)])
    with reading(engine) as connection:
        row = connection.execute(select(jobs)).one()
        summed = connection.execute(select(rollup_team_days)).one()
    assert (row.team, row.project, row.model_type, row.team_rule, row.price_source) == (
        "rc",
        "fraud",
        "xgboost",
        "name",
        "shipped",
    )
    assert row.cost_nusd == 2 * nusd("1.515")
    assert (summed.team, summed.compute_nusd, summed.instance_seconds, summed.primary_started) == ("rc", row.cost_nusd, 7200, 1)


def test_the_same_batch_twice_is_the_same_as_once(engine: Engine) -> None:
    keep(engine, [description(), description("nlp-llm-x-20261120-120000")])
    before = derived(engine)
    keep(engine, [description(), description("nlp-llm-x-20261120-120000")])
    assert derived(engine) == before


def test_an_older_answer_of_the_lagging_search_index_changes_nothing(engine: Engine) -> None:
    keep(engine, [description(ran=1)])
    before = derived(engine)
    keep(engine, [description(ran=None)])
    assert derived(engine) == before


def test_search_and_describe_spell_the_same_creation_time_and_stay_one_job(engine: Engine) -> None:
    keep(engine, [description(CreationTime=at(0) + timedelta(milliseconds=361))])
    keep(engine, [description(CreationTime=at(0), modified=5)])
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(training_jobs)) == 1


def test_a_reused_name_is_another_job(engine: Engine) -> None:
    keep(engine, [description(created=0), description(created=50)])
    with reading(engine) as connection:
        assert connection.scalar(select(func.sum(jobs.c.cost_nusd))) == 2 * nusd("1.515")


def test_what_is_left_pending_by_a_killed_run_is_derived_by_the_next(engine: Engine) -> None:
    with writing(engine) as connection:
        upsert_descriptions(connection, SCOPE, scope_id(connection, SCOPE), [description()], at(100))
    assert Keeper(engine, TEAMS).finish() == 1
    assert len(derived(engine)["jobs"]) == 1


def test_a_price_that_arrives_later_reprices_what_it_was_in_force_for(engine: Engine) -> None:
    keep(engine, [description(created=0), description("rc-fraud-late-20261122-120000", created=48)])
    with writing(engine) as connection:
        record_prices(connection, [Price("us-east-1", "ml.g5.2xlarge", at(-500), nusd("2"), "price_list")], at(60))
    Keeper(engine, TEAMS).finish()
    with writing(engine) as connection:
        record_prices(connection, [Price("us-east-1", "ml.g5.2xlarge", at(40), nusd("1"), "price_list")], at(61))
    Keeper(engine, TEAMS).finish()
    with reading(engine) as connection:
        costs = connection.execute(select(jobs.c.cost_nusd, jobs.c.price_source).order_by(jobs.c.created_at)).all()
    assert [tuple(row) for row in costs] == [(nusd("2"), "price_list"), (nusd("1"), "price_list")]


def test_another_naming_rule_attributes_the_past_anew_without_aws(engine: Engine) -> None:
    keep(engine, [description()])
    changed = TEAMS.model_copy(
        update={"teams": LEARNS.teams, "conventions": TEAMS.conventions.model_copy(update={"job_name": "x-{team}-{project}"})}
    )
    Keeper(engine, changed).refresh()
    Keeper(engine, changed).finish()
    with reading(engine) as connection:
        assert connection.scalar(select(jobs.c.team_rule)) == "role"


def test_without_teams_in_settings_they_are_learned_and_names_read_with_them(engine: Engine) -> None:
    plain = {"RoleArn": "arn:aws:iam::123456789012:role/shared", "OutputDataConfig": {"S3OutputPath": "s3://shared/x/"}}
    keep(engine, [description("rc-fraud-late-20261122-120000", **plain)], LEARNS)
    with reading(engine) as connection:
        assert connection.scalar(select(jobs.c.team)) == "unattributed"
    keep(engine, [description(tags={"team": "RC", "project": "fraud"}, **plain)], LEARNS)
    with reading(engine) as connection:
        assert {tuple(row) for row in connection.execute(select(jobs.c.team, jobs.c.team_rule))} == {
            ("rc", "tag"),
            ("rc", "name"),
        }


def test_a_live_job_that_aws_no_longer_lists_counts_until_it_was_last_seen(engine: Engine) -> None:
    keep(engine, [description(ran=None)], observed=at(3.1))
    with writing(engine) as connection:
        mark_gone(connection, connection.scalars(select(training_jobs.c.id)).one(), at(50))
    Keeper(engine, TEAMS).finish()
    with reading(engine) as connection:
        row = connection.execute(select(jobs)).one()
    assert (row.status, row.is_live, row.basis, row.cost_nusd) == ("Gone", False, "derived", 3 * nusd("1.515"))


def test_a_job_whose_status_changes_moves_in_the_rollup(engine: Engine) -> None:
    keep(engine, [description(status="Failed", modified=2)])
    keep(engine, [description(status="Completed", modified=3)])
    with reading(engine) as connection:
        assert list(connection.scalars(select(rollup_days.c.status))) == ["Completed"]


def test_hostile_text_is_kept_as_text(engine: Engine) -> None:
    hostile = "<script>alert(1)</script>\x00=cmd|' /C calc'!A0‮\ud800" + "x" * 5000
    found = description(tags={"Team": hostile, "Project": "=1+1"}, FailureReason=hostile, TrainingJobStatus="Sl\x00eeping")
    keep(
        engine,
        [
            found,
            description("b\x00d-name", CreationTime="never", ResourceConfig={"InstanceType": hostile, "InstanceCount": 10**30}),
        ],
    )
    keep(engine, [found])
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(jobs)) == 2


names = st.sampled_from(["rc-fraud-a-20261120-120000", "rc-credit-b-20261120-120000", "nlp-llm-c-20261120-120000", "odd-one", "nlp-x-d"])
collected = st.builds(
    lambda name, created, ran, kind, spot, status, tags, modified: description(
        name, created=created, ran=ran, instance_type=kind, spot_share=spot, status=status, tags=tags, modified=modified
    ),
    names,
    st.sampled_from([0, 30, 70]),
    st.none() | st.sampled_from([0.5, 13, 40]),
    st.sampled_from(["ml.g5.2xlarge", "ml.m5.xlarge", "ml.p9.48xlarge"]),
    st.none() | st.just(0.3),
    st.sampled_from(["Completed", "Failed", "Stopped"]),
    st.sampled_from([{}, {"Team": "rc"}, {"Team": "vision", "Project": "ocr"}, {"team": "nlp-x"}]),
    st.sampled_from([80, 90, 100, 110]),
)
priced = st.builds(
    lambda kind, since, usd: Price("us-east-1", kind, at(since), nusd(usd), "price_list"),
    st.sampled_from(["ml.g5.2xlarge", "ml.m5.xlarge", "ml.p9.48xlarge", ML_STORAGE]),
    st.sampled_from([-100, 20, 60]),
    st.sampled_from(["0.5", "1.25", "7"]),
)
happenings = st.lists(
    st.tuples(st.just("jobs"), st.lists(collected, min_size=1, max_size=6), st.booleans())
    | st.tuples(st.just("prices"), st.lists(priced, min_size=1, max_size=3), st.booleans())
    | st.tuples(st.just("gone"), st.integers(0, 5), st.booleans()),
    min_size=1,
    max_size=10,
)


def live_through(engine: Engine, history: list[Any], settings: Settings) -> None:
    """Lets things happen as the worker would, with runs killed before they derived."""
    for step, (kind, what, killed) in enumerate(history):
        keeper = Keeper(engine, settings)
        keeper.refresh()
        scope = SCOPE if step % 3 else OTHER
        with writing(engine) as connection:
            row = scope_id(connection, scope)
            if kind == "prices":
                record_prices(connection, what, at(100 + step))
            elif kind == "gone":
                known = list(connection.scalars(select(training_jobs.c.id).order_by(training_jobs.c.id)))
                if known:
                    mark_gone(connection, known[what % len(known)], at(200))
            else:
                changed = upsert_descriptions(connection, scope, row, what, at(100 + step)).changed
                if not killed:
                    keeper.derive(connection, changed)
        if not killed:
            keeper.finish()
    Keeper(engine, settings).finish()


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database to copy, which is quicker than making one for each example."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    engine = migrated(f"sqlite:///{path}")
    engine.dispose()
    return path


@pytest.mark.parametrize("chosen", [TEAMS, LEARNS], ids=["teams in settings", "teams learned"])
@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=happenings)
def test_kept_incrementally_equals_rebuilt_from_scratch(chosen: Settings, history: list[Any], empty_file: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{random.random()}.db"  # noqa: S311 - a file name
    shutil.copy(empty_file, path)
    engine = open_engine(f"sqlite:///{path}")
    try:
        live_through(engine, history, chosen)
        kept = derived(engine)
        rederive(engine, chosen)
        assert derived(engine) == kept
    finally:
        engine.dispose()
        path.unlink()


def test_the_same_holds_on_each_database_over_one_long_history(engine: Engine) -> None:
    rng = random.Random(7)  # noqa: S311 - a reproducible history

    def some(make: Callable[[], Any], most: int) -> list[Any]:
        return [make() for _ in range(rng.randint(1, most))]

    def job() -> dict[str, Any]:
        return description(
            rng.choice(["rc-fraud-a-20261120-120000", "nlp-llm-c-20261120-120000", "odd-one", f"rc-credit-{rng.randint(0, 30)}"]),
            created=rng.choice([0, 30, 70]),
            ran=rng.choice([None, 0.5, 40]),
            spot_share=rng.choice([None, 0.3]),
            tags=rng.choice([{}, {"Team": "rc"}, {"Team": "vision", "Project": "ocr"}]),
            modified=rng.choice([80, 90, 100]),
        )

    def price() -> Price:
        return Price(
            "us-east-1",
            rng.choice(["ml.g5.2xlarge", ML_STORAGE]),
            at(rng.choice([-9, 20])),
            nusd(rng.choice(["1", "2"])),
            "price_list",
        )

    history: list[Any] = [("jobs", some(job, 20), rng.random() < 0.3) for _ in range(10)]
    history += [("prices", some(price, 3), False), ("gone", 3, False), *(("jobs", some(job, 20), False) for _ in range(5))]
    live_through(engine, history, LEARNS)
    kept = derived(engine)
    rederive(engine, LEARNS)
    assert derived(engine) == kept
    with reading(engine) as connection:
        whole = connection.scalar(select(func.sum(jobs.c.cost_nusd)))
        spread = connection.scalar(select(func.sum(job_days.c.compute_nusd + job_days.c.warm_pool_nusd + job_days.c.storage_nusd)))
    assert whole == spread


def test_rebuilding_an_empty_database_is_fine(engine: Engine) -> None:
    assert rederive(engine, TEAMS) == 0


def test_progress_is_told_while_everything_is_derived_anew(sqlite_engine: Engine) -> None:
    keep(sqlite_engine, [description(f"rc-fraud-m-{number}") for number in range(3)])
    told: list[tuple[int, int]] = []
    rederive(sqlite_engine, TEAMS, lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]


def test_times_from_before_1970_do_not_stop_anything(engine: Engine) -> None:
    keep(engine, [description(CreationTime=datetime(1, 1, 1, tzinfo=UTC), TrainingStartTime=-(10**18))])
    assert {row[3] for row in derived(engine)["oddities"]} >= {"CreationTime", "TrainingStartTime"}
