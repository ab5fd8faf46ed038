"""What is different between two plans to clean."""

from dataclasses import replace

import pytest

from domain.cleaning import CleanItem, Kept
from domain.cleaning_diff import plan_changes

ITEM = CleanItem(
    "b", "models/training/job-1/", "intermediates", "job-1", "rc", "123456789012", "us-east-1", (), 10, 1000, "old", "off", ("rc",)
)
OTHER = replace(ITEM, prefix="models/training/job-2/", job="job-2")


@pytest.mark.parametrize(
    ("objects", "size", "expected"),
    [(10, 1000, []), (11, 1000, ["grown"]), (10, 1001, ["grown"]), (11, 999, ["shrunk"]), (9, 1000, ["shrunk"]), (9, 1001, ["grown"])],
)
def test_a_prefix_grows_and_shrinks_by_its_bytes_first(objects: int, size: int, expected: list[str]) -> None:
    changes = plan_changes([replace(ITEM, objects=objects, bytes=size)], [ITEM], (), [])
    assert [one.what for one in changes] == expected
    assert [(one.objects, one.bytes) for one in changes] == [(objects - 10, size - 1000)] * len(expected)


def test_what_is_new_says_why_it_may_go_and_the_largest_comes_first() -> None:
    changes = plan_changes([ITEM, replace(OTHER, bytes=5000)], [], (), [])
    assert [(one.what, one.prefix, one.objects, one.bytes, one.why) for one in changes] == [
        ("new", OTHER.prefix, 10, 5000, "old"),
        ("new", ITEM.prefix, 10, 1000, "old"),
    ]


@pytest.mark.parametrize(
    ("kept", "applied", "why"),
    [
        ((Kept("b", ITEM.prefix, "job-1", "job job-1 runs again"),), [3], "job job-1 runs again"),
        ((Kept("other", ITEM.prefix, "job-1", "job job-1 runs again"),), [3], "plan 3 was applied"),
        ((), [3, 4], "plans 3, 4 were applied"),
        ((), [], "it was not found again"),
    ],
)
def test_what_is_gone_says_why(kept: tuple[Kept, ...], applied: list[int], why: str) -> None:
    (change,) = plan_changes([], [ITEM], kept, applied)
    assert (change.what, change.objects, change.bytes, change.why) == ("gone", -10, -1000, why)


def test_another_kind_at_the_same_prefix_is_another_thing() -> None:
    changes = plan_changes([replace(ITEM, kind="uploads")], [ITEM], (), [])
    assert sorted(one.what for one in changes) == ["gone", "new"]
