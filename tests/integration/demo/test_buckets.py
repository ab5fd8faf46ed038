"""Buckets that are not as ordinary ones are, and many objects at once."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.buckets import BUCKETS, DENIED, ELSEWHERE, ENCRYPTED, FOREIGN, LOCKED, MISSING, SUSPENDED, VERSIONED, BucketState
from demo.plan import Paths
from demo.seeding import Seed
from demo.workload import workload
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]


def holding(open_account: Open, bucket: str) -> Any:
    return open_account([job("rc-fraud-a", paths=Paths(f"s3://{bucket}/models/artifacts/"))]).client("s3")


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_versioning_locks_and_keys_are_as_they_say(open_account: Open) -> None:
    plans = [
        job(f"rc-fraud-{number}", paths=Paths(f"s3://{name}/"))
        for number, name in enumerate((VERSIONED, SUSPENDED, LOCKED, ENCRYPTED, "plain"))
    ]
    s3 = open_account(plans).client("s3")
    assert [s3.get_bucket_versioning(Bucket=name).get("Status") for name in (VERSIONED, SUSPENDED, LOCKED, "plain")] == [
        "Enabled", "Suspended", "Enabled", None,
    ]  # fmt: skip
    assert s3.get_object_lock_configuration(Bucket=LOCKED)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    with pytest.raises(ClientError, match="ObjectLockConfigurationNotFoundError"):
        s3.get_object_lock_configuration(Bucket="plain")
    rules = [s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0] for name in (ENCRYPTED, "plain")]
    assert [rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == ["aws:kms", "AES256"]


def test_a_denied_bucket_refuses_every_call_in_iams_words(open_account: Open) -> None:
    s3 = holding(open_account, DENIED)
    with pytest.raises(ClientError) as error:
        s3.head_bucket(Bucket=DENIED)
    assert code(error) == ("403", 403)
    with pytest.raises(ClientError, match="is not authorized to perform: s3:ListBucket on resource") as error:
        s3.list_objects_v2(Bucket=DENIED)
    assert code(error) == ("AccessDenied", 403)


def test_a_missing_bucket_is_missing_to_every_call(open_account: Open) -> None:
    s3 = holding(open_account, MISSING)
    with pytest.raises(ClientError) as error:
        s3.head_bucket(Bucket=MISSING)
    assert code(error) == ("404", 404)
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket=MISSING)
    assert code(error) == ("NoSuchBucket", 404)


def test_a_bucket_elsewhere_redirects_to_its_region(open_account: Open) -> None:
    s3 = holding(open_account, ELSEWHERE)
    assert s3.head_bucket(Bucket=ELSEWHERE)["BucketRegion"] == "eu-west-1"
    assert s3.list_objects_v2(Bucket=ELSEWHERE)["KeyCount"] > 0


def test_a_foreign_bucket_tells_its_owner_apart(open_account: Open) -> None:
    s3 = holding(open_account, FOREIGN)
    assert s3.head_bucket(Bucket=FOREIGN, ExpectedBucketOwner="210987654321")["BucketRegion"] == "us-east-1"
    with pytest.raises(ClientError) as error:
        s3.head_bucket(Bucket=FOREIGN, ExpectedBucketOwner="123456789012")
    assert code(error) == ("403", 403)


def test_a_state_may_change_while_the_account_is_up(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a")])
    assert account.client("s3").list_objects_v2(Bucket="acme-sm-rc-fraud")["KeyCount"] > 0
    account.server.buckets["acme-sm-rc-fraud"] = BucketState(denied=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        account.client("s3").list_objects_v2(Bucket="acme-sm-rc-fraud")


def test_the_workload_has_a_job_for_each_special_bucket() -> None:
    named = {plan.paths.output.split("/")[2] for plan in workload(1, 1500, NOW)}
    assert set(BUCKETS) <= named


def test_many_objects_are_put_at_once(open_account: Open) -> None:
    account = open_account()
    seeds = (Seed(f"many/{number:05}", number, NOW, "GLACIER" if number % 2 else "STANDARD") for number in range(2500))
    assert account.server.seed("acme-many", seeds) == 2500
    s3 = account.client("s3")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="acme-many"))
    found = [one for page in pages for one in page["Contents"]]
    assert (len(pages), len(found), sum(one["Size"] for one in found)) == (3, 2500, sum(range(2500)))
    assert len({one["ETag"] for one in found}) == 2500
    assert {(one["LastModified"], one["StorageClass"]) for one in found} == {(NOW, "GLACIER"), (NOW, "STANDARD")}
    said = s3.delete_objects(Bucket="acme-many", Delete={"Objects": [{"Key": one["Key"], "ETag": one["ETag"]} for one in found[:1000]]})
    assert len(said["Deleted"]) == 1000


def test_a_seeded_object_in_a_versioned_bucket_can_be_brought_back(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", paths=Paths(f"s3://{VERSIONED}/"))])
    s3 = account.client("s3")
    account.server.seed(VERSIONED, [Seed("many/x", 5, NOW)])
    said = s3.delete_objects(Bucket=VERSIONED, Delete={"Objects": [{"Key": "many/x"}]})["Deleted"][0]
    assert s3.list_objects_v2(Bucket=VERSIONED, Prefix="many/").get("KeyCount") == 0
    s3.delete_objects(Bucket=VERSIONED, Delete={"Objects": [{"Key": "many/x", "VersionId": said["DeleteMarkerVersionId"]}]})
    assert s3.list_objects_v2(Bucket=VERSIONED, Prefix="many/")["KeyCount"] == 1


KEYS = ("a/1", "a/2", "a/b/3", "a-b", "b/ü ñ+&<%20", "b/😀", "c")


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    ("asked", "objects", "folders"),
    [
        ({}, sorted(KEYS), []),
        ({"Prefix": "a/"}, ["a/1", "a/2", "a/b/3"], []),
        ({"Prefix": "a/", "Delimiter": "/"}, ["a/1", "a/2"], ["a/b/"]),
        ({"Delimiter": "/"}, ["a-b", "c"], ["a/", "b/"]),
        ({"StartAfter": "a/2"}, ["a/b/3", "b/ü ñ+&<%20", "b/😀", "c"], []),
        ({"Prefix": "b/", "StartAfter": "b/ü ñ+&<%20"}, ["b/😀"], []),
        ({"Prefix": "none"}, [], []),
    ],
)
def test_a_listing_has_s3s_order_pages_and_folders(
    open_account: Open, size: int, asked: dict[str, str], objects: list[str], folders: list[str]
) -> None:
    account = open_account()
    account.server.seed("acme-keys", (Seed(key, 1, NOW) for key in reversed(KEYS)))
    pages = list(
        account.client("s3").get_paginator("list_objects_v2").paginate(Bucket="acme-keys", PaginationConfig={"PageSize": size}, **asked)
    )
    assert [one["Key"] for page in pages for one in page.get("Contents", [])] == objects
    assert [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])] == folders
    assert all(page["KeyCount"] <= size for page in pages)
    assert len(pages) == max(1, -(-len(objects + folders) // size))


def test_what_is_under_a_delete_marker_is_in_no_listing(open_account: Open) -> None:
    account = open_account()
    account.server.seed(VERSIONED, [Seed("a/gone", 1, NOW), Seed("b", 1, NOW)])
    s3 = account.client("s3")
    s3.delete_object(Bucket=VERSIONED, Key="a/gone")
    said = s3.list_objects_v2(Bucket=VERSIONED, Delimiter="/")
    assert ([one["Key"] for one in said["Contents"]], said.get("CommonPrefixes")) == (["b"], None)
