"""Buckets that are not as ordinary ones are: versioned, locked, under a key, elsewhere, closed to us, or gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class BucketState:
    """What is special about a bucket; region and account None are those of the first job that names it.

    To a `denied` bucket every call is refused, a `missing` one was deleted after its jobs had used it.
    """

    region: str | None = None
    account: str | None = None
    versioning: Literal["off", "enabled", "suspended"] = "off"
    object_lock: bool = False
    kms_key: str | None = None
    denied: bool = False
    missing: bool = False


VERSIONED: Final = "acme-sm-vision-detect"
SUSPENDED: Final = "acme-sm-search-rerank"
LOCKED: Final = "acme-sm-rc-credit"
ENCRYPTED: Final = "acme-sm-nlp-intent"
DENIED: Final = "acme-vault"
MISSING: Final = "acme-sm-retired"
ELSEWHERE: Final = "acme-ml-eu"
FOREIGN: Final = "partner-lab-exchange"

BUCKETS: Final[Mapping[str, BucketState]] = MappingProxyType(
    {
        VERSIONED: BucketState(versioning="enabled"),
        SUSPENDED: BucketState(versioning="suspended"),
        LOCKED: BucketState(versioning="enabled", object_lock=True),
        ENCRYPTED: BucketState(kms_key="arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        DENIED: BucketState(denied=True),
        MISSING: BucketState(missing=True),
        ELSEWHERE: BucketState(region="eu-west-1"),
        FOREIGN: BucketState(account="210987654321"),
    }
)
"""The special buckets of the simulated account; the workload has jobs that use each."""
