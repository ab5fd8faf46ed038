"""S3 as cleaning uses it: listing a prefix again, deleting with the ETag that was seen, aborting uploads, tags and markers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aws.errors import NotFound, translated
from aws.session import Clients
from domain.instants import EARLIEST, instant_from
from domain.leftovers import StoredObject

REQUIRED_PERMISSIONS = (  # of the acting role; listings go through the reading one
    "s3:ListBucketVersions",
    "s3:DeleteObject",
    "s3:GetObject",  # nothing is read: HeadObject and deletes that are conditional on an ETag want it. Source: conditional-deletes
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:GetObjectTagging",
    "s3:PutObjectTagging",
)
PAGE = 1000  # Source: ListObjectsV2 and DeleteObjects, the most keys of one call
TAG, EXPIRE = "trainwatch", "expire"
AHEAD = timedelta(minutes=5)  # so much may our clock and that of S3 differ
MOST_TAGS = 10  # Source: PutObjectTagging


class Deleted(NamedTuple):
    """What became of one key: the delete marker that a bucket with versioning enabled made of it, or why it is still there.

    The marker of a bucket whose versioning is suspended has the version `null`, as whatever is written there next will have: it
    is none that could ever be removed again, and so counts as none.
    """

    key: str
    marker: str | None
    code: str
    message: str

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted."""
        return not self.code


def objects_under(clients: Clients, bucket: str, prefix: str, after: str = "") -> Iterator[list[StoredObject]]:
    """Pages of the objects under a prefix, in order of keys, after a key. Raises AwsError. Source: ListObjectsV2."""
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": PAGE}
    if after:
        request["StartAfter"] = after
    while True:
        with translated(clients.where):
            answer: dict[str, Any] = dict(clients.s3.list_objects_v2(**request))
        yield [_stored(one) for one in answer.get("Contents", [])]
        if not answer.get("NextContinuationToken"):
            return
        request["ContinuationToken"] = answer["NextContinuationToken"]


def _stored(one: dict[str, Any]) -> StoredObject:
    return StoredObject(one["Key"], one["Size"], str(one["ETag"]).strip('"'), None, instant_from(one["LastModified"]) or EARLIEST)


def uploads_under(clients: Clients, bucket: str, prefix: str) -> list[StoredObject]:
    """Unfinished uploads under a prefix, with the bytes of their parts. Source: ListMultipartUploads, ListParts."""
    found: list[StoredObject] = []
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxUploads": PAGE}
    while True:
        with translated(clients.where):
            answer: dict[str, Any] = dict(clients.s3.list_multipart_uploads(**request))
        for one in answer.get("Uploads", []):
            size = _parts_bytes(clients, bucket, one["Key"], one["UploadId"])
            found.append(StoredObject(one["Key"], size, "", None, instant_from(one["Initiated"]) or EARLIEST, one["UploadId"]))
        if not answer.get("IsTruncated"):
            return found
        request |= {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}


def _parts_bytes(clients: Clients, bucket: str, key: str, upload_id: str) -> int:
    total = 0
    request: dict[str, Any] = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
    while True:
        try:
            with translated(clients.where):
                answer: dict[str, Any] = dict(clients.s3.list_parts(**request))
        except NotFound:
            return total
        total += sum(int(part["Size"]) for part in answer.get("Parts", []))
        if not answer.get("IsTruncated"):
            return total
        request["PartNumberMarker"] = answer["NextPartNumberMarker"]


