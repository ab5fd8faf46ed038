"""S3 of the simulated account: objects whose sizes are declared, and which appear as the jobs live."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.job import paths
from demo.plan import Checkpoints, JobPlan, Phases
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]
BUCKET = "acme-sm-rc-fraud"


def writer(name: str = "rc-fraud-a", hours_ago: float = 0.0) -> JobPlan:
    saves = Checkpoints(f"s3://{BUCKET}/checkpoints/{name}/", every_seconds=600, size_bytes=1_000_000_000, keep=2)
    plan = job(name, hours_ago, phases=Phases(training_seconds=7200), checkpoints=saves)
    return replace(plan, paths=paths("rc", "fraud", name, "gnn", uploads=2))


def keys(account: Account, prefix: str = "") -> dict[str, Any]:
    pages = account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {one["Key"]: one for page in pages for one in page.get("Contents", [])}


def test_objects_appear_as_the_job_lives(open_account: Open) -> None:
    account = open_account([writer()])
    assert [key for key in keys(account) if key.startswith("models/")] == ["models/training/rc-fraud-a/source/sourcedir.tar.gz"]
    account.clock.advance(timedelta(minutes=25))
    saved = keys(account, "checkpoints/")
    assert {key.split("/")[2] for key in saved} == {"checkpoint-500", "checkpoint-1000"}
    assert max(one["LastModified"] for one in saved.values()) == NOW + timedelta(seconds=120 + 60 + 1200)
    assert sum(one["Size"] for one in saved.values()) > 1_900_000_000


def test_old_checkpoints_go_and_the_artifact_comes(open_account: Open) -> None:
    account = open_account([writer()])
    account.clock.advance(timedelta(minutes=25))
    keys(account)
    account.clock.advance(timedelta(hours=3))
    assert {key.split("/")[2] for key in keys(account, "checkpoints/")} == {"checkpoint-5500", "checkpoint-6000"}
    artifact = keys(account, "models/artifacts/")["models/artifacts/rc-fraud-a/output/model.tar.gz"]
    assert artifact["Size"] >= 400_000_000
    assert account.client("s3").head_object(Bucket=BUCKET, Key=artifact["Key"])["ContentLength"] == artifact["Size"]


def test_what_was_deleted_stays_deleted(open_account: Open) -> None:
    account = open_account([writer(hours_ago=5)])
    key = "models/training/rc-fraud-a/output/output.tar.gz"
    assert key in keys(account)
    account.client("s3").delete_object(Bucket=BUCKET, Key=key)
    account.clock.advance(timedelta(hours=1))
    assert key not in keys(account)


def test_a_stopped_job_writes_no_more(open_account: Open) -> None:
    account = open_account([writer(hours_ago=0.5)])
    account.client("sagemaker").stop_training_job(TrainingJobName="rc-fraud-a")
    account.clock.advance(timedelta(hours=4))
    assert max(one["LastModified"] for one in keys(account, "checkpoints/").values()) <= NOW
    assert keys(account, "models/artifacts/") == {}


def test_unfinished_uploads_have_an_age_parts_and_pages(open_account: Open) -> None:
    account = open_account([writer(hours_ago=5)])
    s3 = account.client("s3")
    first = s3.list_multipart_uploads(Bucket=BUCKET, MaxUploads=1)
    assert first["IsTruncated"]
    pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 1}))
    uploads = [one for page in pages for one in page["Uploads"]]
    assert len(uploads) == 2
    assert all(NOW - timedelta(hours=5) < one["Initiated"] < NOW for one in uploads)
    asked = {"Bucket": BUCKET, "Key": uploads[0]["Key"], "UploadId": uploads[0]["UploadId"]}
    assert sum(part["Size"] for part in s3.list_parts(**asked)["Parts"]) > 200_000_000
    s3.abort_multipart_upload(**asked)
    assert len(s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 1


def test_a_delete_holds_the_etag_against_the_object(open_account: Open) -> None:
    account = open_account([writer(hours_ago=5)])
    first, second = list(keys(account, "checkpoints/").values())[:2]
    asked = [{"Key": first["Key"], "ETag": first["ETag"]}, {"Key": second["Key"], "ETag": '"other"'}]
    said = account.client("s3").delete_objects(Bucket=BUCKET, Delete={"Objects": asked})
    assert [one["Key"] for one in said["Deleted"]] == [first["Key"]]
    assert [(one["Key"], one["Code"]) for one in said["Errors"]] == [(second["Key"], "PreconditionFailed")]


def test_a_delete_takes_a_thousand_keys_and_can_be_quiet(open_account: Open) -> None:
    s3 = open_account([writer(hours_ago=5)]).client("s3")
    assert "Deleted" not in s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "none"}], "Quiet": True})
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"key-{number}"} for number in range(1001)]})


def test_a_versioned_bucket_keeps_what_is_deleted(open_account: Open) -> None:
    account = open_account([writer(hours_ago=5)])
    s3 = account.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    name = "notes.txt"
    s3.put_object(Bucket=BUCKET, Key=name, Body=b"kept")
    said = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": name}]})
    marker = said["Deleted"][0]["DeleteMarkerVersionId"]
    s3.delete_object(Bucket=BUCKET, Key=name, VersionId=marker)
    assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() == b"kept"


def test_an_empty_set_of_tags_takes_all_off(open_account: Open) -> None:
    s3 = open_account([writer()]).client("s3")
    s3.put_object(Bucket=BUCKET, Key="a b/ü.txt", Body=b"", Tagging="owner=ann")
    s3.put_object_tagging(Bucket=BUCKET, Key="a b/ü.txt", Tagging={"TagSet": []})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="a b/ü.txt")["TagSet"] == []
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.put_object_tagging(Bucket=BUCKET, Key="none", Tagging={"TagSet": []})
