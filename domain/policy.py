"""What a policy does next about a finding: warn, warn again, stop; or why it leaves the job alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domain.findings.finding import span

Step = Literal["warned", "warned_again", "stopped"]
AFTER_FAILURE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as settings give it. `dry_run` says what would be done and does nothing."""

    name: str
    rules: frozenset[str]
    teams: frozenset[str]
    dry_run: bool
    evidence: timedelta
    warn_after: timedelta
    grace: timedelta
    exempt_tags: frozenset[str]
    max_stops_per_hour: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a policy has to know of a finding: what it is about, how fresh, and what was done about it already.

    `taken` are the steps of this policy, by name, with `failed` for a stop that did not come about and `refused` for one that may
    not be; those of a dry run do not count for a policy in earnest, nor the reverse.
    """

    rule: str
    team: str
    since: datetime
    judged_at: datetime
    is_quiet: bool
    is_stopping: bool
    tags: frozenset[str]
    taken: Mapping[str, datetime]


def next_step(policy: Policy, standing: Standing, stops_in_hour: int, stale_after: timedelta, now: datetime) -> Step | str:
    """The step that is due now, or in words why there is none: refusing is what a policy does when unsure."""
    return _not_its_business(policy, standing) or _unsure(standing, stale_after, now) or _due(policy, standing, stops_in_hour, now)


def _not_its_business(policy: Policy, standing: Standing) -> str | None:
    if standing.rule not in policy.rules:
        return f"the policy says nothing of {standing.rule}"
    if policy.teams and standing.team.casefold() not in {team.casefold() for team in policy.teams}:
        return f"the policy is not for team {standing.team}"
    exempt = {tag.casefold() for tag in policy.exempt_tags} & {tag.casefold() for tag in standing.tags}
    if exempt:
        return f"the job is exempt by its tag {min(exempt)}"
    if standing.is_quiet:
        return "somebody has put the finding aside"
    return "it is stopping already" if standing.is_stopping else None


def _unsure(standing: Standing, stale_after: timedelta, now: datetime) -> str | None:
    age = now - standing.judged_at
    return f"its facts are {span(age)} old" if age > stale_after else None


def _due(policy: Policy, standing: Standing, stops_in_hour: int, now: datetime) -> Step | str:
    taken = standing.taken
    if now - standing.since < policy.evidence:
        return f"the evidence has held for {span(now - standing.since)} of {span(policy.evidence)}"
    if "warned" not in taken:
        return "warned"
    if "warned_again" not in taken:
        return "warned_again" if now - taken["warned"] >= policy.warn_after else "the second warning is still to come"
    if "stopped" in taken or "refused" in taken:
        return "the policy has done all it does"
    if now - taken["warned_again"] < policy.grace:
        return "the grace period lasts"
    if "failed" in taken and now - taken["failed"] < AFTER_FAILURE:
        return "the last try failed a moment ago"
    if stops_in_hour >= policy.max_stops_per_hour:
        return f"{stops_in_hour} were stopped within the hour, which is the most"
    return "stopped"
