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
