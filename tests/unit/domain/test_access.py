"""Roles, and who may act on a team's jobs."""

import itertools

import pytest

from domain.access import RANKS, Person, Role, higher, may_act


def person(role: Role, *teams: str) -> Person:
    """Somebody of a role who signed in."""
    return Person("olga@example.com", role, frozenset(teams), "sign-in")


@pytest.mark.parametrize(("role", "sees"), [("none", False), ("viewer", True), ("operator", True), ("admin", True)])
def test_everybody_with_a_role_may_see(role: Role, sees: bool) -> None:
    assert person(role).may_see is sees


@pytest.mark.parametrize("team", ["rc", "nlp", "unattributed", ""])
def test_an_admin_may_act_on_every_job(team: str) -> None:
    assert may_act(person("admin"), team) is None


@pytest.mark.parametrize(("own", "team"), [("rc", "rc"), ("RC", "rc"), ("rc", "Rc")])
def test_an_operator_may_act_on_jobs_of_own_teams_in_any_case(own: str, team: str) -> None:
    assert may_act(person("operator", own, "nlp"), team) is None


@pytest.mark.parametrize("team", ["cv", "rc2", "r", "", "unattributed", "rc,nlp", "rc, nlp"])
def test_an_operator_may_not_act_on_jobs_of_other_teams(team: str) -> None:
    refusal = may_act(person("operator", "rc", "nlp"), team)
    assert refusal is not None
    assert refusal.code == "other_team"
    assert "nlp, rc" in refusal.why


def test_an_operator_of_no_team_may_act_on_none() -> None:
    refusal = may_act(person("operator"), "rc")
    assert refusal is not None
    assert "none" in refusal.why


@pytest.mark.parametrize("role", ["viewer", "none"])
def test_whoever_is_no_operator_may_not_act_whatever_their_teams(role: Role) -> None:
    refusal = may_act(person(role, "rc"), "rc")
    assert refusal is not None
    assert refusal.code == "not_allowed"
    assert "ask an admin" in refusal.why


def test_a_visitor_is_told_to_sign_in() -> None:
    refusal = may_act(Person("visitor", "viewer"), "rc")
    assert refusal is not None
    assert "sign in" in refusal.why


def test_a_person_is_a_visitor_without_teams_unless_said_otherwise() -> None:
    assert Person("somebody", "viewer") == Person("somebody", "viewer", frozenset(), "visitor")


@pytest.mark.parametrize(("one", "another"), [*itertools.product(RANKS, RANKS)])
def test_the_higher_role_is_the_one_that_may_do_more_in_either_order(one: Role, another: Role) -> None:
    assert higher(one, another) == higher(another, one) == RANKS[max(RANKS.index(one), RANKS.index(another))]
