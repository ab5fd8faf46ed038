"""Databases with something in them, for tests of pages: made as the worker makes them, without AWS."""

import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import demo
from demo.lifecycle import describe
from demo.workload import workload
from derivations.keep import Keeper
from domain.scope import Scope
from settings import Settings
from storage import migrate
from storage.engine import open_engine, writing
from storage.facts import scope_id, upsert_descriptions
from storage.runs import CallCount, count_calls, finish_run, note_progress, start_run

SCOPE = Scope("123456789012", "us-east-1", "ml-prod")
DENIED = "ml-prod · us-east-1: sagemaker:Search is denied: add sagemaker:Search to arn:aws:iam::123456789012:role/reader"


def settings_text(url: str) -> str:
    """Settings of the demo's teams on a database."""
    return f'[database]\nurl = "{url}"\n{demo.settings_text()}'


def fill(url: str, now: datetime | None = None, jobs: int = 400, *, failing: bool = False, text: str | None = None) -> None:
    """A database as it looks after some runs; with `failing`, the last one was denied; `text` stands wherever people may write."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    settings = Settings.model_validate(tomllib.loads(settings_text(url)))
    engine = open_engine(url)
    migrate.upgrade(engine)
    plans = [plan for plan in workload(1, jobs, moment) if plan.created_at <= moment and plan.deleted_at is None]
    found = [{**describe(plan, moment), "Tags": [{"Key": key, "Value": value} for key, value in plan.tags.items()]} for plan in plans]
    if text is not None:
        found = [_written(description, text) for description in found]
    keeper = Keeper(engine, settings)
    keeper.refresh()
    with writing(engine) as connection:
        row = scope_id(connection, SCOPE)
        run = start_run(connection, row, "jobs", "test", moment - timedelta(seconds=8))
        keeper.derive(connection, upsert_descriptions(connection, SCOPE, row, found, moment).changed)
        count_calls(connection, row, moment.date(), [CallCount("sagemaker:Search", 12, 0, 0)])
        finish_run(connection, run, moment, "ok", f"{len(found)} jobs seen", len(found), 12, 0)
    keeper.finish()
    if failing:
        with writing(engine) as connection:
            run = start_run(connection, row, "jobs", "test", moment)
            note_progress(connection, run, 0, 1, "")
            finish_run(connection, run, moment, "failed", DENIED, 0, 1, 0)
    engine.dispose()


def _written(description: dict[str, Any], text: str) -> dict[str, Any]:
    """The description with a text wherever people may choose one."""
    changed = description | {
        "Tags": [{"Key": "Team", "Value": text}, {"Key": "Project", "Value": f"={text}"}, {"Key": text, "Value": text}],
        "HyperParameters": {text: text},
        "SecondaryStatusTransitions": [step | {"StatusMessage": text} for step in description.get("SecondaryStatusTransitions") or []],
    }
    if description["TrainingJobStatus"] in ("Failed", "Stopped"):
        changed["FailureReason"] = f"{text}\nline two\n{text * 20}"
    return changed
