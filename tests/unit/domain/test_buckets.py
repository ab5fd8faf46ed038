"""The state of a bucket in words: what keeps us out, what is never cleaned, what could be brought back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.leftovers import Bucket

PLAIN = Bucket(
    "b", "123456789012", "us-east-1", "off", object_lock=False, encrypted="AES256", problem="", looked_at=datetime(2026, 11, 20, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "open; it keeps no versions, so that nothing can be brought back"),
        ({"problem": "s3:ListBucket is denied", "object_lock": True}, "s3:ListBucket is denied"),
        ({"problem": "it belongs to another account"}, "it belongs to another account"),
        ({"object_lock": True, "versioning": "enabled"}, "its objects are locked, and are never cleaned"),
        ({"object_lock": None}, "nobody could tell whether it locks its objects, so nothing is cleaned"),
        ({"versioning": "enabled"}, "a clean can be undone, and saves once noncurrent versions expire"),
        ({"versioning": "suspended"}, "versioning is suspended, so that nothing can be brought back"),
        ({"versioning": "unknown"}, "nobody could tell whether it keeps versions (s3:GetBucketVersioning)"),
        ({"encrypted": "aws:kms"}, "so that nothing can be brought back; encrypted with a KMS key"),
        ({"encrypted": None}, "open; it keeps no versions, so that nothing can be brought back"),
    ],
)
def test_every_state_of_a_bucket_has_its_words(state: dict[str, Any], words: str) -> None:
    assert words in replace(PLAIN, **state).in_words
