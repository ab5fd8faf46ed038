"""Who may stop, and through which credentials: decided by the action itself, whatever the plan says."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from actions.reach import Reach
from actions.stopping import refuse
from aws.session import Clients, watched
from demo.plan import DEFAULT_ACCOUNT
from domain.access import Person, Refusal
from domain.stopping import plan_stop
from settings import Settings
from tests.integration.actions.conftest import (
    ADMIN,
    LIMITS,
    OPERATOR,
    OTHER_ACCOUNT,
    OTHER_REGION,
    TWO_ACCOUNTS,
    WHY,
    Sit,
    running,
)
from tests.integration.collectors.watching import NOW

# Who may


@pytest.mark.parametrize(
    "person",
    [
        Person("olga@example.com", "operator", frozenset({"nlp"}), "sign-in"),
        Person("olga@example.com", "operator", frozenset(), "sign-in"),
        Person("olga@example.com", "viewer", frozenset({"rc"}), "sign-in"),
        Person("visitor", "none"),
    ],
)
def test_who_lost_the_role_since_the_plan_was_made_is_refused_by_the_action_itself(person: Person, sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    made, before = replace(desk.plan(), person=person), desk.statuses()
    result = desk.execute(made)[0]
    assert (result.outcome, result.is_done) == ("refused", False)
    row = desk.audit()[0]
    assert (row.by, row.role, row.outcome, row.reason) == (person.name, person.role, f"refused: {result.words}", WHY)
    assert desk.asked() == 0
    assert desk.aws.calls.total() == 0
    assert desk.statuses() == before


def test_of_several_targets_only_those_of_own_teams_are_stopped_even_by_a_plan_that_should_not_be(sit: Sit) -> None:
    desk = sit()
    made = desk.plan(desk.target("nlp-llm-sft-20261120-100000"), desk.target(), person=ADMIN)
    results = desk.execute(replace(made, person=OPERATOR))
    assert [result.outcome for result in results] == ["refused", "stopping"]
    assert desk.status("nlp-llm-sft-20261120-100000") == "InProgress"


def test_a_plan_of_more_than_one_action_may_stop_is_refused_by_the_action_itself(sit: Sit) -> None:
    desk = sit()
    target = desk.target()
    before = desk.statuses()
    results = desk.execute(replace(desk.plan(), targets=(target,) * 11))
    assert {result.outcome for result in results} == {"refused"}
    assert "11 jobs are more than the 10 that one action may stop" in results[0].words
    assert (desk.asked(), desk.statuses()) == (0, before)
    assert desk.audit()[0].outcome.startswith("refused")


def test_a_plan_that_is_refused_is_written_down_with_its_reason(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine)
    target = desk.target("nlp-llm-sft-20261120-100000")
    refusal = plan_stop([target], OPERATOR, WHY, LIMITS, NOW)
    assert isinstance(refusal, Refusal)
    refuse(engine, OPERATOR, target.arn, WHY, refusal, NOW, target)
    row = desk.audit()[0]
    assert (row.outcome, row.after, row.team, row.by) == (f"refused: {refusal.why}", {"refused": "other_team"}, "nlp", "olga@example.com")
    assert desk.asked() == 0


# Through which credentials


def test_the_role_for_actions_is_assumed_for_the_stop_and_not_for_reading(sit: Sit, engine: Engine) -> None:
    desk = sit(engine=engine, aws=TWO_ACCOUNTS)
    callers = {target.scope.account: Clients(target).caller() for target in watched(desk.settings)}
    assert "assumed-role/trainwatch-reader/" in callers[OTHER_ACCOUNT]
    seen: list[tuple[str, str]] = []
    desk.before("StopTrainingJob", lambda call: seen.append((call.account, call.region)))
    result = desk.stop(desk.target(account=OTHER_ACCOUNT))
    assert result.outcome == "stopping"
    assert seen == [(OTHER_ACCOUNT, "us-east-1")]
    caller = desk.audit()[0].caller
    assert caller is not None
    assert caller.startswith(f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/trainwatch-operator/")
    assert desk.status() == "InProgress"
    assert desk.status(account=OTHER_ACCOUNT) == "Stopping"


def test_to_look_at_tags_first_the_role_for_reading_serves(sit: Sit) -> None:
    desk = sit([], aws=TWO_ACCOUNTS)
    for clients, role in ((desk.reach.reading, "trainwatch-reader"), (desk.reach.of, "trainwatch-operator")):
        assert f"assumed-role/{role}/" in clients(OTHER_ACCOUNT, "us-east-1").caller()


def test_without_a_role_for_actions_the_one_for_reading_serves(sit: Sit) -> None:
    accounts = [{name: value for name, value in account.items() if name != "action_role_arn"} for account in TWO_ACCOUNTS["accounts"]]
    desk = sit(aws={"regions": ["us-east-1"], "accounts": accounts})
    desk.stop(desk.target(account=OTHER_ACCOUNT))
    assert "assumed-role/trainwatch-reader/" in str(desk.audit()[0].caller)


def test_a_role_that_may_not_be_assumed_stops_nothing(sit: Sit) -> None:
    desk = sit(aws=TWO_ACCOUNTS)
    desk.aws.faults.deny("AssumeRole")
    result = desk.stop(desk.target(account=OTHER_ACCOUNT))
    assert result.outcome == "refused"
    assert "sts:AssumeRole is denied" in result.words
    assert desk.asked() == 0


def test_credentials_of_another_account_stop_nothing_there(sit: Sit, engine: Engine) -> None:
    desk = sit([running(), running(account=OTHER_ACCOUNT)], engine)
    made = desk.plan(replace(desk.target(), account=OTHER_ACCOUNT))
    before = desk.statuses()
    desk.reach = Reach(Settings.model_validate({"aws": {"regions": ["us-east-1"], "accounts": [{"id": OTHER_ACCOUNT}]}}))
    result = desk.execute(made)[0]
    assert result.outcome == "refused"
    assert f"the credentials belong to account {DEFAULT_ACCOUNT}" in result.words
    assert desk.asked() == 0
    assert desk.statuses() == before


@pytest.mark.parametrize("elsewhere", [{"account": OTHER_ACCOUNT}, {"region": OTHER_REGION}])
def test_an_account_or_region_that_is_not_watched_is_out_of_reach(elsewhere: dict[str, str], sit: Sit) -> None:
    desk = sit()
    result = desk.stop(replace(desk.target(), **elsewhere))
    assert result.outcome == "refused"
    assert "the settings do not watch this account and region" in result.words
    assert desk.asked() == 0
