"""No secret of the corpus reaches a database, whoever writes it there: in no table, and not in the file."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aws.errors import Refused
from derivations.keep import Keeper
from domain.access import Person
from domain.masking import MASK
from domain.scope import Scope
from domain.tuning import child_from
from reports.jobs import JOB_COLUMNS, job_data, job_page_data
from reports.logs import SafeFormatter
from reports.output import as_csv, as_json
from settings import Settings
from storage import audit, descriptions, migrate
from storage.engine import Engine, open_engine, reading, writing
from storage.facts import scope_id, upsert_descriptions
from storage.messages import NewMessage, enqueue
from storage.remasking import forget_free_pages, mask_again, masked_all
from storage.runs import finish_run, start_run
from storage.schema import collector_runs, metadata, training_jobs
from storage.schema_operations import messages
from storage.tuning import TuningFacts, upsert_tuning_jobs
from storage.views.joblist import JobFilter, each_job
from tests.descriptions import description
from tests.effort import LONG
from tests.secret_corpus import Planted, corpus

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
SCOPE = Scope("123456789012", "us-east-1", "ml-prod")
PLANTED = corpus() if LONG else corpus()[::3]  # every one is masked in tests/unit/domain/test_secret_text.py


def job_with(planted: Planted, number: int) -> dict[str, Any]:
    """A job that has the text wherever people may write, or AWS may repeat what they wrote."""
    text = planted.text
    return description(
        f"rc-fraud-xgboost-{number:05}",
        status="Failed",
        HyperParameters={"note": text, "config": json.dumps({"a": text}), text[:200]: "1"},
        Environment={"NOTE": text, text[:200]: "1"},
        Tags=[{"Key": "Team", "Value": "rc"}, {"Key": "note", "Value": text}, {"Key": text[:128], "Value": "x"}],
        FailureReason=f"AlgorithmError: {text}, exit code 1",
        SecondaryStatusTransitions=[{"Status": "Failed", "StartTime": NOW, "EndTime": NOW, "StatusMessage": text}],
        AlgorithmSpecification={
            "TrainingImage": "i",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", text],
            "ContainerArguments": ["--note", text],
        },
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": text}}}],
        DebugHookConfig={"S3OutputPath": "s3://b/o", "HookParameters": {"note": text}, "CollectionConfigurations": []},
        DebugRuleConfigurations=[{"RuleConfigurationName": "r", "RuleParameters": {"note": text}}],
        ProfilerConfig={"ProfilingParameters": {"note": text}},
        MemberOfTomorrow={"Deep": [{"Note": text}]},
    )


def everything_in(engine: Engine) -> Iterator[str]:
    """Every value of every table, as text."""
    with reading(engine) as connection:
        for table in metadata.tables.values():
            for row in connection.execute(select(table)):
                for value in row:
                    if isinstance(value, bytes) and table is training_jobs:
                        yield json.dumps(descriptions.unpack(value), ensure_ascii=False)
                    elif isinstance(value, bytes):
                        yield value.decode("latin-1")
                    else:
                        yield str(value)


def found_in(text: str) -> list[str]:
    """The names of the secrets that a text holds."""
    return [planted.name for planted in PLANTED if planted.secret in text]


def test_jobs_and_whatever_is_said_of_them_hold_no_secret(sqlite_engine: Engine) -> None:
    keeper = Keeper(sqlite_engine, Settings())
    keeper.refresh()
    with writing(sqlite_engine) as connection:
        row = scope_id(connection, SCOPE)
        jobs = [job_with(planted, number) for number, planted in enumerate(PLANTED)]
        upserted = upsert_descriptions(connection, SCOPE, row, jobs, NOW)
        keeper.derive(connection, upserted.changed)
    assert (upserted.seen, upserted.unreadable) == (len(PLANTED), [])
    assert found_in("\n".join(everything_in(sqlite_engine))) == []
    with reading(sqlite_engine) as connection:
        details = list(each_job(connection, JobFilter(), None))
    assert len(details) == len(PLANTED)
    as_told = as_csv([job_data(detail) for detail in details], JOB_COLUMNS) + as_json([job_page_data(detail) for detail in details])
    assert found_in(as_told) == []


def test_errors_reasons_messages_and_the_audit_log_hold_none(engine: Engine) -> None:
    everything = "\n".join(planted.text for planted in PLANTED if "private key" not in planted.name)
    for start in range(0, len(PLANTED), 25):
        text = " ".join(planted.text for planted in PLANTED[start : start + 25] if "private key" not in planted.name)[:1800]
        with writing(engine) as connection:
            row = scope_id(connection, SCOPE)
            run = start_run(connection, row, "jobs", "test", NOW)
            finish_run(connection, run, NOW, "failed", str(Refused(f"ml-prod: Search was refused: {text}")), 0, 1, 0)
            person = Person("olga", "admin")
            audit.append(connection, audit.Entry(NOW, person, "stop", text, text, text, before={"why": [text]}, after={"said": text}))
            enqueue(connection, [NewMessage(f"k:{start}", "rc", "c", "info", text[:200], text)], NOW)
    with writing(engine) as connection:
        facts = {"HyperParameterTuningJobName": "t", "FailureReason": everything[:1000]}
        children = [
            child_from({"TrainingJobName": f"t-{number}", "TunedHyperParameters": {"note": planted.text}})
            for number, planted in enumerate(PLANTED)
        ]
        upsert_tuning_jobs(connection, scope_id(connection, SCOPE), [TuningFacts(facts, children)], NOW)
    assert found_in("\n".join(everything_in(engine))) == []


def test_logs_hold_none() -> None:
    for planted in PLANTED:
        record = logging.LogRecord("trainwatch", logging.ERROR, __file__, 1, "failed: %s", (planted.text,), None)
        assert planted.secret not in SafeFormatter("%(message)s").format(record), planted.name


@pytest.fixture
def filled_by_an_earlier_release(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with everything as it came, as if no release had ever masked anything."""
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        upsert_descriptions(connection, SCOPE, row, [job_with(planted, number) for number, planted in enumerate(PLANTED)], NOW)
        ids = {found.name: found.id for found in connection.execute(select(training_jobs.c.id, training_jobs.c.name))}
        for number, planted in enumerate(PLANTED):
            raw = job_with(planted, number)
            packed = descriptions.pack(descriptions.to_json(raw))
            connection.execute(
                training_jobs.update().where(training_jobs.c.id == ids[raw["TrainingJobName"]]).values(description=packed, digest=1)
            )
        run = start_run(connection, row, "jobs", "test", NOW)
        enqueue(connection, [NewMessage("k", "rc", "c", "info", "t", "b")], NOW)
        connection.execute(collector_runs.update().where(collector_runs.c.id == run).values(message=PLANTED[0].text))
        connection.execute(messages.update().values(body=PLANTED[1].text))
        connection.exec_driver_sql("DELETE FROM derived_state WHERE key = 'masking'")
    return engine


