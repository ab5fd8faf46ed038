"""The policies that settings need: where, and nothing anywhere else."""

from typing import Any

import pytest

from actions.policies import MOST_BUCKETS, operator_policy, reader_policy
from settings import Settings


def settings(**changes: Any) -> Settings:
    """Settings of one company with two teams."""
    teams = [{"id": "rc", "projects": ["fraud", "credit"]}, {"id": "nlp", "projects": ["llm"]}]
    return Settings.model_validate({"conventions": {"company": "acme"}, "teams": teams} | changes)


def statements(policy: dict[str, Any], effect: str = "Allow") -> dict[str, dict[str, Any]]:
    """The statements of a policy by their Sid."""
    return {one["Sid"]: one for one in policy["Statement"] if one["Effect"] == effect}


def resources(statement: dict[str, Any]) -> list[str]:
    """What a statement is about."""
    named = statement["Resource"]
    return [named] if isinstance(named, str) else named


def test_deletes_are_allowed_in_the_buckets_and_prefixes_of_the_conventions_alone() -> None:
    cleans = statements(operator_policy(settings(), "us-east-1"))["TrainwatchCleansByPlan"]
    assert resources(cleans) == [
        f"arn:aws:s3:::acme-sm-{owner}/{prefix}*"
        for owner in ("nlp-llm", "rc-credit", "rc-fraud")
        for prefix in ("models/training/", "checkpoints/")
    ]


def test_artifacts_are_denied_to_it_whatever_else_it_is_given() -> None:
    denied = statements(operator_policy(settings(), None), "Deny")["TrainwatchNeverTouchesArtifacts"]
    assert resources(denied) == [f"arn:aws:s3:::acme-sm-{owner}/models/artifacts/*" for owner in ("nlp-llm", "rc-credit", "rc-fraud")]
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion"} <= set(denied["Action"])


@pytest.mark.parametrize("given", [settings(), Settings(), settings(teams=[]), settings(aws={"regions": ["cn-north-1", "us-gov-west-1"]})])
def test_nothing_of_s3_is_allowed_everywhere(given: Settings) -> None:
    for statement in statements(operator_policy(given, None)).values():
        if any(action.startswith("s3:") for action in statement["Action"]):
            assert all(resource.startswith("arn:aws") and ":s3:::" in resource and "-sm-" in resource for resource in resources(statement))


def test_partitions_are_those_of_the_regions() -> None:
    given = settings(
        aws={"regions": ["cn-north-1"], "accounts": [{"id": "123456789012", "regions": ["us-gov-west-1"]}]}, conventions={"company": "acme"}
    )
    stops = statements(operator_policy(given, "us-east-1"))["TrainwatchStopsTrainingJobs"]
    assert {resource.split(":")[1] for resource in resources(stops)} == {"aws-cn", "aws-us-gov"}
    of_credentials = statements(reader_policy(Settings(), "cn-north-1"))["TrainwatchListsBucketsAndReadsNoObject"]
    assert resources(of_credentials) == ["arn:aws-cn:s3:::*"]


def test_many_buckets_are_named_by_pattern_so_that_the_policy_stays_small() -> None:
    many = settings(teams=[{"id": "rc", "projects": [f"p{number}" for number in range(MOST_BUCKETS + 1)]}])
    cleans = statements(operator_policy(many, None))["TrainwatchCleansByPlan"]
    assert resources(cleans)[0] == "arn:aws:s3:::acme-sm-*-*/models/training/*"


def test_a_team_without_projects_has_all_of_its_buckets() -> None:
    given = settings(teams=[{"id": "RC"}])
    assert resources(statements(operator_policy(given, None))["TrainwatchSeesWhatItDeleted"]) == ["arn:aws:s3:::acme-sm-rc-*"]


def test_the_reader_may_change_nothing() -> None:
    actions = {action for statement in statements(reader_policy(settings(), None)).values() for action in statement["Action"]}
    assert all(action.split(":")[1].startswith(("Get", "List", "Describe", "Search")) for action in actions)
