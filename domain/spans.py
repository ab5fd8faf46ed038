"""Many prefixes of a bucket listed in few calls: in which order, and what can be skipped in between.

S3 lists keys in the order of their UTF-8 bytes, which is the order of Python's text.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence


def apart(prefixes: Iterable[str]) -> list[str]:
    """The prefixes in the order of keys, less those that lie under another."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


def just_before(span: str) -> str:
    """A key after which a listing begins with the first key of a prefix, but for keys that nobody uses."""
    return f"{span[:-1]}{chr(ord(span[-1]) - 1)}\ufffd"


def next_span(spans: Sequence[str], last_key: str) -> str | None:
    """The first prefix that may still hold keys behind `last_key`; None where none does."""
    position = bisect_right(spans, last_key)
    if position and last_key.startswith(spans[position - 1]):
        return spans[position - 1]
    return spans[position] if position < len(spans) else None


def passes(spans: Sequence[str], most: int = 16) -> list[tuple[str, list[str]]]:
    """The prefixes in groups that are listed in one go each, with the folder that holds them: by their first component, if few."""
    groups: dict[str, list[str]] = {}
    for span in spans:
        groups.setdefault(span.partition("/")[0], []).append(span)
    several: Iterable[list[str]] = groups.values() if len(groups) <= most else [list(spans)]
    return [(common_folder(group), group) for group in several if group]


def common_folder(group: Sequence[str]) -> str:
    """The longest folder that holds all of these prefixes, or the only one."""
    if len(group) == 1:
        return group[0]
    first, last = group[0], group[-1]
    same = next((number for number, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[: first.rfind("/", 0, same) + 1]