def test_what_an_earlier_release_kept_is_masked_again_going_on_where_it_was(filled_by_an_earlier_release: Engine, tmp_path: Path) -> None:
    engine = filled_by_an_earlier_release
    assert len(found_in("\n".join(everything_in(engine)))) == len(PLANTED)
    looked_at = 0
    while True:
        with writing(engine) as connection:  # each time as another process would
            some = mask_again(connection, 100)
        if not some:
            break
        looked_at += some
    assert looked_at >= len(PLANTED)
    assert found_in("\n".join(everything_in(engine))) == []
    with reading(engine) as connection:
        assert masked_all(connection)
        kept = [descriptions.unpack(row.description) for row in connection.execute(select(training_jobs.c.description))]
    assert {description["Environment"]["NOTE"] for description in kept} == {MASK}
    forget_free_pages(engine)
    if engine.dialect.name == "sqlite":
        engine.dispose()
        files = b"".join(path.read_bytes() for path in tmp_path.glob("trainwatch.db*"))
        assert [planted.name for planted in PLANTED if planted.secret.encode() in files] == []
    with writing(engine) as connection:
        assert mask_again(connection) == 0


def test_a_new_database_has_nothing_to_mask_again(engine: Engine) -> None:
    with reading(engine) as connection:
        assert masked_all(connection)


def test_the_database_and_what_lies_beside_it_are_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "x.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    with writing(engine) as connection:
        scope_id(connection, SCOPE)
        files = sorted(path.parent.iterdir())
        assert {file.name for file in files} == {"x.db", "x.db-wal", "x.db-shm"}
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    engine.dispose()
    path.chmod(0o644)
    open_engine(f"sqlite:///{path}").dispose()
    assert path.stat().st_mode & 0o777 == 0o600
