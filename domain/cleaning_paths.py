"""Paths in S3 as cleaning reads them: by whole components, with every place that meets a path, and wary of look-alikes."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from os.path import commonprefix
from typing import Generic, TypeVar

from domain.s3 import Location

ANY = ""  # stands for every bucket
_UNREADABLE = "?"  # what a look-alike has where it cannot be read as ASCII; matches any one character
_ALIASES = ("-s3alias", "--ol-s3")  # Source: aliases of access points and of Object Lambda access points, in the S3 user guide

T = TypeVar("T")


def components(path: str) -> list[str]:
    """What stands between the slashes of a key or prefix; one slash at its end makes no component."""
    return path.removesuffix("/").split("/")


def folder(path: str) -> str:
    """A path with one slash at its end, so that `job-1` never begins `job-10`; the bucket's root is empty."""
    own = path.rstrip("/")
    return f"{own}/" if own else ""


def stretch(key: str) -> str:
    """What a URI reaches in SageMaker's eyes: without a slash at its end it is the beginning of keys, so that `a/b` reaches `a/bc`.

    Source: S3DataSource, "SageMaker uses all objects that match the specified key name prefix".
    """
    return folder(key) if key.endswith("/") else key


def bucket_and_key(place: Location) -> tuple[str, str]:
    """The place's bucket and key; behind an access point it may be any bucket, and the key is what follows its name."""
    if not place.bucket.lower().startswith("arn:"):
        return (ANY if place.bucket.endswith(_ALIASES) else place.bucket), place.key
    if place.bucket.endswith("accesspoint"):
        return ANY, place.key.partition("/")[2]
    return ANY, place.key


def why_odd(component: str) -> str | None:
    """Why a component is none that anybody would give a folder on purpose; None where it is an ordinary one."""
    if component == "":
        return "an empty component"
    if component.strip() in ("", ".", ".."):
        return f"the component {component!r}"
    if not component.isprintable() or not likeness(component):
        return f"the component {component!r}, which has characters that cannot be seen"
    return None


def likeness(component: str) -> str:
    """What a component looks like: without case, width, accents and spaces; what is beyond ASCII then is a question mark."""
    if component.isascii():
        return component.replace(" ", "").casefold()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", component).casefold())
    seen = (one for one in plain if unicodedata.category(one)[0] not in "MCZ")
    return "".join(one if one.isascii() else _UNREADABLE for one in seen)


def is_alike(one: str, other: str) -> bool:
    """Whether two likenesses may be taken for each other."""
    return len(one) == len(other) and all(a == b or _UNREADABLE in (a, b) for a, b in zip(one, other, strict=True))


class PlaceIndex(Generic[T]):
    """What stands at places, for asking quickly which of them meet a path; each place is a bucket and how its keys begin."""

    def __init__(self, things: Mapping[tuple[str, str], T]) -> None:
        self._things = dict(things)
        self._reaches: dict[str, list[str]] = {}
        for bucket, reach in sorted(self._things):
            self._reaches.setdefault(bucket, []).append(reach)

    def meeting(self, bucket: str, path: str) -> Iterator[T]:
        """Everything at places that hold the path, and at places that it holds: what is done to one may touch the other."""
        yield from self.holding(bucket, path)
        yield from self.within(bucket, path)

    def holding(self, bucket: str, path: str) -> Iterator[T]:
        """Everything at places at or above the path, the closest first."""
        asked = folder(path)
        for of in self._buckets(bucket):
            yield from (self._things[of, reach] for reach in _beginnings(self._reaches.get(of, []), asked))

    def within(self, bucket: str, path: str) -> Iterator[T]:
        """Everything at places at or under the path."""
        asked = folder(path)
        for of in self._buckets(bucket):
            reaches = self._reaches.get(of, [])
            for position in range(bisect_left(reaches, asked), len(reaches)):
                if not reaches[position].startswith(asked):
                    break
                yield self._things[of, reaches[position]]

    def _buckets(self, bucket: str) -> Iterable[str]:
        return self._reaches if bucket == ANY else (bucket, ANY)


def _beginnings(ordered: list[str], text: str) -> Iterator[str]:
    """Those of the ordered texts that the text begins with, the longest first.

    The last one that is not behind the text either begins it, or shares with it all that a shorter beginning can have.
    """
    shared, end = text, len(ordered)
    while (position := bisect_right(ordered, shared, 0, end) - 1) >= 0:
        if text.startswith(ordered[position]):
            yield ordered[position]
        shared, end = commonprefix([text, ordered[position]]), position  # noqa: RUF071 - of characters, not of components


class ArtifactFolder:
    """The convention's place for models, such as `models/artifacts/`; a component with a {field} in it is any component."""

    def __init__(self, template: str) -> None:
        self._parts = [None if "{" in part else part.casefold() for part in template.split("/") if part]

    def meets(self, path: str) -> bool:
        """Whether the path lies at, under or above it; without a convention every path does, since models may lie anywhere.

        The same components deeper down count too: somebody has put models there as well.
        """
        parts = [part.casefold() for part in components(path)]
        deeper = range(1, len(parts) - len(self._parts) + 1)
        return self._fits(parts[: len(self._parts)]) or any(self._fits(parts[at : at + len(self._parts)]) for at in deeper)

    def _fits(self, parts: list[str]) -> bool:
        return all(wanted in (None, part) for wanted, part in zip(self._parts, parts, strict=False))
