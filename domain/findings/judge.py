"""All rules over one job, and which of them speak: where one piece of evidence satisfies several, the strongest does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.findings import (
    checkpoint_shared,
    checkpoint_stopped,
    diverged,
    hung,
    idle_cpu,
    idle_gpu,
    idle_warm_pool,
    near_limit,
    no_limit,
    over_budget,
    over_runtime,
    slow_gpu,
    spot_thrash,
    straggler,
    stuck,
    unused_gpus,
)
from domain.findings.finding import Finding, NoVerdict, Verdict, rank
from domain.findings.situation import Situation
from domain.findings.thresholds import Thresholds

Rule = Callable[[Situation, Thresholds], Verdict]

RULES: Mapping[str, Rule] = {
    module.RULE: module.judge
    for module in (
        over_runtime, near_limit, no_limit, idle_gpu, hung, slow_gpu, unused_gpus, straggler, idle_cpu, stuck, spot_thrash,
        diverged, over_budget, checkpoint_stopped, checkpoint_shared, idle_warm_pool,
    )
}  # fmt: skip

SILENCES: Mapping[str, frozenset[str]] = {
    "idle_gpu": frozenset({"slow_gpu", "unused_gpus"}),
    "unused_gpus": frozenset({"slow_gpu"}),
    "straggler": frozenset({"slow_gpu", "unused_gpus"}),
    "near_limit": frozenset({"no_limit"}),
}

TITLES: Mapping[str, str] = {
    "over_runtime": "Over runtime", "near_limit": "Near limit", "no_limit": "No limit", "idle_gpu": "Idle GPU", "hung": "Hung",
    "slow_gpu": "Slow GPU", "unused_gpus": "Unused GPUs", "straggler": "Straggler", "idle_cpu": "Idle CPU", "stuck": "Stuck",
    "spot_thrash": "Spot thrash", "diverged": "Diverged", "over_budget": "Over budget", "checkpoint_stopped": "Checkpoints stopped",
    "checkpoint_shared": "Checkpoints shared", "idle_warm_pool": "Idle warm pool",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """What holds of a job, gravest first, what could not be judged of it, and the rules that a stronger one silences."""

    findings: tuple[Finding, ...]
    unjudged: tuple[NoVerdict, ...]
    silenced: frozenset[str] = frozenset()


def judged(situation: Situation, limits: Thresholds) -> Judgement:
    """The findings of all rules that are not silenced by a stronger one on the same evidence."""
    verdicts = [rule(situation, limits) for rule in RULES.values()]
    found = {one.rule: one for one in verdicts if isinstance(one, Finding)}
    silent = frozenset(found) & frozenset[str]().union(*(SILENCES.get(rule, frozenset()) for rule in found))
    speaking = sorted((one for rule, one in found.items() if rule not in silent), key=lambda one: (rank(one.severity), one.rule))
    return Judgement(tuple(speaking), tuple(one for one in verdicts if isinstance(one, NoVerdict)), silent)
