"""Models, endpoints and packages of the simulated account: made of jobs that completed, and over the wire."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.job import paths
from demo.plan import Checkpoints, JobPlan, failed
from tests.integration.demo.account import Account, job

Open = Callable[..., Account]


def registered(name: str, *kinds: Any, hours_ago: float = 5.0, **changes: object) -> JobPlan:
    return job(name, hours_ago, registered=kinds, **({"paths": paths("rc", "fraud", name, "gnn")} | changes))


def test_a_model_is_there_once_its_job_has_completed(open_account: Open) -> None:
    sagemaker = open_account(
        [
            registered("rc-fraud-a", "model"), registered("rc-fraud-b", "model", hours_ago=0.5),
            registered("rc-fraud-c", "model", ending=failed("no")),
        ]
    ).client("sagemaker")  # fmt: skip
    assert [one["ModelName"] for one in sagemaker.list_models()["Models"]] == ["rc-fraud-a"]
    said = sagemaker.describe_model(ModelName="rc-fraud-a")
    assert said["PrimaryContainer"]["ModelDataUrl"] == "s3://acme-sm-rc-fraud/models/artifacts/rc-fraud-a/output/model.tar.gz"


def test_a_model_may_be_made_of_checkpoints_or_of_intermediate_output(open_account: Open) -> None:
    saves = Checkpoints("s3://acme-sm-rc-fraud/checkpoints/a")
    plans = [registered("rc-fraud-a", "checkpoint_model", checkpoints=saves), registered("rc-fraud-b", "intermediate_model")]
    sagemaker = open_account(plans).client("sagemaker")
    sources = [sagemaker.describe_model(ModelName=f"rc-fraud-{one}")["PrimaryContainer"]["ModelDataSource"]["S3DataSource"] for one in "ab"]
    assert [source["S3Uri"] for source in sources] == [
        "s3://acme-sm-rc-fraud/checkpoints/a/", "s3://acme-sm-rc-fraud/models/training/rc-fraud-b/output/",
    ]  # fmt: skip
    assert {source["S3DataType"] for source in sources} == {"S3Prefix"}


def test_an_endpoint_serves_the_model_of_its_configuration(open_account: Open) -> None:
    sagemaker = open_account([registered("rc-fraud-a", "model", "endpoint")]).client("sagemaker")
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    name = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])["EndpointConfigName"]
    assert sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0]["ModelName"] == "rc-fraud-a"


def test_packages_are_versions_of_a_group_or_stand_by_themselves(open_account: Open) -> None:
    sagemaker = open_account([registered("rc-fraud-a", "package"), registered("rc-fraud-b", "package", hours_ago=9)]).client("sagemaker")
    sagemaker.create_model_package(ModelPackageName="single", SourceUri="s3://b/x")
    assert [one["ModelPackageGroupName"] for one in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]] == ["rc-fraud"]
    counts = [len(sagemaker.list_model_packages(**asked)["ModelPackageSummaryList"]) for asked in (
        {}, {"ModelPackageType": "Versioned"}, {"ModelPackageType": "Both"}, {"ModelPackageGroupName": "rc-fraud"},
    )]  # fmt: skip
    assert counts == [1, 2, 3, 2]
    arn = sagemaker.list_model_packages(ModelPackageGroupName="rc-fraud")["ModelPackageSummaryList"][0]["ModelPackageArn"]
    containers = sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"]["Containers"]
    assert containers[0]["ModelDataUrl"].endswith("/output/model.tar.gz")
    assert sagemaker.describe_model_package(ModelPackageName="single")["SourceUri"] == "s3://b/x"


@pytest.mark.parametrize(
    ("operation", "asked", "words"),
    [
        ("describe_model", {"ModelName": "x"}, "Could not find model"),
        ("describe_endpoint", {"EndpointName": "x"}, "Could not find endpoint"),
        ("describe_endpoint_config", {"EndpointConfigName": "x"}, "Could not find endpoint configuration"),
        ("describe_model_package", {"ModelPackageName": "x"}, "does not exist"),
    ],
)
def test_what_is_not_there_is_a_validation_error_in_sagemakers_words(
    open_account: Open, operation: str, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(ClientError, match=words) as error:
        getattr(open_account().client("sagemaker"), operation)(**asked)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_what_somebody_deletes_does_not_come_back(open_account: Open) -> None:
    sagemaker = open_account([registered("rc-fraud-a", "model")]).client("sagemaker")
    sagemaker.delete_model(ModelName="rc-fraud-a")
    assert sagemaker.list_models()["Models"] == []
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.delete_model(ModelName="rc-fraud-a")


def test_another_account_or_region_has_none_of_them(open_account: Open) -> None:
    account = open_account([registered("rc-fraud-a", "model")])
    assert account.client("sagemaker", region="eu-west-1").list_models()["Models"] == []
    assert account.client("sagemaker", account.assume("210987654321")).list_models()["Models"] == []
