"""S3 where moto is wrong or cannot know: unfinished uploads, deleting many, no tags at all, and objects that are due."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, s3_backends

from demo.buckets import BucketState
from demo.clock import Clock
from demo.errors import AwsError
from demo.objectlist import object_page, version_page
from demo.shelves import Shelves, owner_of
from demo.wire import Answer, Environ, Signed, body

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
MOST_KEYS: Final = 1000
_DELETING = Lock()


class S3:
    """What is done with a request to S3 before moto sees it."""

    def __init__(self, shelves: Shelves, clock: Clock, states: Mapping[str, BucketState]) -> None:
        self._shelves = shelves
        self._clock = clock
        self._states = states

    def prepare(self, environ: Environ, asked: Signed) -> Answer | None:
        """Fill the bucket asked for up to now, and answer what moto answers wrongly; else None."""
        name, _, key = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")
        self._shelves.bring_up_to(self._clock.now(), name)
        bucket = owner_of(name)
        if bucket is None:
            return None
        refused = self._at_the_door(bucket, environ, asked)
        if refused is not None:
            return refused
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if asked.operation == "ListObjectsV2":
            return Answer(200, object_page(bucket, query))
        if asked.operation == "ListObjectVersions":
            return Answer(200, version_page(bucket, query))
        if asked.operation == "ListMultipartUploads":
            return Answer(200, _uploads(bucket, query))
        if asked.operation == "DeleteObjects":
            return Answer(200, _delete(bucket, fromstring(body(environ))))  # noqa: S314 (a test's own request)
        if asked.operation == "PutObjectTagging" and b"<Tag>" not in body(environ):
            return _without_tags(bucket, key.encode("latin-1").decode(), _one(query, "versionId"))
        return None

    def _at_the_door(self, bucket: FakeBucket, environ: Environ, asked: Signed) -> Answer | None:
        """Refusals that hold for a whole bucket, and the redirection to its region."""
        state = self._states.get(bucket.name, BucketState())
        if state.missing:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        if bucket.region_name != asked.region:
            return Answer(301, _redirection(bucket), {"x-amz-bucket-region": bucket.region_name})
        if state.denied:
            raise AwsError("AccessDeniedException", "", 403)
        if environ.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER", bucket.account_id) != bucket.account_id:
            raise AwsError("AccessDeniedException", "Access Denied", 403)
        return None


def _redirection(bucket: FakeBucket) -> bytes:
    root = Element("Error")
    _add(root, "Code", "PermanentRedirect")
    _add(root, "Message", "The bucket you are attempting to access must be addressed using the specified endpoint.")
    _add(root, "Endpoint", f"{bucket.name}.s3.{bucket.region_name}.amazonaws.com")
    _add(root, "Bucket", bucket.name)
    return _xml(root)


def _without_tags(bucket: FakeBucket, key: str, version: str) -> Answer | None:
    """An empty set of tags takes all of them off. Source: object-tagging, S3 user guide. None where there is no such object."""
    backend = s3_backends[bucket.account_id]["aws"]
    if not isinstance(backend.get_object(bucket.name, key, version_id=version or None), FakeKey):
        return None
    backend.delete_object_tagging(bucket.name, key, version or None)
    return Answer(200, b"")


def _uploads(bucket: FakeBucket, query: dict[str, list[str]]) -> bytes:
    """ListMultipartUploads with true ages, in pages."""
    most = min(MOST_KEYS, int(_one(query, "max-uploads") or MOST_KEYS))
    marker = (_one(query, "key-marker"), _one(query, "upload-id-marker"))
    found = [
        upload
        for upload in sorted(bucket.multiparts.values(), key=_order)
        if upload.key_name.startswith(_one(query, "prefix")) and _after(upload, marker)
    ]
    page = found[:most]
    root = Element("ListMultipartUploadsResult", xmlns=NAMESPACE)
    _add(root, "Bucket", bucket.name)
    _add(root, "KeyMarker", marker[0])
    _add(root, "UploadIdMarker", marker[1])
    _add(root, "MaxUploads", str(most))
    _add(root, "IsTruncated", "true" if len(found) > most else "false")
    if len(found) > most:
        _add(root, "NextKeyMarker", page[-1].key_name)
        _add(root, "NextUploadIdMarker", page[-1].id)
    for upload in page:
        _add_upload(root, upload)
    return _xml(root)


def _add_upload(root: Element, upload: FakeMultipart) -> None:
    at: datetime = getattr(upload, "initiated", datetime.now(UTC))  # one that a client began has no such attribute
    inside = SubElement(root, "Upload")
    _add(inside, "Key", upload.key_name)
    _add(inside, "UploadId", upload.id)
    _add(inside, "StorageClass", "STANDARD")
    _add(inside, "Initiated", at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def _delete(bucket: FakeBucket, request: Element) -> bytes:
    """DeleteObjects: at most 1 000 keys, an object only if its ETag still fits, and nothing said of it when quiet."""
    wanted = list(_objects(request))
    if len(wanted) > MOST_KEYS:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our schema")
    quiet = any(child.tag.endswith("Quiet") and child.text == "true" for child in request)
    root = Element("DeleteResult", xmlns=NAMESPACE)
    for one in wanted:
        with _DELETING:  # a key is looked at and deleted in one step, whoever else deletes it now
            meta = _deleted(bucket, one)
        if meta is None:
            inside = SubElement(root, "Error")
            _add(inside, "Key", one["Key"])
            _add(inside, "Code", "PreconditionFailed")
            _add(inside, "Message", "At least one of the pre-conditions you specified did not hold")
        elif not quiet:
            _add_deleted(root, one, meta)
    return _xml(root)


def _deleted(bucket: FakeBucket, one: dict[str, str]) -> dict[str, Any] | None:
    """Deletes one key; None where it is not there with the ETag that was asked for."""
    current = bucket.keys.get(one["Key"])
    if "ETag" in one and not (isinstance(current, FakeKey) and current.etag.strip('"') == one["ETag"].strip('"')):
        return None
    _, meta = s3_backends[bucket.account_id]["aws"].delete_object(bucket.name, one["Key"], one.get("VersionId"))
    return dict(meta or {})


def _add_deleted(root: Element, one: dict[str, str], meta: dict[str, Any]) -> None:
    inside = SubElement(root, "Deleted")
    _add(inside, "Key", one["Key"])
    if "VersionId" in one:
        _add(inside, "VersionId", one["VersionId"])
    if meta.get("delete-marker"):
        _add(inside, "DeleteMarker", "true")
        _add(inside, "DeleteMarkerVersionId", str(meta.get("version-id")))


def _objects(request: Element) -> Iterator[dict[str, str]]:
    for child in request:
        if child.tag.endswith("Object"):
            yield {part.tag.rpartition("}")[2]: part.text or "" for part in child}


def _order(upload: FakeMultipart) -> tuple[str, str]:
    return upload.key_name, upload.id


def _after(upload: FakeMultipart, marker: Sequence[str]) -> bool:
    key, upload_id = marker
    if not key:
        return True
    return upload.key_name > key or (upload.key_name == key and bool(upload_id) and upload.id > upload_id)


def _one(query: dict[str, list[str]], name: str) -> str:
    return query.get(name, [""])[0]


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _xml(root: Element) -> bytes:
    rendered: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return rendered
