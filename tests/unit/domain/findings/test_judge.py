"""All rules over one job: which of them speak, in which order, and what could not be judged."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import nan

import pytest

from domain.findings import judge
from domain.findings.finding import Finding, rank
from domain.findings.judge import RULES, SILENCES, TITLES, judged
from domain.findings.situation import Family, Signal, Situation
from domain.findings.thresholds import Thresholds
from domain.money import nusd
from tests.descriptions import at
from tests.situations import FIRING, LIMITS, NOW, SAMPLE_RULES, SAVES, ago, ended, levels, live, on_hosts, seen

FOUR = "ml.g5.12xlarge"
BROKEN = {"train:loss": levels((0.4, 60), (nan, 30), until=ago(100))}
BOTH: Mapping[tuple[str, str], Callable[[], Situation]] = {
    ("idle_gpu", "slow_gpu"): lambda: seen(series=on_hosts(levels((30, 60), (0, 31)))),
    ("idle_gpu", "unused_gpus"): lambda: seen(live(instance_type=FOUR), series=on_hosts(levels((0, 90)))),
    ("unused_gpus", "slow_gpu"): lambda: seen(live(instance_type=FOUR), series=on_hosts(levels((60, 90)))),
    ("straggler", "slow_gpu"): lambda: seen(
        live(count=3), series=on_hosts(levels((0, 90)), levels((10, 90)), levels((80, 90)))
    ),
    ("straggler", "unused_gpus"): lambda: seen(live(instance_type=FOUR, count=2), series=on_hosts(levels((0, 90)), levels((380, 90)))),
    ("near_limit", "no_limit"): lambda: seen(now=at(22)),
}  # fmt: skip
"""Situations in which both rules of a pair hold by themselves."""


def speaking(situation: Situation, limits: Thresholds = LIMITS) -> list[str]:
    return [one.rule for one in judged(situation, limits).findings]


@pytest.mark.parametrize("rule", RULES)
def test_where_one_rule_alone_holds_it_alone_speaks(rule: str) -> None:
    assert speaking(*FIRING[rule]()) == [rule]


def test_every_rule_has_a_title_and_a_situation_in_which_it_fires() -> None:
    assert set(RULES) == set(TITLES) == set(FIRING)


def test_a_finding_carries_the_name_of_its_rule() -> None:
    assert [rule for rule in RULES if {one.rule for one in judged(*FIRING[rule]()).findings} != {rule}] == []


@pytest.mark.parametrize(("stronger", "weaker"), BOTH, ids="-over-".join)
def test_the_stronger_of_two_rules_on_one_evidence_silences_the_weaker(stronger: str, weaker: str) -> None:
    situation = BOTH[stronger, weaker]()
    assert isinstance(RULES[stronger](situation, LIMITS), Finding)
    assert isinstance(RULES[weaker](situation, LIMITS), Finding)
    assert stronger in speaking(situation)
    assert weaker not in speaking(situation)


def test_a_loss_that_is_no_number_speaks_beside_a_gpu_that_is_idle_or_spins() -> None:
    idle = seen(series=on_hosts(levels((0, 90))), metrics=BROKEN)
    spinning = seen(series=on_hosts(levels((97, 120))), metrics=BROKEN, metrics_checked_at=NOW, logs=Signal(ago(100), NOW))
    assert set(speaking(idle)) == {"idle_gpu", "diverged"}
    assert set(speaking(spinning)) == {"hung", "diverged"}


def test_what_is_silenced_is_said_to_be() -> None:
    assert judged(BOTH["idle_gpu", "slow_gpu"](), LIMITS).silenced == {"slow_gpu"}


def test_every_pair_that_silences_is_tried() -> None:
    assert set(BOTH) == {(stronger, weaker) for stronger, weakers in SILENCES.items() for weaker in weakers}


def test_only_rules_that_exist_silence_or_are_silenced() -> None:
    assert set(SILENCES) | set().union(*SILENCES.values()) <= set(RULES)


def test_no_two_rules_silence_each_other() -> None:
    assert [(one, other) for one, others in SILENCES.items() for other in others if one in SILENCES.get(other, ())] == []


@pytest.mark.parametrize("weaker", sorted(set().union(*SILENCES.values())))
def test_a_weaker_rule_speaks_where_no_stronger_one_holds(weaker: str) -> None:
    assert speaking(*FIRING[weaker]()) == [weaker]


def test_a_rule_that_could_not_be_judged_silences_nobody() -> None:
    situation = seen(live(count=2), series=on_hosts(levels((0, 90))), metrics=BROKEN)  # algo-2 may work
    assert speaking(situation) == ["diverged"]


def test_several_findings_come_gravest_first_and_then_by_name() -> None:
    everything = replace(
        seen(now=at(14), metrics={"train:loss": levels((nan, 9), until=at(14))}),
        family=Family(9, 600),
        job=live(CheckpointConfig=SAVES),
        shares_checkpoints_with=("one",),
    )
    found = judged(everything, Thresholds(max_job_nusd=nusd("1"))).findings
    assert [one.rule for one in found] == ["diverged", "over_budget", "checkpoint_shared", "over_runtime", "no_limit"]
    assert [rank(one.severity) for one in found] == [0, 0, 1, 1, 2]


def test_what_could_not_be_judged_is_listed_with_the_reason() -> None:
    judgement = judged(seen(live(count=2), family=Family(2, 600), no_samples_because="nobody may read them"), LIMITS)
    assert judgement.findings == ()
    assert {one.rule: one.why for one in judgement.unjudged} == dict.fromkeys(
        ("idle_gpu", "hung", "slow_gpu", "unused_gpus", "straggler"), "nobody may read them"
    ) | {"over_runtime": "only 2 successful runs of its family are known"}


def test_a_healthy_job_has_neither_findings_nor_open_questions() -> None:
    situation = seen(series=on_hosts(levels((80, 240))), logs=Signal(ago(1), NOW), family=Family(9, 6 * 3600))
    assert judged(situation, LIMITS) == judge.Judgement((), ())


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "idle_warm_pool"])
@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_has_nothing_to_be_judged(rule: str, status: str) -> None:
    situation, limits = FIRING[rule]()
    assert judged(ended(situation, status), limits) == judge.Judgement((), ())


@pytest.mark.parametrize("rule", SAMPLE_RULES)
def test_missing_samples_are_never_evidence(rule: str) -> None:
    situation, limits = FIRING[rule]()
    judgement = judged(replace(situation, series={}), limits)
    assert judgement.findings == ()
    assert rule in {one.rule for one in judgement.unjudged}
