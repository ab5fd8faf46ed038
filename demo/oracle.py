"""The truth about the simulated jobs: which rules apply to each, to measure by it what somebody else has found."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from demo.case import Case
from demo.plan import JobPlan
from demo.surroundings import Context, context_at, exists_at
from demo.timeline import Life, life
from demo.verdicts import AFTER_THE_END, WHILE_LIVE, Verdict

SILENCED_BY: Final[Mapping[str, frozenset[str]]] = {
    "slow_gpu": frozenset({"idle_gpu", "unused_gpus", "straggler"}),
    "unused_gpus": frozenset({"idle_gpu"}),
    "no_limit": frozenset({"near_limit"}),
}
"""Rules that say nothing where a stronger one speaks."""
RULES: Final = (*WHILE_LIVE, *AFTER_THE_END)

Key = tuple[str, str, str]
"""Account, region and name of a job."""


def expected(plan: JobPlan, life: Life, now: datetime, context: Context | None = None) -> frozenset[str]:
    """The rules that truly apply to a job at `now`; without a context, as if it were the only job there is."""
    verdicts = _verdicts(plan, life, now, context)
    holding = {rule for rule, verdict in verdicts.items() if verdict.holds}
    return frozenset(rule for rule in holding if not SILENCED_BY.get(rule, frozenset()) & holding)


def borderline(plan: JobPlan, life: Life, now: datetime, context: Context | None = None) -> frozenset[str]:
    """The rules of which it is a matter of minutes, or of taste, whether they apply to a job at `now`."""
    verdicts = _verdicts(plan, life, now, context)
    close = {rule for rule, verdict in verdicts.items() if verdict.close}
    silenced = {rule for rule, verdict in verdicts.items() if verdict.holds and SILENCED_BY.get(rule, frozenset()) & close}
    return frozenset(close | silenced)


def expected_all(plans: Iterable[JobPlan], now: datetime) -> dict[Key, frozenset[str]]:
    """What truly applies to each job that is live at `now` or keeps a warm pool; nothing, to most."""
    return _of_each(plans, now)[0]


def borderline_all(plans: Iterable[JobPlan], now: datetime) -> dict[Key, frozenset[str]]:
    """What is a matter of minutes with each job that `expected_all` tells of."""
    return _of_each(plans, now)[1]


def _of_each(plans: Iterable[JobPlan], now: datetime) -> tuple[dict[Key, frozenset[str]], dict[Key, frozenset[str]]]:
    jobs = [(plan, life(plan)) for plan in plans]
    context = context_at(jobs, now)
    alive = [(plan, lived) for plan, lived in jobs if exists_at(plan, now) and now < _watched_until(plan, lived)]
    keys = [(plan.account, plan.region, plan.name) for plan, _ in alive]
    return (
        {key: expected(plan, lived, now, context) for key, (plan, lived) in zip(keys, alive, strict=True)},
        {key: borderline(plan, lived, now, context) for key, (plan, lived) in zip(keys, alive, strict=True)},
    )


def _watched_until(plan: JobPlan, lived: Life) -> datetime:
    kept = plan.warm_pool.retained_seconds if plan.warm_pool is not None and lived.started_at is not None else 0
    return lived.ended_at + timedelta(seconds=kept)


def _verdicts(plan: JobPlan, lived: Life, now: datetime, context: Context | None) -> Mapping[str, Verdict]:
    if not exists_at(plan, now):
        return {}
    case = Case(plan, lived, now, context or Context())
    return {rule: judge(case) for rule, judge in (WHILE_LIVE if case.live else AFTER_THE_END).items()}
