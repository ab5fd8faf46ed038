"""Whether something may be stopped, and what that would mean: decided here, carried out in `actions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domain.access import Person, Refusal, may_act
from domain.findings.finding import span
from domain.training_job import ENDED

Kind = Literal["training_job", "tuning_job"]
REASON_LIMIT = 500
STOPPABLE_STATUSES = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True, slots=True)
class StopTarget:
    """Something that could be stopped, as our books have it; identity is account, region, name and creation time.

    Money is nano-dollars and None where unknown: `avoided_nusd` an upper bound, `work_lost_nusd` what was done since the last
    checkpoint, which `work_lost` says in words. `tuner_alive` is whether its tuning job would launch another; None is not known.
    """

    kind: Kind
    name: str
    arn: str
    account: str
    region: str
    created_at: datetime
    team: str
    status: str
    secondary_status: str | None
    instances: str
    capacity: str
    ran_seconds: int
    burn_nusd: int | None
    accruing_nusd: int | None
    avoided_nusd: int | None
    avoided: str
    work_lost_nusd: int | None
    work_lost: str
    tuning_job: str | None = None
    tuner_alive: bool | None = None
    pipeline: str | None = None
    observed_at: datetime | None = None

    @property
    def where(self) -> str:
        """What a name alone does not say."""
        return f"--account {self.account} --region {self.region} --created {self.created_at:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class StopLimits:
    """How many one action may stop, and how old facts may be before the plan warns."""

    max_jobs: int
    stale_minutes: int


@dataclass(frozen=True, slots=True)
class StopPlan:
    """What will be stopped, by whom and why; consequences and warnings in words, for whoever confirms it."""

    targets: tuple[StopTarget, ...]
    person: Person
    reason: str
    consequences: tuple[str, ...]
    warnings: tuple[str, ...]


def chosen(found: Sequence[StopTarget], what: str) -> StopTarget | Refusal:
    """The one thing of a name or ARN; refused with the list where it fits none or several."""
    if not found:
        return Refusal("not_found", f"there is no job {what!r} in the books; `trainwatch jobs --name PART` finds names")
    if len(found) > 1:
        several = "; ".join(f"{one.where} ({one.status})" for one in found)
        return Refusal("several", f"{len(found)} jobs are named {what!r}; say which: {several}")
    return found[0]


def plan_stop(targets: Sequence[StopTarget], person: Person, reason: str, limits: StopLimits, now: datetime) -> StopPlan | Refusal:
    """The plan to stop these, or why not: the first reason that holds, in words that say what to do instead."""
    if not targets:
        return Refusal("nothing", "nothing was named to stop")
    if len(targets) > limits.max_jobs:
        return Refusal(
            "too_many",
            f"{len(targets)} jobs are more than one action may stop: [actions] max_jobs is {limits.max_jobs}; stop fewer at once",
        )
    if not reason.strip():
        return Refusal("no_reason", "a reason is required: the owner will read it, and it goes into the audit log")
    for target in targets:
        refusal = may_act(person, target.team) or _state(target) or _parent(target)
        if refusal is not None:
            return refusal
    return StopPlan(
        tuple(targets),
        person,
        " ".join(reason.split())[:REASON_LIMIT],
        tuple(_consequences(targets)),
        tuple(_warnings(targets, limits, now)),
    )


def _state(target: StopTarget) -> Refusal | None:
    """Why its state leaves nothing to stop; one that is stopping already may be asked again, which changes nothing."""
    if target.status in ENDED or target.status == "Gone":
        return Refusal("ended", f"{target.name} has already ended ({target.status}): there is nothing to stop")
    if target.status not in STOPPABLE_STATUSES:
        return Refusal("unknown_state", f"{target.name} is in a state that is not known here ({target.status}): stop it in the AWS console")
    return None


def _parent(target: StopTarget) -> Refusal | None:
    """A tuning job replaces the child that somebody stops."""
    if target.tuning_job is None or target.tuner_alive is False:
        return None
    return Refusal(
        "tuning_child",
        f"{target.name} belongs to tuning job {target.tuning_job}, which would launch another in its place; "
        f"stop the tuning job instead: trainwatch stop --tuning {target.tuning_job}",
    )


def _consequences(targets: Sequence[StopTarget]) -> list[str]:
    words = []
    for target in targets:
        if target.pipeline:
            words.append(f"{target.name} is a step of pipeline {target.pipeline}, whose execution fails when it is stopped")
        if target.kind == "tuning_job":
            words.append(f"tuning job {target.name} stops all of its running jobs and launches no more; its best result so far stays")
        if target.status == "Stopping":
            words.append(f"{target.name} is stopping already; asking again changes nothing")
    return words


def _warnings(targets: Sequence[StopTarget], limits: StopLimits, now: datetime) -> list[str]:
    """How old the facts behind the figures are, where that is too old; the job itself is looked at again before anything is done."""
    seen = [target.observed_at for target in targets if target.observed_at]
    if len(seen) < len(targets):
        return ["nobody knows how old these figures are"]
    age = now - min(seen)
    if age <= timedelta(minutes=limits.stale_minutes):
        return []
    return [f"these figures are {span(age)} old: the collectors are late; the job is looked at again before it is stopped"]
