"""What may be stopped: a plan is only ever for what everything speaks for, and whatever speaks against it is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Person, Refusal
from domain.stopping import REASON_LIMIT, StopLimits, StopPlan, StopTarget, chosen, plan_stop
from domain.training_job import ENDED

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITS = StopLimits(max_jobs=3, stale_minutes=15)
ADMIN = Person("ann@example.com", "admin", via="sign-in")
OPERATOR = Person("olga@example.com", "operator", frozenset({"rc", "nlp"}), "sign-in")
TARGET = StopTarget(
    kind="training_job",
    name="rc-fraud-gnn",
    arn="arn:aws:sagemaker:us-east-1:123456789012:training-job/rc-fraud-gnn",
    account="123456789012",
    region="us-east-1",
    created_at=NOW - timedelta(hours=3),
    team="rc",
    status="InProgress",
    secondary_status="Training",
    instances="ml.g5.2xlarge × 1",
    capacity="on_demand",
    ran_seconds=10_000,
    burn_nusd=1_515_000_000,
    accruing_nusd=4_000_000_000,
    avoided_nusd=30_000_000_000,
    avoided="rate × 21 h left",
    work_lost_nusd=4_000_000_000,
    work_lost="all of it",
    observed_at=NOW - MINUTE,
)
TUNING = replace(TARGET, kind="tuning_job", name="rc-fraud-hpo")


def planned(*targets: StopTarget, person: Person = OPERATOR, reason: str = "hung", limits: StopLimits = LIMITS) -> StopPlan | Refusal:
    return plan_stop(targets, person, reason, limits, NOW)


def plan_for(*targets: StopTarget, reason: str = "hung") -> StopPlan:
    """The plan, which there must be."""
    made = planned(*targets, reason=reason)
    assert isinstance(made, StopPlan), made
    return made


def refusal_of(*targets: StopTarget, person: Person = OPERATOR, reason: str = "hung") -> Refusal:
    """The refusal, which there must be."""
    made = planned(*targets, person=person, reason=reason)
    assert isinstance(made, Refusal), made
    return made


# Properties

OFTEN = ["InProgress"] * 12  # so that there is a plan about as often as there is none
STATUSES = st.sampled_from([*OFTEN, "Stopping", "Completed", "Failed", "Stopped", "Gone", "Unknown", "Deleting", "Paused", ""])
TEAMS = st.sampled_from(["rc", "RC", "nlp", "cv", "unattributed", ""])
PEOPLE = st.builds(
    Person,
    name=st.just("somebody"),
    role=st.sampled_from(["none", "viewer", "operator", "operator", "operator", "admin"]),
    teams=st.frozensets(TEAMS, max_size=3),
    via=st.sampled_from(["sign-in", "local", "shell", "policy", "visitor"]),
)
TARGETS = st.builds(
    replace,
    st.sampled_from([TARGET, TUNING]),
    name=st.sampled_from(["a", "b", "c"]),
    team=TEAMS,
    status=STATUSES,
    tuning_job=st.sampled_from([None, None, None, "hpo"]),
    tuner_alive=st.sampled_from([None, True, False]),
    pipeline=st.sampled_from([None, "nightly"]),
    observed_at=st.sampled_from([None, NOW - MINUTE, NOW - 16 * MINUTE]),
)
REASONS = st.one_of(
    st.text(max_size=20), st.text(alphabet=" \t\n\r\u00a0\u3000", max_size=3), st.just("hung"), st.text(min_size=600, max_size=700)
)


def _may(person: Person, team: str) -> bool:
    """Who may act, said once more and in other words."""
    return person.role == "admin" or (person.role == "operator" and any(team.lower() == own.lower() for own in person.teams))


def _may_stop(target: StopTarget) -> bool:
    """What may be stopped, said once more and in other words."""
    replaced = target.tuning_job is not None and target.tuner_alive in (True, None)
    return target.status in ("InProgress", "Stopping") and not replaced


@given(st.lists(TARGETS, max_size=5), PEOPLE, REASONS)
def test_there_is_a_plan_exactly_when_nothing_speaks_against_it(targets: list[StopTarget], person: Person, reason: str) -> None:
    made = plan_stop(targets, person, reason, LIMITS, NOW)
    allowed = all(_may(person, target.team) for target in targets)
    fits = 1 <= len(targets) <= 3 and reason.strip() != ""
    assert isinstance(made, StopPlan) is (allowed and fits and all(_may_stop(target) for target in targets))


@given(st.lists(TARGETS, max_size=5), PEOPLE, REASONS)
def test_a_plan_is_for_what_was_named_and_by_whom_and_a_refusal_says_why(targets: list[StopTarget], person: Person, reason: str) -> None:
    made = plan_stop(targets, person, reason, LIMITS, NOW)
    if isinstance(made, Refusal):
        assert made.code
        assert made.why.strip()
        return
    assert (made.targets, made.person) == (tuple(targets), person)
    assert 0 < len(made.reason) <= REASON_LIMIT
    assert made.reason.startswith(reason.split()[0][:REASON_LIMIT])
    assert not any(character in made.reason for character in "\n\r\t")


@given(st.lists(TARGETS, max_size=5), PEOPLE, REASONS)
def test_the_same_question_has_the_same_answer(targets: list[StopTarget], person: Person, reason: str) -> None:
    assert plan_stop(targets, person, reason, LIMITS, NOW) == plan_stop(targets, person, reason, LIMITS, NOW)


BAD = [{"team": "cv"}, {"status": "Stopped"}, {"status": "Paused"}, {"tuning_job": "hpo"}, {"tuning_job": "hpo", "tuner_alive": True}]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", range(3))
def test_one_target_that_may_not_be_stopped_refuses_them_all_wherever_it_stands(bad: dict[str, Any], place: int) -> None:
    targets = [replace(TARGET, name=name) for name in "abc"]
    assert isinstance(planned(*targets), StopPlan)
    targets[place] = replace(targets[place], **bad)
    assert isinstance(planned(*targets), Refusal)


# Refusals, one by one


def test_nothing_is_nothing_to_stop() -> None:
    assert refusal_of().code == "nothing"


def test_as_many_as_settings_allow_may_be_stopped_at_once_and_no_more() -> None:
    three = [replace(TARGET, name=name) for name in "abc"]
    assert len(plan_for(*three).targets) == 3
    refusal = refusal_of(*three, replace(TARGET, name="d"))
    assert refusal.code == "too_many"
    assert "4 jobs" in refusal.why
    assert "max_jobs is 3" in refusal.why


@pytest.mark.parametrize("reason", ["", " ", "\n\t ", "\u00a0", "\u3000\u2003"])
def test_a_reason_is_wanted_and_blanks_are_none(reason: str) -> None:
    assert refusal_of(TARGET, reason=reason).code == "no_reason"
    assert refusal_of(TARGET, person=ADMIN, reason=reason).code == "no_reason"


@pytest.mark.parametrize("status", sorted(ENDED | {"Gone"}))
def test_what_has_ended_leaves_nothing_to_stop(status: str) -> None:
    refusal = refusal_of(replace(TARGET, status=status), person=ADMIN)
    assert refusal.code == "ended"
    assert status in refusal.why
    assert "rc-fraud-gnn" in refusal.why


@pytest.mark.parametrize("status", ["Unknown", "Deleting", "Paused", "", "inprogress", "INPROGRESS", "InProgress "])
def test_a_status_that_is_not_known_here_is_left_to_whoever_knows_it(status: str) -> None:
    refusal = refusal_of(replace(TARGET, status=status), person=ADMIN)
    assert refusal.code == "unknown_state"
    assert "AWS console" in refusal.why


def test_a_job_of_another_team_is_refused_with_the_teams_that_one_may_act_for() -> None:
    refusal = refusal_of(replace(TARGET, team="cv"))
    assert refusal.code == "other_team"
    assert "of team cv" in refusal.why
    assert "nlp, rc" in refusal.why


@pytest.mark.parametrize(
    ("person", "advice"),
    [
        (Person("vera@example.com", "viewer", frozenset({"rc"}), "sign-in"), "ask an admin for the operator role"),
        (Person("visitor", "viewer"), "sign in"),
        (Person("visitor", "none"), "sign in"),
    ],
)
def test_who_only_looks_may_not_stop(person: Person, advice: str) -> None:
    refusal = refusal_of(TARGET, person=person)
    assert refusal.code == "not_allowed"
    assert advice in refusal.why


def test_what_one_may_not_see_to_is_refused_before_anything_is_said_of_its_state() -> None:
    assert refusal_of(replace(TARGET, team="cv", status="Completed")).code == "other_team"


@pytest.mark.parametrize("alive", [True, None])
def test_a_child_whose_tuning_job_would_launch_another_is_refused_with_its_name(alive: bool | None) -> None:
    refusal = refusal_of(replace(TARGET, tuning_job="rc-fraud-hpo", tuner_alive=alive), person=ADMIN)
    assert refusal.code == "tuning_child"
    assert "trainwatch stop --tuning rc-fraud-hpo" in refusal.why


def test_a_child_whose_tuning_job_has_ended_may_be_stopped() -> None:
    assert plan_for(replace(TARGET, tuning_job="rc-fraud-hpo", tuner_alive=False)).consequences == ()


# What a plan says


def test_a_plan_for_an_ordinary_job_has_nothing_to_warn_of() -> None:
    made = plan_for(TARGET)
    assert (made.consequences, made.warnings) == ((), ())


def test_a_job_of_a_pipeline_may_be_stopped_and_the_plan_says_what_that_does() -> None:
    made = plan_for(TARGET, replace(TARGET, name="step", pipeline="nightly"))
    assert made.consequences == ("step is a step of pipeline nightly, whose execution fails when it is stopped",)


def test_a_tuning_job_may_be_stopped_and_the_plan_says_what_becomes_of_its_children() -> None:
    (words,) = plan_for(TUNING).consequences
    assert words.startswith("tuning job rc-fraud-hpo stops all of its running jobs")


def test_what_is_stopping_may_be_asked_again_and_the_plan_says_that_it_changes_nothing() -> None:
    (words,) = plan_for(replace(TARGET, status="Stopping")).consequences
    assert words == "rc-fraud-gnn is stopping already; asking again changes nothing"


@pytest.mark.parametrize(("minutes", "warns"), [(0, False), (15, False), (15.1, True), (600, True)])
def test_figures_that_are_too_old_are_warned_of(minutes: float, warns: bool) -> None:
    made = plan_for(replace(TARGET, observed_at=NOW - minutes * MINUTE))
    assert bool(made.warnings) is warns
    assert all("the collectors are late; the job is looked at again" in words for words in made.warnings)


def test_the_oldest_of_several_decides_how_old_the_figures_are() -> None:
    made = plan_for(TARGET, replace(TARGET, observed_at=NOW - 47 * MINUTE))
    assert made.warnings == ("these figures are 47 min old: the collectors are late; the job is looked at again before it is stopped",)


def test_figures_of_no_known_age_say_so() -> None:
    assert plan_for(TARGET, replace(TARGET, observed_at=None)).warnings == ("nobody knows how old these figures are",)


@pytest.mark.parametrize(
    ("given_reason", "kept"),
    [("  hung \n since\tmidnight ", "hung since midnight"), ("x" * 600, "x" * REASON_LIMIT), ("=cmd|'/c calc'!A0", "=cmd|'/c calc'!A0")],
)
def test_a_reason_is_kept_on_one_line_and_at_bounded_length(given_reason: str, kept: str) -> None:
    assert plan_for(TARGET, reason=given_reason).reason == kept


# Which one is meant


def test_the_one_job_of_a_name_is_chosen() -> None:
    assert chosen([TARGET], "rc-fraud-gnn") is TARGET


def test_a_name_that_fits_nothing_says_where_to_find_names() -> None:
    refusal = chosen([], "rc-frod")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_found"
    assert "'rc-frod'" in refusal.why
    assert "trainwatch jobs --name" in refusal.why


def test_a_name_that_fits_several_is_refused_with_what_tells_them_apart() -> None:
    elsewhere = replace(TARGET, account="222222222222", region="eu-west-1", created_at=datetime(2026, 11, 19, 8, 30, 5, tzinfo=UTC))
    earlier = replace(TARGET, status="Completed", created_at=datetime(2026, 10, 1, tzinfo=UTC))
    refusal = chosen([TARGET, elsewhere, earlier], "rc-fraud-gnn")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "several"
    assert refusal.why.startswith("3 jobs are named 'rc-fraud-gnn'; say which: ")
    assert "--account 123456789012 --region us-east-1 --created 2026-11-20T09:00:00Z (InProgress)" in refusal.why
    assert "--account 222222222222 --region eu-west-1 --created 2026-11-19T08:30:05Z (InProgress)" in refusal.why
    assert "--account 123456789012 --region us-east-1 --created 2026-10-01T00:00:00Z (Completed)" in refusal.why


@given(st.lists(TARGETS, max_size=4))
def test_never_is_one_chosen_of_several(found: list[StopTarget]) -> None:
    one = chosen(found, "x")
    assert isinstance(one, StopTarget) is (len(found) == 1)
