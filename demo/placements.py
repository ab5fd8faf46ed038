"""Jobs whose files lie where somebody who cleans up has to look twice."""

from dataclasses import replace
from datetime import datetime
from random import Random

from demo.buckets import DENIED, ELSEWHERE, FOREIGN, MISSING
from demo.catalog import Row
from demo.job import checkpoints, job
from demo.plan import COMPLETED, JobPlan, Registration
from demo.teams import bucket

ROW = Row("search", "retrieval", "bm25", "ml.m5.xlarge", 1, 0, 2, 0.3, 0.0, metric="validation:mrr")
GPU_ROW = Row("vision", "segment", "unet", "ml.g4dn.xlarge", 1, 0, 3, 0.3, 0.0)


def denied_bucket(at: datetime, random: Random) -> list[JobPlan]:
    """A bucket that refuses us."""
    return [_in_bucket(DENIED, at, random)]


def missing_bucket(at: datetime, random: Random) -> list[JobPlan]:
    """A bucket that is deleted."""
    return [_in_bucket(MISSING, at, random)]


def bucket_elsewhere(at: datetime, random: Random) -> list[JobPlan]:
    """A bucket of another region."""
    return [_in_bucket(ELSEWHERE, at, random)]


def foreign_bucket(at: datetime, random: Random) -> list[JobPlan]:
    """A bucket of another account."""
    return [_in_bucket(FOREIGN, at, random)]


def served_checkpoint(at: datetime, random: Random) -> list[JobPlan]:
    """A Model whose data are a job's checkpoints."""
    return [_registered("checkpoint_model", at, random)]


def served_intermediates(at: datetime, random: Random) -> list[JobPlan]:
    """A Model whose data are what a job wrote on its way."""
    return [_registered("intermediate_model", at, random)]


def watched_closely(at: datetime, random: Random) -> list[JobPlan]:
    """Debugger and TensorBoard output outside of the artifacts."""
    plan = _plain(GPU_ROW, at, random)
    root = f"s3://{bucket(GPU_ROW.team, GPU_ROW.project)}"
    return [replace(plan, paths=replace(plan.paths, debugger=f"{root}/debugger/", tensorboard=f"{root}/tensorboard/"))]


PLACEMENTS = (
    denied_bucket, missing_bucket, bucket_elsewhere, foreign_bucket, served_checkpoint, served_intermediates, watched_closely,
)  # fmt: skip


def _in_bucket(name: str, at: datetime, random: Random) -> JobPlan:
    plan = _plain(ROW, at, random)
    root = f"s3://{name}"
    intermediates = f"{root}/models/training/{plan.name}/output/"
    return replace(plan, paths=replace(plan.paths, output=f"{root}/models/artifacts/", code=None, intermediates_prefix=intermediates))


def _registered(kind: Registration, at: datetime, random: Random) -> JobPlan:
    plan = _plain(GPU_ROW, at, random)
    return replace(plan, registered=(kind,), checkpoints=checkpoints(GPU_ROW.team, GPU_ROW.project, plan.name, serial=1))


def _plain(row: Row, at: datetime, random: Random) -> JobPlan:
    made = job(row, at, row.hours * random.uniform(0.8, 1.3), serial=2, random=random)
    return replace(made, ending=COMPLETED, registered=(), behaviour="working")
