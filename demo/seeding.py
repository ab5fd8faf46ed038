"""Many objects at once, for tests and benchmarks: put where moto keeps them, with declared sizes and no content."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import md5
from typing import NamedTuple

from moto.s3.models import FakeKey

from demo.shelves import owner_of


class Seed(NamedTuple):
    """An object to be there; its ETag follows from its key and time."""

    key: str
    size_bytes: int
    at: datetime
    storage_class: str = "STANDARD"


def seed(bucket: str, objects: Iterable[Seed]) -> int:
    """Put the objects into a bucket that is there; returns how many. Raises LookupError where there is none."""
    made = owner_of(bucket)
    if made is None:
        raise LookupError(f"there is no bucket {bucket}")
    count = 0
    for one in objects:
        etag = md5(f"{one.key} {one.at.isoformat()}".encode(), usedforsecurity=False).hexdigest()
        version = etag if made.is_versioned else "null"
        key = FakeKey(
            one.key,
            b"",
            made.account_id,
            made.region_name,
            one.storage_class,
            etag,
            made.is_versioned,
            version,
            max_buffer_size=1,
            bucket_name=bucket,
        )
        key.last_modified = one.at.replace(tzinfo=None)
        key.contentsize = one.size_bytes
        made.keys[one.key] = key
        count += 1
    return count
