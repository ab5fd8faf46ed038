"""Answers given page by page: what is asked again with a token is cut from the result as it first stood."""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from threading import Lock
from typing import Generic, TypeVar

from demo.errors import invalid

T = TypeVar("T")
KEPT = 64
"""How many results are remembered; the one asked for longest ago is forgotten first."""


class Pages(Generic[T]):
    """Results that are being paged through."""

    def __init__(self) -> None:
        self._results: OrderedDict[int, Sequence[T]] = OrderedDict()
        self._numbers = count(1)
        self._lock = Lock()

    def first(self, result: Sequence[T], size: int) -> tuple[Sequence[T], str | None]:
        """The first `size` items of a new result, and the token for more."""
        if len(result) <= size:
            return result, None
        with self._lock:
            number = next(self._numbers)
            self._results[number] = result
            while len(self._results) > KEPT:
                self._results.popitem(last=False)
        return self._cut(number, result, 0, size)

    def following(self, token: str, size: int) -> tuple[Sequence[T], str | None, int]:
        """The next `size` items, the token for more, and the length of the whole; a ValidationException if invalid."""
        number, offset = _decoded(token)
        with self._lock:
            result = self._results.get(number)
            if result is None:
                raise invalid("Invalid NextToken")
            self._results.move_to_end(number)
        items, more = self._cut(number, result, offset, size)
        return items, more, len(result)

    def _cut(self, number: int, result: Sequence[T], offset: int, size: int) -> tuple[Sequence[T], str | None]:
        end = offset + size
        return result[offset:end], _encoded(number, end) if end < len(result) else None


def page_size(asked: object, default: int, most: int = 100) -> int:
    """MaxResults, or its default; a ValidationException outside 1 to `most`."""
    if asked is None:
        return default
    if not isinstance(asked, int) or not 1 <= asked <= most:
        raise invalid(
            f"1 validation error detected: Value '{asked}' at 'maxResults' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )
    return asked


def _encoded(number: int, offset: int) -> str:
    return base64.urlsafe_b64encode(f"demo:{number}:{offset}".encode()).decode()


def _decoded(token: str) -> tuple[int, int]:
    try:
        word, number, offset = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        if word == "demo":
            return int(number), int(offset)
    except (ValueError, binascii.Error):
        pass
    raise invalid("Invalid NextToken")
