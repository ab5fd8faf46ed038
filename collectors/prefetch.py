"""Fetching ahead: the next pages are on their way while the last ones are kept."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def prefetched(items: Iterable[T], ahead: int) -> Iterator[T]:
    """The items in their order, up to `ahead` of them got beforehand in a thread of their own.

    An error in getting one is raised here, after the items before it. When the consumer stops, the thread ends with the
    call it is in, and nothing further is fetched.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        waiting = deque(pool.submit(next, iterator, _END) for _ in range(ahead))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(pool.submit(next, iterator, _END))
                yield item  # type: ignore[misc]  # whatever is not the end is an item
        finally:
            for future in waiting:
                future.cancel()
