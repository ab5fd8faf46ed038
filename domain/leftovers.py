"""What training leaves in S3: a prefix of one kind, with whose job it seems to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["intermediates", "debugger", "profiler", "tensorboard", "checkpoints", "uploads", "artifacts"]
Versioning = Literal["off", "enabled", "suspended", "unknown"]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A prefix, what kind of thing lies there, and how much. `job` is the path component that names a job, empty where none does.

    `account` and `region` are those through which we listed it; `classes` are bytes by storage class.
    """

    bucket: str
    prefix: str
    kind: Kind
    job: str
    team: str
    account: str
    region: str
    objects: int
    bytes: int
    classes: Mapping[str, int]
    newest_at: datetime | None
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object, or an unfinished multipart upload (with an `upload_id`, whose parts add up to `bytes`)."""

    key: str
    bytes: int
    etag: str
    version_id: str | None
    modified_at: datetime
    upload_id: str = ""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is known of a bucket; `problem` says in words why it cannot be listed, empty where it can."""

    name: str
    account: str
    region: str | None
    versioning: Versioning
    object_lock: bool | None
    encrypted: str | None
    problem: str
    looked_at: datetime

    @property
    def in_words(self) -> str:
        """Its state for whoever may want to clean it: what keeps us out, what is never cleaned, and what could be brought back."""
        if self.problem:
            return self.problem
        if self.object_lock:
            return "its objects are locked, and are never cleaned"
        if self.object_lock is None:
            return "nobody could tell whether it locks its objects, so nothing is cleaned (s3:GetBucketObjectLockConfiguration)"
        key = "; encrypted with a KMS key" if (self.encrypted or "").startswith("aws:kms") else ""
        return f"{_VERSIONING[self.versioning]}{key}"


_VERSIONING: Mapping[Versioning, str] = {
    "off": "open; it keeps no versions, so that nothing can be brought back",
    "enabled": "open; it keeps versions: a clean can be undone, and saves once noncurrent versions expire",
    "suspended": "open; versioning is suspended, so that nothing can be brought back",
    "unknown": "open; nobody could tell whether it keeps versions (s3:GetBucketVersioning)",
}
