"""Databases with something in them, for tests of pages: made as the worker makes them, without AWS."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import demo
from demo.books import Books
from demo.call import Call
from demo.hosts import host_samples, hosts, metrics, training_minutes
from demo.lifecycle import describe
from demo.plan import DEFAULT_ACCOUNT, DEFAULT_REGION, JobPlan
from demo.timeline import life
from demo.tuning import Tuning
from demo.workload import workload
from derivations.keep import Keeper
from domain.cleaning import CleanItem, Kept
from domain.leftovers import Kind, StoredObject
from domain.scope import Scope
from domain.tuning import child_from
from settings import Settings
from storage.cleaning import PlannedItem, add_item, add_objects, finish_plan, save_plan
from storage.engine import Engine, writing
from storage.facts import scope_id, upsert_descriptions, watched_jobs
from storage.leftovers import BucketRow, LeftoverRow, upsert_buckets, upsert_leftovers
from storage.runs import CallCount, count_calls, finish_run, note_progress, start_run
from storage.samples import SampleRow, upsert_samples
from storage.tuning import TuningFacts, upsert_tuning_jobs
from tests.databases import migrated
from worker.judging import judge_scope

SCOPE = Scope("123456789012", "us-east-1", "ml-prod")
DENIED = "ml-prod · us-east-1: sagemaker:Search is denied: add sagemaker:Search to arn:aws:iam::123456789012:role/reader"


def settings_text(url: str) -> str:
    """Settings of the demo's teams on a database."""
    return f'[database]\nurl = "{url}"\n{demo.settings_text()}'


def fill(url: str, now: datetime | None = None, jobs: int = 400, *, failing: bool = False, text: str | None = None) -> None:
    """A database as it looks after some runs; with `failing`, the last one was denied; `text` stands wherever people may write."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    settings = Settings.model_validate(tomllib.loads(settings_text(url)))
    engine = migrated(url)
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
    _report(engine, row, plans, moment)
    _leave_over(engine, row, moment, text or "rc-fraud-old")
    judge_scope(engine, settings, row, moment)
    if failing:
        with writing(engine) as connection:
            run = start_run(connection, row, "jobs", "test", moment)
            note_progress(connection, run, 0, 1, "")
            finish_run(connection, run, moment, "failed", DENIED, 0, 1, 0)
    engine.dispose()


def _report(engine: Engine, row: int, plans: Sequence[JobPlan], moment: datetime) -> None:
    """Two hours of samples of every live job, and the tuning jobs."""
    with writing(engine) as connection:
        ids = {(job.name, job.created_second): job.job_id for job in watched_jobs(connection, row)}
        upsert_samples(connection, [sample for plan in plans for sample in _samples(plan, ids, moment)])
        tuning = Tuning(Books(plans)).operations()

        def said(operation: str, **body: str) -> Any:
            return tuning[operation](Call("sagemaker", operation, DEFAULT_ACCOUNT, DEFAULT_REGION, body, moment))

        for summary in said("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"]:
            name = {"HyperParameterTuningJobName": summary["HyperParameterTuningJobName"]}
            children = said("ListTrainingJobsForHyperParameterTuningJob", **name)["TrainingJobSummaries"]
            facts = TuningFacts(said("DescribeHyperParameterTuningJob", **name), [child_from(one) for one in children])
            upsert_tuning_jobs(connection, row, [facts], moment)


def _leave_over(engine: Engine, row: int, moment: datetime, name: str) -> None:
    """What training left in a bucket, one that keeps us out, and a plan of two objects."""
    bucket, prefix = "acme-sm-rc-fraud", f"models/training/{name}/"
    item = CleanItem(
        bucket,
        prefix,
        "intermediates",
        name,
        "rc",
        SCOPE.account,
        SCOPE.region,
        (("arn", 1),),
        2,
        3_000_000_000,
        f"{name} ended long ago",
        "off",
        ("rc",),
    )
    objects = [StoredObject(f"{prefix}output/{part}", 1_500_000_000, "e", None, moment - timedelta(days=40)) for part in ("a.bin", name)]
    with writing(engine) as connection:
        kinds: tuple[Kind, ...] = ("intermediates", "checkpoints", "artifacts")
        size = {"STANDARD": 3_000_000_000}
        rows = [LeftoverRow(bucket, f"{kind}/{name}/", kind, name, "rc", 2, 3_000_000_000, size, moment) for kind in kinds]
        upsert_leftovers(connection, row, rows, moment)
        looks = [
            BucketRow(bucket, SCOPE.region, "suspended", False, None, "", moment),
            BucketRow("acme-vault", None, "unknown", None, None, "s3:ListBucket is denied", moment),
        ]
        upsert_buckets(connection, row, looks, moment)
        kept = [Kept(bucket, "models/training/live/", name, f"{name} is live")]
        plan_id = save_plan(connection, name, ["rc"], 14, "delete", kept, moment)
        add_item(connection, plan_id, PlannedItem(0, item, 69_000_000))
        add_objects(connection, plan_id, 0, objects)
        finish_plan(connection, plan_id, kept)


def _samples(plan: JobPlan, ids: Mapping[tuple[str, int], int], moment: datetime) -> Iterator[SampleRow]:
    job_id = ids.get((plan.name, int(plan.created_at.timestamp())))
    if job_id is None or plan.behaviour == "silent":
        return
    lived = life(plan)
    minutes = training_minutes(lived, moment - timedelta(hours=2), moment)
    for number, kind in enumerate(hosts(plan), 1):
        for metric in metrics(kind):
            yield SampleRow(job_id, number, metric, [60 * minute for minute in minutes], host_samples(plan, lived, number, metric, minutes))


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
