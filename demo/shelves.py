"""The jobs' objects put into moto's S3 as they come due: their sizes are declared, their bytes are not stored."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock

from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from requests.structures import CaseInsensitiveDict

from demo.books import Entry
from demo.buckets import BucketState
from demo.objects import Stored, Unfinished, buckets, stored, unfinished


class Watched:
    """A job whose objects may still change, and those of them that are there already."""

    __slots__ = ("entry", "placed", "uploads")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.placed: dict[str, Stored] = {}
        self.uploads: set[str] = set()


class Shelves:
    """The buckets of the simulated jobs, filled no sooner than somebody looks into one."""

    def __init__(self, entries: Callable[[], Iterable[Entry]], states: Mapping[str, BucketState]) -> None:
        self._entries = entries
        self._states = states
        self._lock = Lock()
        self._watched: dict[str, list[Watched]] = {}
        self._known: set[int] = set()

    def bring_up_to(self, now: datetime, bucket: str) -> None:
        """Have every bucket there, and in `bucket` what its jobs have written by now."""
        with self._lock:
            self._take_in(now)
            waiting = []
            for one in self._watched.get(bucket, ()):
                _bring_up_to(one, now, bucket)
                if now < one.entry.life.ended_at:
                    waiting.append(one)
            if bucket in self._watched:
                self._watched[bucket] = waiting

    def make(self, bucket: str, account: str, region: str, at: datetime) -> None:
        """Make a bucket as its state has it, unless it is there already, or missing."""
        state = self._states.get(bucket, BucketState())
        if bucket not in s3_backends.bucket_accounts and not state.missing:
            _make(bucket, state, account, region, at)

    def _take_in(self, now: datetime) -> None:
        for entry in self._entries():
            if id(entry) in self._known or entry.plan.created_at > now:
                continue
            self._known.add(id(entry))
            for bucket in buckets(entry.plan):
                self._watched.setdefault(bucket, []).append(Watched(entry))
                self.make(bucket, entry.plan.account, entry.plan.region, entry.plan.created_at)


def _make(name: str, state: BucketState, account: str, region: str, at: datetime) -> None:
    made = _s3(state.account or account).create_bucket(name, state.region or region)
    made.creation_date = at.replace(tzinfo=None)
    if state.versioning != "off":
        made.versioning_status = state.versioning.title()
    if state.object_lock:
        made.object_lock_enabled = True
    default = {"SSEAlgorithm": "AES256"} if state.kms_key is None else {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": state.kms_key}
    made.encryption = {"Rule": {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": state.kms_key is not None}}


def owner_of(bucket: str) -> FakeBucket | None:
    """The bucket wherever it is, or None."""
    account = s3_backends.bucket_accounts.get(bucket)
    return _s3(account[1]).buckets.get(bucket) if account else None


def _bring_up_to(one: Watched, now: datetime, bucket: str) -> None:
    plan, life = one.entry.plan, one.entry.life
    for item in stored(plan, life):
        if item.bucket != bucket or item.at > now:
            continue
        gone = item.gone_at is not None and item.gone_at <= now
        if gone and item.key in one.placed:
            _remove(one.placed.pop(item.key))
        elif not gone and item.key not in one.placed:
            one.placed[item.key] = item
            _place(plan.account, item)
    for upload in unfinished(plan, life):
        if upload.bucket == bucket and upload.at <= now and upload.key not in one.uploads:
            one.uploads.add(upload.key)
            _begin(plan.account, upload)


def _place(account: str, item: Stored) -> None:
    bucket = owner_of(item.bucket)
    if bucket is None or (item.key in bucket.keys and _written(bucket, item.key) >= item.at.replace(tzinfo=None)):
        return
    # The content makes the ETag, which has to differ from object to object.
    content = f"{item.bucket}/{item.key} {item.at.isoformat()}".encode()
    key = _s3(account).put_object(item.bucket, item.key, content, storage=item.storage_class, disable_notification=True)
    key.last_modified = item.at.replace(tzinfo=None)
    key.contentsize = item.size_bytes


def _remove(item: Stored) -> None:
    bucket = owner_of(item.bucket)
    if bucket is not None and item.key in bucket.keys and _written(bucket, item.key) == item.at.replace(tzinfo=None):
        _s3(bucket.account_id).delete_object(item.bucket, item.key)


def _begin(account: str, upload: Unfinished) -> None:
    if owner_of(upload.bucket) is None:
        return
    multipart = _s3(account).create_multipart_upload(upload.bucket, upload.key, CaseInsensitiveDict(), "STANDARD", {}, None, "", "")
    # Read by our own ListMultipartUploads; moto keeps no such time, and says 2010 of every upload.
    multipart.initiated = upload.at  # type: ignore[attr-defined] # an attribute of ours
    for number, size in enumerate(upload.part_bytes, 1):
        part = multipart.set_part(number, f"{upload.key} {number}".encode())
        part.contentsize = size
        part.last_modified = upload.at.replace(tzinfo=None)


def _written(bucket: FakeBucket, key: str) -> datetime:
    found: FakeKey = bucket.keys[key]
    return found.last_modified


def _s3(account: str) -> S3Backend:
    return s3_backends[account]["aws"]
