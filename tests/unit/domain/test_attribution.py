"""Whose job it is, rule by rule."""

import pytest

from domain.attribution import Conventions, Directory, Evidence, Team, model_type_from, without_timestamps
from domain.vocabulary import Clue, clues_of, learned_teams

CONVENTIONS = Conventions(company="acme")
DIRECTORY = Directory(
    (
        Team("algo", "Algorithms", ("project", "project-x")),
        Team("rc", "Risk control", ("fraud",)),
        Team("a", "", ("b-c",)),
        Team("a-b", "", ("c",)),
    ),
    CONVENTIONS,
)


def owner(name: str = "nobodys-job", **given: object) -> tuple[str, str, str, str, str | None]:
    evidence = Evidence(name, given.get("tags", {}), given.get("parent"), given.get("role"), given.get("bucket"))  # type: ignore[arg-type]
    found = DIRECTORY.attribute(evidence)
    return found.team, found.team_rule, found.project, found.project_rule, found.model_type


def test_the_longest_known_team_and_project_wins() -> None:
    assert owner("algo-project-x-pytorch-cnn-20240101-130000") == ("algo", "name", "project-x", "name", "pytorch-cnn")
    assert owner("algo-project-pytorch-cnn-20240101-130000") == ("algo", "name", "project", "name", "pytorch-cnn")


def test_two_pairs_that_spell_the_same_decide_nothing() -> None:
    assert owner("a-b-c-model-20240101-130000")[:2] == ("unattributed", "none")


def test_a_name_that_only_begins_like_a_project_is_not_its() -> None:
    assert owner("rc-fraudulent-xgb-20240101-130000")[1] == "none"


def test_a_tag_may_give_the_team_while_the_name_gives_the_project() -> None:
    assert owner("rc-fraud-xgb-20240101-130000", tags={"TEAM": "Algo"})[:4] == ("algo", "tag", "fraud", "name")


def test_tags_name_teams_by_id_or_by_name_without_regard_to_case() -> None:
    assert owner(tags={"team": " risk CONTROL "})[:2] == ("rc", "tag")


def test_an_unknown_team_in_a_tag_is_a_team_of_its_own_and_marked() -> None:
    found = DIRECTORY.attribute(Evidence("x", {"Team": "Skunkworks"}, None, None, None))
    assert (found.team, found.team_known) == ("skunkworks", False)


def test_an_empty_tag_does_not_answer() -> None:
    assert owner("rc-fraud-xgb-20240101-130000", tags={"Team": "  "})[:2] == ("rc", "name")


def test_a_tuning_child_belongs_to_its_tuner_when_its_own_name_says_nothing() -> None:
    assert owner("child-001-1a2b3c4d", parent="rc-fraud-tuner-240101-1300")[:4] == ("rc", "parent", "fraud", "parent")


def test_the_role_speaks_before_the_bucket() -> None:
    assert owner(role="sagemaker-RC-fraud-executionrole", bucket="acme-sm-algo-project-x")[:4] == ("rc", "role", "fraud", "role")
    assert owner(bucket="acme-sm-algo-project-x")[:4] == ("algo", "bucket", "project-x", "bucket")


def test_nothing_at_all_is_unattributed() -> None:
    assert owner()[:4] == ("unattributed", "none", "unattributed", "none")


@pytest.mark.parametrize(
    "suffix",
    [
        "-20240101-130000", "-2026-11-22-09-15-02-123", "-2026-11-22-09-15-02-1", "-20261122091502", "-001-1a2b3c4d",
        "-20240101-130000-017-00ffee11", "-240101-1300", "-1700000000-1a2b",
    ],
)  # fmt: skip
def test_every_known_suffix_counts_as_a_timestamp(suffix: str) -> None:
    assert without_timestamps(f"rc-fraud-xgb{suffix}") == "rc-fraud-xgb"
    assert model_type_from(f"-xgb{suffix}") == "xgb"


def test_another_template_reads_other_names() -> None:
    other = Directory((Team("rc", "", ("fraud",)),), Conventions(job_name="train_{project}_{team}_{model_type}"))
    assert other.attribute(Evidence("train_fraud_rc_xgb", {}, None, None, None)).team == "rc"


def test_without_a_company_any_text_stands_in_its_place() -> None:
    directory = Directory((Team("rc", "", ("fraud",)),), Conventions())
    assert directory.attribute(Evidence("x", {}, None, None, "whatever-inc-sm-rc-fraud")).team == "rc"


def test_a_team_without_projects_is_known_by_its_id_alone() -> None:
    found = Directory((Team("rc"),), CONVENTIONS).attribute(Evidence("rc-anything-20240101-130000", {}, None, None, None))
    assert (found.team, found.project) == ("rc", "unattributed")


def test_a_template_without_team_and_project_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        Directory((), Conventions(job_name="{timestamp}")).attribute(Evidence("x", {}, None, None, None))


def test_teams_are_learned_from_tags_and_from_roles_that_can_only_be_split_one_way() -> None:
    found = learned_teams(
        [
            Clue("tag", "rc\x1ffraud"),
            Clue("role", "sagemaker-nlp-llm-executionrole"),
            Clue("role", "sagemaker-x-y-z-executionrole"),
        ],
        CONVENTIONS,
    )
    assert found == (Team("nlp", "", ("llm",)), Team("rc", "", ("fraud",)))


def test_a_team_known_from_tags_settles_where_a_bucket_is_split() -> None:
    found = learned_teams([Clue("tag", "algo\x1f"), Clue("bucket", "acme-sm-algo-project-x")], CONVENTIONS)
    assert found == (Team("algo", "", ("project-x",)),)


def test_one_jobs_clues_are_its_tags_role_and_bucket() -> None:
    job = Evidence("n", {"TEAM": "RC"}, None, "Some-Role", "Some-Bucket")
    assert clues_of(job, CONVENTIONS) == {Clue("tag", "rc\x1f"), Clue("role", "some-role"), Clue("bucket", "some-bucket")}
