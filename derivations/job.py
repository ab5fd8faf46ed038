"""One job's derived rows: a pure function of its facts, its scope, the prices, the rules and the directory of teams."""

from dataclasses import dataclass
from typing import Any

import orjson

from domain.attribution import Attribution, Directory, Evidence
from domain.cost import CostBreakdown, CostRules, cost_breakdown
from domain.instances import mode
from domain.instants import to_millis
from domain.job_days import job_days
from domain.oddities import Oddity
from domain.prices import PriceBook
from domain.scope import Scope
from domain.text import storable
from domain.training_job import TrainingJob
from domain.vocabulary import clues_of
from storage.derived import DerivedJob
from storage.facts import StoredJob
from storage.rollups import flags_of


@dataclass(frozen=True)
class Context:
    """What derivation needs besides a job's facts. `learns` says that teams are learned from the account."""

    directory: Directory
    prices: PriceBook
    rules: CostRules
    learns: bool


def derive(stored: StoredJob, scope: Scope, context: Context) -> DerivedJob:
    """A job's rows as the facts, and nothing else, decide them."""
    job = stored.job
    if stored.gone_at is not None and job.is_live:
        job = job.lost_at(stored.observed_at)
    evidence = Evidence(job.name, job.tags, job.tuning_job or job.pipeline, job.role, job.bucket)
    owner = context.directory.attribute(evidence)
    cost = cost_breakdown(job, scope, context.prices, context.rules)
    days = [(row.day, storable(row.instance_type, 64), flags_of(row), *row[5:]) for row in job_days(job, cost)]
    row = _row(stored, job, owner, cost) | (_clues(evidence, context) if context.learns else _NO_CLUES)
    return DerivedJob(row, days, _oddities(job, owner, context))


def _row(stored: StoredJob, job: TrainingJob, owner: Attribution, cost: CostBreakdown) -> dict[str, Any]:
    instances = [(group.instance_type, group.count) for group in job.cluster]
    rates = [group.rate_nusd for group in cost.groups] or [None] * len(instances)
    return {
        "id": stored.job_id,
        "scope_id": stored.scope_id,
        "team": owner.team,
        "project": owner.project,
        "model_type": owner.model_type,
        "team_rule": owner.team_rule,
        "project_rule": owner.project_rule,
        "team_known": owner.team_known,
        "status": storable(job.status, 64),
        "secondary_status": storable(job.secondary_status, 64) if job.secondary_status else None,
        "capacity": job.capacity,
        "mode": mode(instances),
        "instance_type": storable(instances[0][0], 64) if instances else None,
        "instances": orjson.dumps(
            [[storable(kind, 64), count, rate] for (kind, count), rate in zip(instances, rates, strict=True)]
        ).decode(),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "is_live": job.is_live,
        "intervals": _intervals(stored, job) if job.is_live else None,
        "training_seconds": job.training_seconds if job.is_live or job.training_seconds is not None else cost.seconds,
        "billable_seconds": job.billable_seconds,
        "compute_nusd": cost.compute_nusd,
        "warm_pool_nusd": cost.warm_pool_nusd,
        "storage_nusd": cost.storage_nusd,
        "cost_nusd": cost.cost_nusd,
        "spot_savings_nusd": cost.spot_savings_nusd,
        "plan_covered_nusd": cost.plan_covered_nusd,
        "effective_nusd": cost.effective_nusd,
        "list_rate_nusd": cost.list_rate_nusd,
        "basis": cost.basis,
        "price_source": cost.price_source,
        "predates_prices": cost.predates_prices,
        "tuning_job": storable(job.tuning_job, 128) if job.tuning_job else None,
        "pipeline": storable(job.pipeline, 256) if job.pipeline else None,
        "max_runtime_seconds": job.max_runtime_seconds,
        "interruptions": job.interruptions,
    }


def _intervals(stored: StoredJob, job: TrainingJob) -> str:
    """When a live job's instances ran; the end of a stretch that goes on is null, so that views can end it when they look."""
    stretches = job.running_intervals(stored.observed_at)
    goes_on = not job.is_waiting
    ends = [to_millis(stretch.end) for stretch in stretches]
    rows = [[to_millis(stretch.start), end] for stretch, end in zip(stretches, ends, strict=True)]
    if rows and goes_on:
        rows[-1][1] = None  # type: ignore[call-overload] # null stands for: still running
    return orjson.dumps(rows).decode()


_NO_CLUES = {"tag_clue": None, "role_clue": None, "bucket_clue": None}


def _clues(evidence: Evidence, context: Context) -> dict[str, str | None]:
    found = {clue.kind: clue.value for clue in clues_of(evidence, context.directory.conventions)}
    return {f"{kind}_clue": found.get(kind) for kind in ("tag", "role", "bucket")}


def _oddities(job: TrainingJob, owner: Attribution, context: Context) -> list[Oddity]:
    notes = list(job.oddities)
    if owner.team_rule == "tag" and not owner.team_known and not context.learns:
        notes.append(Oddity("unknown team", "Tags", f"{owner.team} is not in settings"))
    return notes
