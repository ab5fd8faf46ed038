"""What a policy does next: it stops only what everything speaks for, after two warnings, and says why it waits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy import AFTER_FAILURE, Policy, Standing, next_step

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STALE = 15 * MINUTE
POLICY = Policy(
    name="nights",
    rules=frozenset({"idle_gpu", "hung"}),
    teams=frozenset(),
    dry_run=False,
    evidence=60 * MINUTE,
    warn_after=30 * MINUTE,
    grace=20 * MINUTE,
    exempt_tags=frozenset({"trainwatch:exempt"}),
    max_stops_per_hour=2,
)
STANDING = Standing(
    rule="idle_gpu",
    team="rc",
    since=NOW - 3 * 60 * MINUTE,
    judged_at=NOW - MINUTE,
    is_quiet=False,
    is_stopping=False,
    tags=frozenset({"Team", "Project"}),
    taken={},
)
WARNED = {"warned": NOW - 51 * MINUTE, "warned_again": NOW - 20 * MINUTE}
KEEP = replace(POLICY, exempt_tags=frozenset({"KEEP"}))
A_MOMENT_AGO = NOW - AFTER_FAILURE + timedelta(seconds=1)


def step(standing: Standing = STANDING, policy: Policy = POLICY, stops: int = 0) -> str:
    return next_step(policy, standing, stops, STALE, NOW)


def having(**members: Any) -> Standing:
    return replace(STANDING, **members)


def test_what_has_not_been_warned_of_is_warned_of() -> None:
    assert step() == "warned"


def test_what_was_warned_of_long_enough_ago_is_warned_of_again() -> None:
    assert step(having(taken={"warned": NOW - 30 * MINUTE})) == "warned_again"


def test_what_was_warned_of_twice_and_had_its_grace_is_stopped() -> None:
    assert step(having(taken=WARNED)) == "stopped"


WAITING: Mapping[str, tuple[str, Standing, Policy, int]] = {
    "another rule": ("the policy says nothing of stuck", having(rule="stuck", taken=WARNED), POLICY, 0),
    "another team": ("the policy is not for team rc", having(taken=WARNED), replace(POLICY, teams=frozenset({"nlp"})), 0),
    "exempt": ("the job is exempt by its tag trainwatch:exempt", having(taken=WARNED, tags=frozenset({"trainwatch:exempt"})), POLICY, 0),
    "exempt in other case": (
        "the job is exempt by its tag trainwatch:exempt", having(taken=WARNED, tags=frozenset({"x", "TrainWatch:EXEMPT"})), POLICY, 0,
    ),
    "exempt by the case in settings": (
        "the job is exempt by its tag keep", having(taken=WARNED, tags=frozenset({"keep"})), KEEP, 0,
    ),
    "put aside": ("somebody has put the finding aside", having(taken=WARNED, is_quiet=True), POLICY, 0),
    "stopping": ("it is stopping already", having(taken=WARNED, is_stopping=True), POLICY, 0),
    "stale": ("its facts are 16 min old", having(taken=WARNED, judged_at=NOW - 16 * MINUTE), POLICY, 0),
    "young": ("the evidence has held for 59 min of 1 h 00", having(since=NOW - 59 * MINUTE), POLICY, 0),
    "young again": ("the evidence has held for 59 min of 1 h 00", having(since=NOW - 59 * MINUTE, taken=WARNED), POLICY, 0),
    "warned": ("the second warning is still to come", having(taken={"warned": NOW - 29 * MINUTE}), POLICY, 0),
    "warned again": ("the grace period lasts", having(taken=WARNED | {"warned_again": NOW - 19 * MINUTE}), POLICY, 0),
    "done": ("the policy has done all it does", having(taken=WARNED | {"stopped": NOW - MINUTE}), POLICY, 0),
    "refused": ("the policy has done all it does", having(taken=WARNED | {"refused": NOW - 90 * MINUTE}), POLICY, 0),
    "failed": ("the last try failed a moment ago", having(taken=WARNED | {"failed": A_MOMENT_AGO}), POLICY, 0),
    "enough": ("2 were stopped within the hour, which is the most", having(taken=WARNED), POLICY, 2),
    "more than enough": ("5 were stopped within the hour, which is the most", having(taken=WARNED), POLICY, 5),
}  # fmt: skip


@pytest.mark.parametrize("why", WAITING)
def test_a_policy_that_waits_says_why(why: str) -> None:
    words, standing, policy, stops = WAITING[why]
    assert step(standing, policy, stops) == words


def test_edges_belong_to_what_comes_next() -> None:
    assert step(having(since=NOW - 60 * MINUTE)) == "warned"
    assert step(having(judged_at=NOW - STALE)) == "warned"
    assert step(having(taken=WARNED | {"failed": NOW - AFTER_FAILURE})) == "stopped"
    assert step(having(taken=WARNED), stops=1) == "stopped"


def test_a_policy_for_teams_knows_them_in_any_case_and_one_for_none_is_for_all() -> None:
    assert step(policy=replace(POLICY, teams=frozenset({"nlp", "RC"}))) == "warned"
    assert step(having(team="unattributed")) == "warned"


def test_a_limit_of_stops_holds_up_no_warning() -> None:
    assert step(stops=9) == "warned"


def test_a_second_warning_without_a_first_stops_nothing() -> None:
    assert step(having(taken={"warned_again": NOW - 90 * MINUTE})) == "warned"


MOMENTS = st.integers(-5, 200).map(lambda minutes: NOW - minutes * MINUTE)
STANDINGS = st.builds(
    Standing,
    rule=st.sampled_from(["idle_gpu", "hung", "stuck"]),
    team=st.sampled_from(["rc", "RC", "nlp"]),
    since=MOMENTS,
    judged_at=MOMENTS,
    is_quiet=st.booleans(),
    is_stopping=st.booleans(),
    tags=st.frozensets(st.sampled_from(["Team", "Trainwatch:Exempt", "keep"])),
    taken=st.dictionaries(st.sampled_from(["warned", "warned_again", "stopped", "failed", "refused", "asked"]), MOMENTS),
)
POLICIES = st.builds(
    replace, st.just(POLICY), teams=st.sampled_from([frozenset(), frozenset({"rc"})]), dry_run=st.booleans(),
    exempt_tags=st.sampled_from([frozenset(), frozenset({"trainwatch:exempt"})]),
)  # fmt: skip


@given(POLICIES, STANDINGS, st.integers(0, 4))
def test_nothing_is_stopped_but_what_everything_speaks_for(policy: Policy, standing: Standing, stops: int) -> None:
    taken, long_ago = standing.taken, NOW - 1000 * MINUTE
    speaks_for = (
        standing.rule in policy.rules
        and (not policy.teams or standing.team.lower() == "rc")
        and not (policy.exempt_tags and "Trainwatch:Exempt" in standing.tags)
        and not standing.is_quiet
        and not standing.is_stopping
        and NOW - standing.judged_at <= STALE
        and NOW - standing.since >= policy.evidence
        and "warned" in taken
        and "warned_again" in taken
        and NOW - taken["warned_again"] >= policy.grace
        and not {"stopped", "refused"} & set(taken)
        and NOW - taken.get("failed", long_ago) >= AFTER_FAILURE
        and stops < policy.max_stops_per_hour
    )
    assert (next_step(policy, standing, stops, STALE, NOW) == "stopped") is speaks_for


@given(POLICIES, STANDINGS, st.integers(0, 4))
def test_every_answer_is_a_step_or_says_why_there_is_none(policy: Policy, standing: Standing, stops: int) -> None:
    answer = next_step(policy, standing, stops, STALE, NOW)
    assert answer in ("warned", "warned_again", "stopped") or " " in answer


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_however_the_clock_moves_two_warnings_and_their_times_come_before_the_stop(minutes: list[int]) -> None:
    taken: dict[str, datetime] = {}
    now, began = NOW, NOW - MINUTE
    for length in minutes:
        now += length * MINUTE
        found = next_step(POLICY, having(since=began, judged_at=now, taken=taken), 0, STALE, now)
        if " " not in found:
            assert found not in taken
            taken[found] = now
    assert list(taken) == ["warned", "warned_again", "stopped"][: len(taken)]
    if "stopped" in taken:
        assert taken["warned"] - began >= POLICY.evidence
        assert taken["warned_again"] - taken["warned"] >= POLICY.warn_after
        assert taken["stopped"] - taken["warned_again"] >= POLICY.grace