def delete(clients: Clients, bucket: str, objects: Sequence[StoredObject]) -> list[Deleted]:
    """Deletes up to a thousand keys, each only while it has the ETag that we saw. Raises AwsError. Source: DeleteObjects."""
    wanted = [{"Key": one.key, "ETag": one.etag} for one in objects]
    with translated(clients.where):
        answer: dict[str, Any] = dict(clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": False}))  # type: ignore[typeddict-item] # as the model has it
    done = [Deleted(one["Key"], _of_its_own(one.get("DeleteMarkerVersionId")), "", "") for one in answer.get("Deleted", [])]
    return done + [Deleted(one["Key"], None, str(one.get("Code")), str(one.get("Message"))) for one in answer.get("Errors", [])]


def _written(one: Mapping[str, Any]) -> datetime:
    return instant_from(one["LastModified"]) or EARLIEST


def _of_its_own(version: str | None) -> str | None:
    return None if version == "null" else version


def abort(clients: Clients, bucket: str, key: str, upload_id: str) -> None:
    """Aborts an unfinished upload; one that is gone is done. Raises AwsError. Source: AbortMultipartUpload."""
    try:
        with translated(clients.where):
            clients.s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except NotFound:
        return


def remove_markers(clients: Clients, bucket: str, markers: Sequence[tuple[str, str]]) -> list[Deleted]:
    """Removes delete markers by key and version, which brings the objects back. Source: DeleteObjects with VersionId.

    Raises ValueError for a version that is no marker's own: removing it could delete an object for good.
    """
    if any(not _of_its_own(version) for _, version in markers):
        raise ValueError("only markers with a version of their own are ever removed")
    wanted = [{"Key": key, "VersionId": version} for key, version in markers]
    with translated(clients.where):
        answer: dict[str, Any] = dict(clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": False}))  # type: ignore[typeddict-item] # as the model has it
    done = [Deleted(one["Key"], one.get("VersionId"), "", "") for one in answer.get("Deleted", [])]
    return done + [Deleted(one["Key"], None, str(one.get("Code")), str(one.get("Message"))) for one in answer.get("Errors", [])]


def just_before(key: str) -> str:
    """A text that comes before a key, so that a listing that starts after it has the key in it: the key without its last character."""
    return key[:-1]


def markers_of(clients: Clients, bucket: str, prefix: str, keys: Collection[str], since: datetime) -> dict[str, str]:
    """The versions of the delete markers that hide keys under a prefix now and were put there since an instant.

    Source: ListObjectVersions.
    """
    found: dict[str, str] = {}
    last = max(keys)
    request: dict[str, Any] = {"Bucket": bucket, "KeyMarker": just_before(min(keys)), "MaxKeys": PAGE, "Prefix": prefix}
    while True:
        with translated(clients.where):
            answer: dict[str, Any] = dict(clients.s3.list_object_versions(**request))
        markers = answer.get("DeleteMarkers", [])
        found |= {
            one["Key"]: one["VersionId"]
            for one in markers
            if one["Key"] in keys and one.get("IsLatest") and _of_its_own(one["VersionId"]) and _written(one) >= since
        }
        if not answer.get("IsTruncated") or answer["NextKeyMarker"] > last:
            return found
        request |= {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer.get("NextVersionIdMarker", "")}


def is_still(clients: Clients, bucket: str, stored: StoredObject) -> bool:
    """Whether an object is the one that we saw. Raises AwsError, NotFound where it is gone. Source: HeadObject."""
    with translated(clients.where):
        head: dict[str, Any] = dict(clients.s3.head_object(Bucket=bucket, Key=stored.key))
    return (str(head["ETag"]).strip('"'), head["ContentLength"]) == (stored.etag, stored.bytes)


def tag_for_expiry(clients: Clients, bucket: str, key: str) -> str:
    """Puts our tag beside the user's; in words why not where there is no room. Source: GetObjectTagging, PutObjectTagging."""
    with translated(clients.where):
        tags = {one["Key"]: one["Value"] for one in clients.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}
    if tags.get(TAG) == EXPIRE:
        return ""
    if len(tags) >= MOST_TAGS and TAG not in tags:
        return f"it has {len(tags)} tags already, the maximum"
    _put_tags(clients, bucket, key, tags | {TAG: EXPIRE})
    return ""


def untag(clients: Clients, bucket: str, key: str) -> bool:
    """Takes our tag off again, and leaves the user's; whether it was there."""
    with translated(clients.where):
        tags = {one["Key"]: one["Value"] for one in clients.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}
    if tags.get(TAG) != EXPIRE:
        return False
    _put_tags(clients, bucket, key, {name: value for name, value in tags.items() if name != TAG})
    return True


def _put_tags(clients: Clients, bucket: str, key: str, tags: dict[str, str]) -> None:
    with translated(clients.where):
        clients.s3.put_object_tagging(
            Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        )
