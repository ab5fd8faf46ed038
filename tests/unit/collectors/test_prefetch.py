"""Fetching ahead of whoever consumes."""

import threading
from collections.abc import Iterator

import pytest

from collectors.prefetch import prefetched


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_items_come_in_their_order() -> None:
    assert list(prefetched(range(100), 3)) == list(range(100))
    assert _threads() == []


def test_no_more_is_fetched_than_was_asked_ahead() -> None:
    fetched = []

    def source() -> Iterator[int]:
        for number in range(100):
            fetched.append(number)
            yield number

    items = prefetched(source(), 3)
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert len(fetched) <= 4
    assert _threads() == []


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    items, seen = prefetched(source(), 3), []
    with pytest.raises(ValueError, match="the third"):
        seen.extend(items)
    assert _threads() == []
    items = prefetched(source(), 3)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(items)


def test_a_consumer_that_fails_ends_the_thread() -> None:
    items = prefetched(iter(range(100)), 3)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - what is tested is leaving the loop by an error
        for _ in items:
            raise ZeroDivisionError
    items.close()  # type: ignore[attr-defined]
    assert _threads() == []
