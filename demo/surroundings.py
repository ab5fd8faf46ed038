"""What must be known of other jobs, teams and prices to say what is wrong with one job."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from demo.lifecycle import ended_life
from demo.plan import JobPlan
from demo.prices import rates, shipped
from demo.teams import TEAMS
from demo.timeline import Life

NEWEST_RUNS: Final = 200
STAMPS: Final = re.compile(r"(?:-\d{3}-[0-9a-f]{8}|-\d{4}(?:-\d{2}){5}(?:-\d{1,3})?|-\d{8}-\d{6}|-\d{14}|-\d{6}-\d{4})$")
"""What the convention, the SDK and tuners put at the end of a name."""

Lived = tuple[JobPlan, Life]


class Family(NamedTuple):
    """Jobs that ought to take about as long as each other."""

    team: str
    project: str
    model_type: str
    instance_type: str


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a job at an instant.

    `runs` are the training seconds of each family's newest completed jobs, `live_on` how many live jobs have a checkpoint
    prefix, `caps_usd` what one job of a team may cost, `rates_usd` dollars per instance hour by type and region.
    """

    runs: Mapping[Family, Sequence[int]] = field(default_factory=dict)
    live_on: Mapping[str, int] = field(default_factory=dict)
    caps_usd: Mapping[str, Decimal] = field(default_factory=lambda: {team.id: Decimal(team.max_job_usd) for team in TEAMS})
    rates_usd: Mapping[tuple[str, str], Decimal] = field(default_factory=lambda: rates(shipped()))


def context_at(jobs: Sequence[Lived], now: datetime) -> Context:
    """The surroundings that the jobs are to each other at `now`."""
    there = [(plan, life) for plan, life in jobs if exists_at(plan, now)]
    live = Counter(prefix(plan.checkpoints.uri) for plan, life in there if plan.checkpoints is not None and now < life.ended_at)
    return Context(runs=_runs(there, now), live_on=live)


def exists_at(plan: JobPlan, now: datetime) -> bool:
    """Whether AWS knows the job at `now`."""
    return plan.created_at <= now and (plan.deleted_at is None or now < plan.deleted_at)


def prefix(uri: str) -> str:
    """A checkpoint URI without the slash that some write at its end."""
    return uri.rstrip("/")


def team_of(plan: JobPlan) -> str | None:
    """The team whose job it is: what its tag says, else its name; None where neither says."""
    tagged = _tag(plan, "team")
    named = _named(plan)
    return tagged or (named[0] if named else None)


def family_of(plan: JobPlan) -> Family | None:
    """The family that the job belongs to, or None if its name follows no convention or its cluster is a mixture."""
    named = _named(plan)
    if named is None or len(plan.cluster.groups) != 1:
        return None
    team, project, model_type = named
    return Family(_tag(plan, "team") or team, _tag(plan, "project") or project, model_type, plan.cluster.groups[0].instance_type)


def _runs(jobs: Iterable[Lived], now: datetime) -> dict[Family, list[int]]:
    found: dict[Family, list[tuple[datetime, int]]] = {}
    for plan, life in jobs:
        family = family_of(plan)
        facts = ended_life(plan, life)
        if family is not None and facts.status == "Completed" and facts.ended_at <= now and facts.training_seconds is not None:
            found.setdefault(family, []).append((facts.ended_at, facts.training_seconds))
    return {family: [seconds for _, seconds in sorted(runs, reverse=True)[:NEWEST_RUNS]] for family, runs in found.items()}


def _named(plan: JobPlan) -> tuple[str, str, str] | None:
    """Team, project and model type as the name has them; where projects begin alike, the longest counts."""
    rest = plan.name.lower()
    while (shorter := STAMPS.sub("", rest)) != rest:
        rest = shorter
    known = [(team.id, project) for team in TEAMS for project in team.projects if rest.startswith(f"{team.id}-{project}-")]
    if not known:
        return None
    team, project = max(known, key=lambda pair: len(pair[1]))
    return team, project, rest.removeprefix(f"{team}-{project}-")


def _tag(plan: JobPlan, key: str) -> str | None:
    return next((value.lower() for name, value in plan.tags.items() if name.lower() == key), None)
