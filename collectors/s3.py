"""Looking into S3: what a bucket is, what lies under many prefixes of it in few calls, and uploads that were never finished."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, cast

from aws.errors import AccessDenied, AwsError, CredentialsUnusable, NotFound, translated
from aws.session import Clients
from domain.leftovers import Versioning
from domain.spans import just_before, next_span, passes
from storage.leftovers import BucketRow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET_PERMISSIONS = (
    "s3:ListBucket",
    "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetEncryptionConfiguration",
)
UPLOAD_PERMISSIONS = ("s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts")
PAGE = 1000  # Source: ListObjectsV2, ListMultipartUploads and ListParts, the most of one page
LONGEST_START = 1000  # bytes; a key has at most 1 024
_DIRECTORY_BUCKET = "--x-s3"  # Source: naming rules of directory buckets; their listings come in no order
_ACCESS_POINT = ("-s3alias", "--ol-s3")  # Source: aliases of access points, in the S3 user guide

Standing = Literal["open", "missing", "foreign", "denied", "passed", "failed"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SeenBucket:
    """A bucket as it is: what is kept of it, and a client of its own region, None where it cannot be listed.

    `foreign` is one of another account, `passed` none that is looked into; at a `failed` one the look itself went wrong, which
    the next run may do better, while the others stay as they are until somebody changes them. `unknown` are permissions that
    were denied without keeping the bucket from being listed, in words.
    """

    row: BucketRow
    standing: Standing
    client: "S3Client | None" = None
    unknown: tuple[str, ...] = ()


def bucket_seen(clients: Clients, name: str, since: datetime) -> SeenBucket:
    """A look at a bucket, through its own region wherever that is; whatever keeps us out is a state in words.

    Raises CredentialsUnusable alone. Source: HeadBucket, GetBucketVersioning, GetObjectLockConfiguration, GetBucketEncryption.
    """
    if name.endswith(_DIRECTORY_BUCKET):
        return _unseen(name, since, "passed", "a directory bucket (S3 Express One Zone), which is not looked into")
    if name.startswith("arn:") or name.endswith(_ACCESS_POINT):
        return _unseen(name, since, "passed", "an access point, and no bucket; what is behind it is not looked into from here")
    account = clients.target.scope.account
    try:
        with translated(clients.where):
            answer = clients.s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        region = str(answer.get("BucketRegion") or headers.get("x-amz-bucket-region") or clients.target.scope.region)
        return _described(clients, name, region, since)
    except CredentialsUnusable:
        raise
    except NotFound:
        return _unseen(name, since, "missing", "there is no such bucket any more")
    except AccessDenied:
        return _kept_out(clients, name, since)
    except AwsError as error:
        return _unseen(name, since, "failed", str(error))


def _kept_out(clients: Clients, name: str, since: datetime) -> SeenBucket:
    """Why a bucket does not let us in: HeadBucket's refusal has no words, a listing's has. Source: ListObjectsV2."""
    foreign = f"it belongs to another account than {clients.target.scope.account}"
    try:
        with translated(clients.where):
            clients.s3.list_objects_v2(Bucket=name, MaxKeys=1)
    except CredentialsUnusable:
        raise
    except AccessDenied as error:
        if "resource-based policy" in _said(error):  # IAM's words for a caller of another account
            return _unseen(name, since, "foreign", foreign)
        return _unseen(name, since, "denied", f"{error}; or {foreign}")
    except AwsError as error:
        return _unseen(name, since, "failed", str(error))
    return _unseen(name, since, "foreign", foreign)


def _said(error: AwsError) -> str:
    return str(error.__cause__ or "")


def _unseen(name: str, since: datetime, standing: Standing, problem: str) -> SeenBucket:
    gone = standing == "missing"  # and everything in it
    return SeenBucket(BucketRow(name, None, "unknown", None, None, problem, since, whole=gone, uploads_whole=gone), standing)


def _described(clients: Clients, name: str, region: str, since: datetime) -> SeenBucket:
    client, unknown = clients.s3_in(region), []

    def asked(question: Callable[[], Mapping[str, Any]], absent: T, read: Callable[[Mapping[str, Any]], T]) -> T | None:
        """The answer; `absent` where AWS says that there is none, None where we may not ask."""
        try:
            with translated(clients.where):
                return read(question())
        except NotFound:
            return absent
        except AccessDenied as error:
            unknown.append(str(error))
            return None

    versioning = asked(lambda: client.get_bucket_versioning(Bucket=name), "off", lambda answer: str(answer.get("Status", "off")).lower())
    lock = asked(lambda: client.get_object_lock_configuration(Bucket=name), absent=False, read=_is_locked)
    encrypted = asked(lambda: client.get_bucket_encryption(Bucket=name), "none", _encryption)
    row = BucketRow(name, region, cast(Versioning, versioning or "unknown"), lock, encrypted, "", since)
    return SeenBucket(row, "open", client, tuple(unknown))


def _is_locked(answer: Mapping[str, Any]) -> bool:
    return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


def _encryption(answer: Mapping[str, Any]) -> str:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    return next((str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]) for rule in rules), "none")


class Found(NamedTuple):
    """An object of a listing."""

    key: str
    bytes: int
    modified_at: datetime
    storage_class: str


def listed(client: "S3Client", bucket: str, spans: Sequence[str], where: str) -> Iterator[list[Found]]:
    """Pages of the objects under prefixes of which none holds another, and of few besides; one list a call, perhaps empty.

    What lies between the prefixes is skipped: after a page that ends outside of any, the next begins with the next prefix. So
    many small prefixes share a call, large ones take a call a thousand objects, and what is in between a call at most.
    Raises AwsError. Source: ListObjectsV2.
    """
    for folder, group in passes(spans):
        yield from _pass(client, bucket, folder, group, where)


def _pass(client: "S3Client", bucket: str, folder: str, spans: Sequence[str], where: str) -> Iterator[list[Found]]:
    start: dict[str, Any] = {} if folder == spans[0] else {"StartAfter": just_before(spans[0])}
    while True:
        with translated(where):
            answer = client.list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=PAGE, **start)
        found = [
            Found(one["Key"], one["Size"], one["LastModified"], one.get("StorageClass") or "STANDARD") for one in answer.get("Contents", [])
        ]
        yield found
        token = answer.get("NextContinuationToken")
        if not token:
            return
        start = {"ContinuationToken": token}
        if found:
            last = found[-1].key
            span = next_span(spans, last)
            if span is None:
                return
            ahead = "" if last.startswith(span) else just_before(span)
            if ahead > last and len(ahead.encode("utf-8", "replace")) <= LONGEST_START:
                start = {"StartAfter": ahead}


class Upload(NamedTuple):
    """A multipart upload that was never finished."""

    key: str
    upload_id: str
    begun_at: datetime
    storage_class: str


def unfinished(client: "S3Client", bucket: str, prefix: str, where: str) -> Iterator[list[Upload]]:
    """Pages of the unfinished uploads below a prefix. Raises AwsError. Source: ListMultipartUploads."""
    pages = iter(client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix))
    while True:
        with translated(where):
            page = next(pages, None)
        if page is None:
            return
        yield [
            Upload(one["Key"], one["UploadId"], one["Initiated"], one.get("StorageClass") or "STANDARD") for one in page.get("Uploads", [])
        ]


def parts_bytes(client: "S3Client", bucket: str, upload: Upload, where: str) -> int | None:
    """What the parts of an upload come to; None where it is finished or aborted meanwhile. Source: ListParts."""
    try:
        with translated(where):
            pages = client.get_paginator("list_parts").paginate(Bucket=bucket, Key=upload.key, UploadId=upload.upload_id)
            return sum(part["Size"] for page in pages for part in page.get("Parts", []))
    except NotFound:
        return None
