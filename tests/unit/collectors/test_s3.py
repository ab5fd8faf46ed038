"""Many prefixes in few calls: everything under them is seen, and what lies between is skipped."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import collectors.s3 as looking
from domain.spans import apart, common_folder, just_before, next_span, passes
from tests.effort import examples

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT = datetime(2026, 11, 20, tzinfo=UTC)


class Bucket:
    """A bucket that lists as S3 does, `page` keys a call."""

    def __init__(self, keys: list[str], page: int) -> None:
        self._keys, self._page = sorted(keys), page
        self.calls: list[dict[str, Any]] = []

    def list_objects_v2(self, Prefix: str, StartAfter: str = "", ContinuationToken: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        self.calls.append({"Prefix": Prefix, "StartAfter": StartAfter, "ContinuationToken": ContinuationToken})
        after = ContinuationToken or StartAfter
        found = [key for key in self._keys if key.startswith(Prefix) and key > after]
        said: dict[str, Any] = {"Contents": [{"Key": key, "Size": 1, "LastModified": AT} for key in found[: self._page]]}
        return said | ({"NextContinuationToken": found[self._page - 1]} if len(found) > self._page else {})


def seen(bucket: Bucket, spans: list[str]) -> list[str]:
    pages = looking.listed(cast("S3Client", bucket), "b", apart(spans), "here")
    return [one.key for page in pages for one in page]


ALPHABET = "ab/-.0"
KEYS = st.lists(st.text(ALPHABET, min_size=1, max_size=8), max_size=60, unique=True)
SPANS = st.lists(st.text(ALPHABET, min_size=1, max_size=4).map(lambda text: f"{text}/"), min_size=1, max_size=30)


@settings(max_examples=examples(4000))
@given(KEYS, SPANS, st.integers(1, 5))
def test_everything_under_any_prefix_is_seen_once_and_in_order(keys: list[str], spans: list[str], page: int) -> None:
    bucket = Bucket(keys, page)
    found = seen(bucket, spans)
    wanted = [key for key in sorted(keys) if any(key.startswith(span) for span in spans)]
    assert [key for key in found if any(key.startswith(span) for span in spans)] == wanted
    assert len(bucket.calls) <= len(wanted) // page + 2 * len(apart(spans)) + len(passes(apart(spans)))


def test_small_prefixes_next_to_each_other_share_a_call() -> None:
    keys = [f"checkpoints/job-{number:03}/{part}" for number in range(300) for part in range(3)]
    bucket = Bucket(keys, 1000)
    assert len(seen(bucket, [f"checkpoints/job-{number:03}/" for number in range(300)])) == 900
    assert len(bucket.calls) == 1


def test_what_lies_between_is_skipped_however_large_it_is() -> None:
    keys = [f"{name}/{number:05}" for name in ("aaa", "data", "job-1", "job-1-x", "job-10", "zzz") for number in range(3000)]
    bucket = Bucket(keys, 100)
    found = seen(bucket, ["job-1/", "job-10/"])
    assert sum(key.startswith(("job-1/", "job-10/")) for key in found) == 6000
    assert len(bucket.calls) <= 62
    assert {call["Prefix"] for call in bucket.calls} == {"job-1/", "job-10/"}


def test_with_many_roots_one_pass_goes_over_the_bucket() -> None:
    keys = [f"job-{number:03}/output/model" for number in range(200)] + [f"data/{number:05}" for number in range(9000)]
    bucket = Bucket(keys, 1000)
    assert len(seen(bucket, [f"job-{number:03}/" for number in range(200)])) == 200
    assert len(bucket.calls) == 1
    assert bucket.calls[0]["StartAfter"] == just_before("job-000/")


@pytest.mark.parametrize(
    ("last", "expected"), [("a/x", "a/"), ("a", "a/"), ("a/", "a/"), ("b", "c/"), ("c/zz", "c/"), ("d", None), ("a0", "c/")]
)
def test_where_a_listing_goes_on(last: str, expected: str | None) -> None:
    assert next_span(["a/", "c/"], last) == expected


def test_prefixes_under_others_are_not_listed_again() -> None:
    assert apart(["a/b/", "a/", "a-b/", "c/d/", "c/d/e/"]) == ["a-b/", "a/", "c/d/"]
    assert common_folder(["a/b/c/", "a/b/d/"]) == "a/b/"
    assert common_folder(["a-b/", "a/"]) == ""
