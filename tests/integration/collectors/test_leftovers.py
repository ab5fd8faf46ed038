"""An inventory of S3: everything that training left, whoever's bucket it is in, and nothing forgotten because of a failure."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from aws.session import watched
from collectors import leftovers
from collectors.permissions import PROBES, try_permission
from demo.buckets import BucketState
from demo.job import paths
from demo.plan import Checkpoints, JobPlan, Paths
from demo.seeding import Seed
from domain.leftovers import Bucket, Leftover
from storage.engine import reading
from storage.leftovers import buckets_known, leftovers_found
from storage.schema_objects import leftovers as table
from tests.integration.collectors.watching import DAY, HOUR, NOW, Watched, lasting, leaving, plan

Watch = Callable[..., Watched]
BUCKET = "acme-sm-rc-fraud"
CONVENTIONS = {"company": "acme"}
TEAMS = [{"id": "rc", "projects": ["fraud", "credit"]}, {"id": "nlp", "projects": ["llm"]}]


def job(name: str, created: timedelta = 40 * HOUR, bucket: str = BUCKET, **members: Any) -> JobPlan:
    """A job that left something behind."""
    return leaving(name, created, bucket, **members)


def look(watch: Watch, *plans: JobPlan, **sections: Any) -> Watched:
    account = watch(plans, conventions=CONVENTIONS, teams=TEAMS, **sections)
    account.run("jobs")
    return account


def found(account: Watched) -> dict[tuple[str, str], Leftover]:
    with reading(account.engine) as connection:
        return {(one.prefix, one.kind): one for one in leftovers_found(connection)}


def buckets(account: Watched) -> dict[str, Bucket]:
    with reading(account.engine) as connection:
        return buckets_known(connection)


def stored(account: Watched, bucket: str = BUCKET) -> dict[str, int]:
    pages = account.clients().s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}


def test_each_prefix_holds_what_s3_holds(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a"), job("rc-fraud-ab"))
    report = account.run("leftovers")
    assert report.outcome == "ok"
    rows, keys = found(account), stored(account)
    for name in ("rc-fraud-a", "rc-fraud-ab"):
        for prefix, kind in (
            (f"models/training/{name}/", "intermediates"),
            (f"models/artifacts/{name}/output/", "artifacts"),
            (f"checkpoints/{name}/", "checkpoints"),
        ):
            sizes = [size for key, size in keys.items() if key.startswith(prefix)]
            one = rows[prefix, kind]
            assert (one.objects, one.bytes, dict(one.classes)) == (len(sizes), sum(sizes), {"STANDARD": sum(sizes)})
            assert (one.job, one.team, one.account, one.region, one.looked_at) == (name, "rc", "123456789012", "us-east-1", NOW)
            assert one.newest_at is not None
            assert NOW - 40 * HOUR < one.newest_at < NOW - 36 * HOUR
        upload = rows[f"models/training/{name}/", "uploads"]
        assert (upload.objects, upload.job) == (1, name)
        assert upload.bytes > 250_000_000
    assert sum(one.objects for one in rows.values() if one.kind != "uploads") == len(keys)


def test_debugger_profiler_and_tensorboard_output_are_told_apart(watch: Watch) -> None:
    root = f"s3://{BUCKET}"
    own = Paths(f"{root}/models/artifacts/", debugger=f"{root}/debugger/", tensorboard=f"{root}/tb")
    account = look(watch, plan("rc-fraud-a", 40 * HOUR, phases=lasting(3), paths=own))
    account.run("leftovers")
    kinds = dict(found(account).keys())
    assert kinds == {
        "debugger/rc-fraud-a/debug-output/": "debugger",
        "debugger/rc-fraud-a/profiler-output/": "profiler",
        "tb/rc-fraud-a/tensorboard-output/": "tensorboard",
        "models/artifacts/rc-fraud-a/output/": "artifacts",
    }


def test_an_output_path_at_the_root_of_a_bucket_does_not_claim_the_bucket(watch: Watch) -> None:
    account = look(watch, plan("job-1", 40 * HOUR, paths=Paths("s3://sagemaker-us-east-1-123456789012/")))
    bucket = "sagemaker-us-east-1-123456789012"
    account.aws.seed(bucket, (Seed(f"{name}/{part}", 5, NOW) for name in ("data", "job-10", "zzz") for part in range(2500)))
    account.aws.calls.clear()
    account.run("leftovers")
    assert set(found(account)) == {("job-1/output/", "artifacts")}
    assert account.aws.calls["ListObjectsV2"] <= 4


def test_storage_classes_are_added_up_apart(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a", checkpoints=None))
    account.aws.seed(
        BUCKET, [Seed("models/training/rc-fraud-a/old", 7, NOW, "GLACIER"), Seed("models/training/x/y", 3, NOW, "STANDARD_IA")]
    )
    account.run("leftovers")
    rows = found(account)
    assert rows["models/training/rc-fraud-a/", "intermediates"].classes["GLACIER"] == 7
    other = rows["models/training/x/", "intermediates"]
    assert (other.team, other.job, dict(other.classes)) == ("rc", "x", {"STANDARD_IA": 3})  # by its bucket: no job has the name


def test_what_no_longer_lies_there_is_taken_out(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a"), job("rc-fraud-b"))
    account.run("leftovers")
    s3 = account.clients().s3
    for key in [key for key in stored(account) if key.startswith(("models/training/rc-fraud-a/", "checkpoints/rc-fraud-a/"))]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    for upload in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]:
        s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    account.later(HOUR, "leftovers")
    assert {prefix for prefix, kind in found(account) if kind in ("intermediates", "checkpoints")} == {
        "models/training/rc-fraud-b/", "checkpoints/rc-fraud-b/",
    }  # fmt: skip
    assert "uploads" not in {kind for _, kind in found(account)}


def test_checkpoints_that_only_live_jobs_write_are_not_left_over(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-live", 2 * HOUR), job("rc-fraud-done"))
    account.run("leftovers")
    assert {prefix for prefix, kind in found(account) if kind == "checkpoints"} == {"checkpoints/rc-fraud-done/"}


def test_a_chain_of_jobs_has_its_newest_jobs_team_and_names_none(watch: Watch) -> None:
    saves = Checkpoints(f"s3://{BUCKET}/checkpoints/chain/")
    other = {"Team": "nlp", "Project": "llm"}
    account = look(watch, job("rc-fraud-1", 90 * HOUR, checkpoints=saves), job("rc-fraud-2", 40 * HOUR, checkpoints=saves, tags=other))
    account.run("leftovers")
    one = found(account)["checkpoints/chain/", "checkpoints"]
    assert (one.job, one.team) == ("", "nlp")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (BucketState(versioning="enabled"), {"versioning": "enabled", "object_lock": False}),
        (BucketState(versioning="suspended"), {"versioning": "suspended"}),
        (BucketState(versioning="enabled", object_lock=True), {"versioning": "enabled", "object_lock": True}),
        (BucketState(kms_key="arn:aws:kms:us-east-1:1:key/x"), {"encrypted": "aws:kms", "versioning": "off"}),
        (BucketState(region="eu-west-1"), {"region": "eu-west-1", "encrypted": "AES256"}),
    ],
)
def test_a_bucket_is_looked_at_as_it_is(watch: Watch, state: BucketState, expected: dict[str, Any]) -> None:
    account = watch([job("rc-fraud-a")])
    account.aws.buckets[BUCKET] = state
    account.run("jobs")
    assert account.run("leftovers").outcome == "ok"
    one = buckets(account)[BUCKET]
    assert {name: getattr(one, name) for name in expected} == expected
    assert (one.problem, one.account) == ("", "123456789012")
    assert ("models/training/rc-fraud-a/", "intermediates") in found(account)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (BucketState(denied=True), "s3:ListBucket is denied: add s3:ListBucket to"),
        (BucketState(missing=True), "there is no such bucket any more"),
        (BucketState(account="210987654321"), "it belongs to another account than 123456789012"),
    ],
)
def test_a_bucket_that_keeps_us_out_is_a_state_in_words_and_the_rest_goes_on(watch: Watch, state: BucketState, words: str) -> None:
    account = watch([job("rc-fraud-a"), job("rc-fraud-b", bucket="acme-aaa"), job("rc-fraud-c", bucket="acme-zzz")])
    account.aws.buckets[BUCKET] = state
    account.run("jobs")
    report = account.run("leftovers")
    assert report.outcome == "ok"
    assert f"bucket {BUCKET}: " in report.message
    one = buckets(account)[BUCKET]
    assert words in one.problem
    assert (one.versioning, one.object_lock, one.region) == ("unknown", None, None)
    assert {bucket for bucket in buckets(account) if not buckets(account)[bucket].problem} == {"acme-aaa", "acme-zzz"}
    assert {row.bucket for row in account.rows(select(table.c.bucket))} == {"acme-aaa", "acme-zzz"}


@pytest.mark.parametrize("name", ["acme--use1-az4--x-s3", "acme-point-abcdefgh-s3alias", "arn:aws:s3:us-east-1:123456789012:accesspoint"])
def test_what_is_no_ordinary_bucket_is_passed_over_in_words(watch: Watch, name: str) -> None:
    output = {"OutputDataConfig": {"S3OutputPath": f"s3://{name}/x/models/"}}
    account = look(watch, plan("rc-fraud-a", 40 * HOUR, overrides=output), job("rc-fraud-b", bucket="acme-zzz"))
    report = account.run("leftovers")
    assert report.outcome == "ok"
    assert buckets(account)[name].problem in report.message
    assert ("models/training/rc-fraud-b/", "intermediates") in found(account)


def test_a_bucket_that_is_deleted_takes_its_leftovers_with_it_and_one_that_closes_does_not(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a"), job("rc-fraud-b", bucket="acme-other"))
    account.run("leftovers")
    account.aws.buckets |= {BUCKET: BucketState(denied=True), "acme-other": BucketState(missing=True)}
    account.later(HOUR, "leftovers")
    assert {row.bucket for row in account.rows(select(table.c.bucket))} == {BUCKET}
    account.aws.buckets.clear()
    assert account.later(HOUR, "leftovers").outcome == "ok"
    assert {one.problem for one in buckets(account).values()} == {""}


@pytest.mark.parametrize(
    ("operation", "unknown"),
    [("GetBucketVersioning", "versioning"), ("GetObjectLockConfiguration", "object_lock"), ("GetBucketEncryption", "encrypted")],
)
def test_what_may_not_be_asked_of_a_bucket_is_unknown_and_its_objects_are_found(watch: Watch, operation: str, unknown: str) -> None:
    account = look(watch, job("rc-fraud-a"))
    account.aws.faults.deny(operation)
    report = account.run("leftovers")
    assert report.outcome == "partial"
    assert "is denied: add s3:Get" in report.message
    one = buckets(account)[BUCKET]
    assert getattr(one, unknown) in ("unknown", None)
    assert (one.problem, ("models/training/rc-fraud-a/", "intermediates") in found(account)) == ("", True)


@pytest.mark.parametrize("operation", ["ListMultipartUploads", "ListParts"])
def test_uploads_that_cannot_be_listed_are_as_they_were_known(watch: Watch, operation: str) -> None:
    account = look(watch, job("rc-fraud-a"))
    account.run("leftovers")
    before = found(account)
    account.aws.faults.deny(operation)
    report = account.later(HOUR, "leftovers")
    assert report.outcome == "partial"
    assert "its unfinished uploads are as they were known" in report.message
    after = found(account)
    assert set(after) == set(before)
    assert after["models/training/rc-fraud-a/", "uploads"] == before["models/training/rc-fraud-a/", "uploads"]


@pytest.mark.parametrize("fault", ["throttle", "fail"])
def test_a_listing_that_breaks_off_forgets_nothing(watch: Watch, fault: str) -> None:
    account = look(watch, job("rc-fraud-a"), job("rc-fraud-b", bucket="acme-zzz"))
    account.run("leftovers")
    before = set(found(account))
    s3 = account.clients().s3
    for key in [key for key in stored(account) if key.startswith("models/training/")]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    getattr(account.aws.faults, fault)("ListObjectsV2", times=2)
    report = account.later(HOUR, "leftovers")
    assert report.outcome == "partial"
    assert set(found(account)) == before
    assert "ListObjectsV2" in buckets(account)[BUCKET].problem
    assert buckets(account)["acme-zzz"].problem == ""
    assert account.later(HOUR, "leftovers").outcome == "ok"
    assert ("models/training/rc-fraud-a/", "intermediates") not in found(account)
    assert buckets(account)[BUCKET].problem == ""


def test_a_look_at_a_bucket_that_fails_is_a_problem_of_the_run(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a"), job("rc-fraud-b", bucket="acme-zzz"))
    account.aws.faults.fail("HeadBucket", times=2)
    report = account.run("leftovers")
    assert report.outcome == "partial"
    assert "HeadBucket failed inside AWS" in buckets(account)[BUCKET].problem
    assert {one.bucket for one in found(account).values()} == {"acme-zzz"}


def test_a_bucket_that_is_too_large_is_cut_off_and_says_so(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = look(watch, job("rc-fraud-a"))
    account.aws.seed(BUCKET, (Seed(f"models/training/x{number:04}/y", 1, NOW) for number in range(4500)))
    monkeypatch.setattr(leftovers, "MOST_PAGES", 2)
    report = account.run("leftovers")
    assert report.outcome == "partial"
    assert "takes more than 2 calls to list" in buckets(account)[BUCKET].problem
    assert len(found(account)) > 1000


def test_sizes_of_uploads_are_asked_only_so_often(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account = look(watch, *(job(f"rc-fraud-{number}") for number in range(4)))
    monkeypatch.setattr(leftovers, "MOST_PARTS", 2)
    report = account.run("leftovers")
    assert report.outcome == "ok"
    assert "how large some unfinished uploads are was not asked" in report.message
    uploads = [one for (_, kind), one in found(account).items() if kind == "uploads"]
    assert (len(uploads), sum(one.bytes > 0 for one in uploads)) == (4, 2)


def test_a_hundred_jobs_take_a_handful_of_calls(watch: Watch) -> None:
    account = look(
        watch, *(job(f"rc-fraud-{number:03}", paths=paths("rc", "fraud", f"rc-fraud-{number:03}", "gnn")) for number in range(100))
    )
    account.aws.calls.clear()
    account.run("leftovers")
    assert account.aws.calls["ListObjectsV2"] <= 5
    assert account.aws.calls["HeadBucket"] == 1
    assert Counter(kind for _, kind in found(account))["checkpoints"] == 100
    counted = account.counted()
    assert counted["s3:ListObjectsV2"][0] == account.aws.calls["ListObjectsV2"]


def test_a_bucket_that_jobs_of_another_account_write_to_is_looked_at_by_its_own(watch: Watch) -> None:
    ours, theirs = "123456789012", "210987654321"
    role = {"role_arn": f"arn:aws:iam::{theirs}:role/reader"}
    accounts = [{"id": ours}, {"id": theirs, **role}]
    account = watch(
        [job("rc-fraud-own", bucket="acme-a"), job("rc-fraud-shared", account=theirs, bucket="acme-central")],
        aws={"regions": ["us-east-1"], "accounts": accounts},
    )
    account.aws.buckets["acme-central"] = BucketState(account=ours)
    targets = watched(account.settings)
    for target in targets:
        account.run("jobs", target=target)
    assert [account.run("leftovers", target=target).outcome for target in targets] == ["ok", "ok"]
    central = buckets(account)["acme-central"]
    assert (central.account, central.problem) == (ours, "")
    assert {one.account for one in found(account).values()} == {ours}
    assert ("models/training/rc-fraud-shared/", "intermediates") in found(account)


def test_expired_credentials_fail_the_run(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a"))
    account.aws.faults.expire_credentials()
    assert account.run("leftovers").outcome == "failed"


def test_an_old_inventory_says_when_it_is_from(watch: Watch) -> None:
    account = look(watch, job("rc-fraud-a"))
    account.run("leftovers")
    account.aws.buckets[BUCKET] = BucketState(denied=True)
    account.later(DAY, "leftovers")
    assert {one.looked_at for one in found(account).values()} == {NOW}
    assert buckets(account)[BUCKET].looked_at == NOW + DAY


@pytest.mark.parametrize("permission", sorted(PROBES))
def test_each_permission_can_be_tried_where_nothing_is(watch: Watch, permission: str) -> None:
    try_permission(watch().clients(), permission)
