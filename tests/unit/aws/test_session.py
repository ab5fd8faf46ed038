"""Which accounts and regions the settings mean, and what our calls cost."""

import pytest

from aws.errors import Misconfigured
from aws.meter import Count, price_nusd, since
from aws.session import Clients, price_list_region, watched
from domain.money import nusd
from settings import Settings


def _settings(**aws: object) -> Settings:
    return Settings.model_validate({"aws": aws})


def test_each_account_is_watched_in_its_own_regions_else_in_those_of_all() -> None:
    accounts = [{"id": "111111111111", "name": "prod", "role_arn": "arn:r"}, {"id": "222222222222", "regions": ["eu-west-1", "eu-west-1"]}]
    targets = watched(_settings(regions=["us-east-1", "us-west-2"], accounts=accounts))
    assert [(one.scope.account, one.scope.region, one.scope.name, one.role_arn) for one in targets] == [
        ("111111111111", "us-east-1", "prod", "arn:r"),
        ("111111111111", "us-west-2", "prod", "arn:r"),
        ("222222222222", "eu-west-1", None, None),
    ]


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_without_regions_in_settings_it_is_the_region_of_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "ap-southeast-1")
    assert [one.scope.region for one in watched(_settings(accounts=[{"id": "111111111111"}]))] == ["ap-southeast-1"]


def test_without_any_region_it_says_where_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(Misconfigured, match=r"set \[aws\] regions"):
        watched(_settings(accounts=[{"id": "111111111111"}]))


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Misconfigured, match="nobody"):
        watched(_settings())


def test_making_a_client_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    target = watched(_settings(regions=["eu-central-1"], accounts=[{"id": "111111111111"}]))[0]
    assert Clients(target).sagemaker.meta.region_name == "eu-central-1"
    assert Clients(target).pricing.meta.region_name == "eu-central-1"


@pytest.mark.parametrize(
    ("region", "nearest"),
    [("us-west-2", "us-east-1"), ("sa-east-1", "us-east-1"), ("eu-west-1", "eu-central-1"), ("ap-southeast-1", "ap-south-1")],
)
def test_the_price_list_is_asked_at_the_nearest_of_its_three_places(region: str, nearest: str) -> None:
    assert price_list_region(region) == nearest


@pytest.mark.parametrize(
    ("service", "operation", "metrics", "price"),
    [
        ("sagemaker", "Search", 0, "0"),
        ("pricing", "GetProducts", 0, "0"),
        ("cloudwatch", "GetMetricData", 1000, "0.01"),
        ("ce", "GetCostAndUsage", 0, "0.01"),
        ("s3", "ListObjectsV2", 0, "0.000005"),
        ("s3", "ListMultipartUploads", 0, "0.000005"),
        ("s3", "PutObjectTagging", 0, "0.000005"),
        ("s3", "GetObjectTagging", 0, "0.0000004"),
        ("s3", "HeadObject", 0, "0.0000004"),
        ("s3", "DeleteObjects", 0, "0"),
        ("s3", "AbortMultipartUpload", 0, "0"),
    ],
)
def test_our_own_calls_have_their_list_price(service: str, operation: str, metrics: int, price: str) -> None:
    assert price_nusd(service, operation, metrics) == nusd(price)


def test_what_was_counted_between_two_readings_is_their_difference() -> None:
    earlier = [Count("a:A", 2, 1, 10), Count("b:B", 5, 0, 0)]
    later = [Count("a:A", 5, 1, 25), Count("b:B", 5, 0, 0), Count("c:C", 1, 1, 0)]
    assert since(earlier, later) == [Count("a:A", 3, 0, 15), Count("c:C", 1, 1, 0)]
