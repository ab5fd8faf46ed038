"""What models refer to: whole or not claimed to be, and never forgotten because of a failure."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from demo.job import paths
from demo.plan import Checkpoints, JobPlan
from storage.engine import reading
from storage.references import references_at, references_known
from storage.schema_objects import model_references
from tests.integration.collectors.watching import HOUR, NOW, Watched, plan

Watch = Callable[..., Watched]
SCOPE = ("123456789012", "us-east-1")


def finished(name: str, *registered: Any, created: timedelta = 30 * HOUR) -> JobPlan:
    return plan(name, created, registered=registered, paths=paths("rc", "fraud", name, "gnn"))


def known(account: Watched) -> dict[str, str]:
    with reading(account.engine) as connection:
        return {place.uri: words for place, words in references_known(connection).items()}


def complete_at(account: Watched) -> Any:
    with reading(account.engine) as connection:
        return references_at(connection).get(SCOPE)


def artifact(name: str) -> str:
    return f"s3://acme-sm-rc-fraud/models/artifacts/{name}/output/model.tar.gz"


def model(account: Watched, name: str, **container: Any) -> None:
    account.clients().sagemaker.create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::1:role/x", PrimaryContainer=container)


def endpoint(account: Watched, name: str, **variant: Any) -> None:
    sagemaker = account.clients().sagemaker
    captured: Any = {"EnableCapture": True, "InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://captured/"}
    captured["CaptureOptions"] = [{"CaptureMode": "Input"}]
    served: Any = [{"VariantName": "A", **variant}]
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-config", ProductionVariants=served, DataCaptureConfig=captured)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config")


def test_models_endpoints_and_packages_of_jobs_are_all_known(watch: Watch) -> None:
    saves = Checkpoints("s3://acme-sm-rc-fraud/checkpoints/d/")
    account = watch(
        [
            finished("rc-fraud-a", "model", "endpoint"), finished("rc-fraud-b", "package"), finished("rc-fraud-c", "intermediate_model"),
            plan("rc-fraud-d", 30 * HOUR, registered=("checkpoint_model",), checkpoints=saves), finished("rc-fraud-e"),
        ]
    )  # fmt: skip
    report = account.run("models")
    assert (report.outcome, report.message) == ("ok", "4 references")
    assert known(account) == {
        artifact("rc-fraud-a"): "model rc-fraud-a",
        artifact("rc-fraud-b"): "model package rc-fraud/1",
        "s3://acme-sm-rc-fraud/models/training/rc-fraud-c/output/": "model rc-fraud-c",
        "s3://acme-sm-rc-fraud/checkpoints/d/": "model rc-fraud-d",
    }
    assert complete_at(account) == NOW


def test_every_member_that_may_hold_an_address_counts(watch: Watch) -> None:
    account = watch()
    sagemaker = account.clients().sagemaker
    source = {"S3Uri": "s3://b/additional/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    containers = [
        {"ModelDataUrl": "s3://b/first.tar.gz", "Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/sourcedir.tar.gz"}},
        {"ModelDataUrl": "https://b.s3.us-east-1.amazonaws.com/second.tar.gz"},
        {"AdditionalModelDataSources": [{"ChannelName": "x", "S3DataSource": source}]},
    ]
    sagemaker.create_model(ModelName="pipeline", ExecutionRoleArn="arn:aws:iam::1:role/x", Containers=containers)
    image = "1.dkr.ecr.us-east-1.amazonaws.com/x"
    specified = {
        "Containers": [{"Image": image, "ModelDataUrl": "s3://b/package.tar.gz"}],
        "SupportedContentTypes": [],
        "SupportedResponseMIMETypes": [],
    }
    more = {"Name": "more", "Containers": [{"Image": image, "ModelDataUrl": "s3://b/more.tar.gz"}]}
    algorithm = {"SourceAlgorithms": [{"AlgorithmName": "x", "ModelDataUrl": "s3://b/algorithm.tar.gz"}]}
    sagemaker.create_model_package(
        ModelPackageName="unversioned", InferenceSpecification=specified, AdditionalInferenceSpecifications=[more],
        SourceAlgorithmSpecification=algorithm, ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "x", "S3Uri": "s3://b/report.json"}}},
    )  # fmt: skip
    assert account.run("models").outcome == "ok"
    names = "first.tar.gz sourcedir.tar.gz second.tar.gz additional/ package.tar.gz more.tar.gz algorithm.tar.gz report.json"
    assert set(known(account)) == {f"s3://b/{name}" for name in names.split()}


def test_lists_are_paged_to_their_end(watch: Watch) -> None:
    account = watch()
    for number in range(230):
        model(account, f"m-{number}", ModelDataUrl=f"s3://b/{number}.tar.gz")
    for number in range(120):
        account.clients().sagemaker.create_model_package(ModelPackageGroupName=f"g{number % 3}", SourceUri=f"s3://b/package-{number}/")
    account.aws.calls.clear()
    assert account.run("models").message == "350 references"
    assert account.aws.calls["ListModels"] == 3
    assert len(known(account)) == 350


def test_what_is_deleted_is_forgotten_by_the_next_whole_look(watch: Watch) -> None:
    account = watch()
    model(account, "old", ModelDataUrl="s3://b/old.tar.gz")
    account.run("models")
    account.clients().sagemaker.delete_model(ModelName="old")
    model(account, "new", ModelDataUrl="s3://b/new.tar.gz")
    assert account.later(HOUR, "models").outcome == "ok"
    assert set(known(account)) == {"s3://b/new.tar.gz"}
    assert complete_at(account) == NOW + HOUR


@pytest.mark.parametrize(
    "operation",
    [
        "ListModels", "DescribeModel", "ListEndpoints", "DescribeEndpoint", "DescribeEndpointConfig", "ListInferenceComponents",
        "ListModelPackageGroups", "ListModelPackages", "DescribeModelPackage",
    ],
)  # fmt: skip
@pytest.mark.parametrize("fault", ["deny", "throttle", "fail"])
def test_where_anything_cannot_be_asked_nothing_is_claimed_nor_forgotten(watch: Watch, operation: str, fault: str) -> None:
    account = watch([finished("rc-fraud-a", "model", "endpoint"), finished("rc-fraud-b", "package")])
    model(account, "gone", ModelDataUrl="s3://b/gone.tar.gz")
    account.run("models")
    before = known(account)
    account.clients().sagemaker.delete_model(ModelName="gone")
    getattr(account.aws.faults, fault)(operation)
    report = account.later(HOUR, "models")
    assert report.outcome == "partial"
    assert operation in report.message
    assert known(account) == before
    assert complete_at(account) == NOW
    account.aws.faults.clear()
    assert account.later(HOUR, "models").outcome == "ok"
    assert set(known(account)) == set(before) - {"s3://b/gone.tar.gz"}
    assert complete_at(account) == NOW + 2 * HOUR


def test_what_is_denied_once_is_not_asked_a_thousand_times(watch: Watch) -> None:
    account = watch()
    for number in range(200):
        model(account, f"m-{number}", ModelDataUrl=f"s3://b/{number}.tar.gz")
    account.aws.faults.deny("DescribeModel")
    account.aws.calls.clear()
    assert account.run("models").outcome == "partial"
    assert account.aws.calls["DescribeModel"] <= 4


def test_references_found_before_the_way_to_aws_broke_are_kept(watch: Watch) -> None:
    account = watch()
    model(account, "new", ModelDataUrl="s3://b/new.tar.gz")
    account.aws.faults.deny("ListEndpoints", "The security token included in the request is expired")
    account.clients("models").sagemaker.meta.events.register(
        "before-call.sagemaker.ListEndpoints", lambda **_: account.aws.faults.expire_credentials()
    )
    assert account.run("models").outcome == "failed"
    assert set(known(account)) == {"s3://b/new.tar.gz"}
    assert complete_at(account) is None


def test_a_deleted_model_that_an_endpoint_serves_keeps_the_look_from_being_whole(watch: Watch) -> None:
    account = watch()
    model(account, "served", ModelDataUrl="s3://b/served.tar.gz")
    endpoint(account, "live", ModelName="served")
    account.run("models")
    account.clients().sagemaker.delete_model(ModelName="served")
    report = account.later(HOUR, "models")
    assert report.outcome == "partial"
    assert "endpoint live serves the model served, which is deleted: what it refers to is not known" in report.message
    assert known(account) == {"s3://b/served.tar.gz": "model served"}
    assert complete_at(account) == NOW


def test_an_endpoint_whose_configuration_is_deleted_keeps_the_look_from_being_whole(watch: Watch) -> None:
    account = watch()
    model(account, "served", ModelDataUrl="s3://b/served.tar.gz")
    endpoint(account, "live", ModelName="served")
    account.clients().sagemaker.delete_endpoint_config(EndpointConfigName="live-config")
    assert "endpoint live has the configuration live-config, which is deleted" in account.run("models").message
    assert complete_at(account) is None


def test_an_inference_component_brings_an_artifact_or_a_model(watch: Watch) -> None:
    account = watch()
    sagemaker = account.clients().sagemaker
    endpoint(account, "live")
    for name, specification in (("own", {"Container": {"ArtifactUrl": "s3://b/own.tar.gz"}}), ("of-model", {"ModelName": "none"})):
        sagemaker.create_inference_component(InferenceComponentName=name, EndpointName="live", VariantName="A", Specification=specification)
    report = account.run("models")
    assert "inference component of-model serves the model none, which is deleted" in report.message
    assert known(account) == {"s3://b/own.tar.gz": "inference component own"}
    model(account, "none", ModelDataUrl="s3://b/model.tar.gz")
    assert account.later(HOUR, "models").outcome == "ok"


def test_a_model_made_of_a_package_that_cannot_be_seen_keeps_the_look_from_being_whole(watch: Watch) -> None:
    account = watch()
    sagemaker = account.clients().sagemaker
    arn = sagemaker.create_model_package(ModelPackageGroupName="g", SourceUri="s3://b/package/")["ModelPackageArn"]
    sagemaker.create_model_package(ModelPackageName="single", SourceUri="s3://b/single/")
    model(account, "ours", ModelPackageName=arn)
    model(account, "by-name", ModelPackageName="single")
    assert account.run("models").outcome == "ok"
    model(account, "of-others", ModelPackageName="arn:aws:sagemaker:us-east-1:999999999999:model-package/theirs/1")
    report = account.later(HOUR, "models")
    assert "model of-others is made of the model package theirs/1, which is deleted" in report.message
    assert complete_at(account) == NOW


def test_a_model_that_goes_while_we_look_is_no_problem(watch: Watch) -> None:
    account = watch()
    model(account, "brief", ModelDataUrl="s3://b/brief.tar.gz")
    others = account.clients().sagemaker

    def delete(**_: Any) -> None:
        if others.list_models()["Models"]:
            others.delete_model(ModelName="brief")

    account.clients("models").sagemaker.meta.events.register("before-call.sagemaker.DescribeModel", delete)
    assert account.run("models").outcome == "ok"
    assert known(account) == {}
    assert complete_at(account) == NOW


def test_each_reference_has_a_row_of_its_own(watch: Watch) -> None:
    account = watch()
    model(account, "one", ModelDataUrl="s3://b/x")
    model(account, "two", ModelDataUrl="s3://b/x")
    account.run("models")
    assert {(row.kind, row.name) for row in account.rows(select(model_references))} == {("model", "one"), ("model", "two")}
