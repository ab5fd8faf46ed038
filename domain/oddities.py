"""Oddities: what an answer from AWS had that we did not expect. The job is kept, the oddity is listed on Collectors."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from domain.instants import instant_from, is_plausible
from domain.text import storable

DETAIL_LIMIT = 200


class Oddity(NamedTuple):
    """One thing that was unexpected: `kind` is one of a few words, `member` AWS's name for the field, `detail` what it held."""

    kind: str
    member: str
    detail: str


class Reader:
    """Reads members of a description by type; what does not fit is None and noted, never raised."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._description = description
        self.oddities: list[Oddity] = []

    def note(self, kind: str, member: str, value: object) -> None:
        """Keep an oddity, its detail cut to what fits on a screen."""
        self.oddities.append(Oddity(kind, member, storable(str(value)[:DETAIL_LIMIT])))

    def text(self, member: str) -> str | None:
        """The member as text; None when absent, null or empty."""
        return self.as_text(member, self._description.get(member))

    def as_text(self, member: str, value: object) -> str | None:
        """A value that is already at hand, read as `text` reads a member."""
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.note("unexpected type", member, value)
            return None
        return value

    def whole(self, member: str) -> int | None:
        """The member as a whole number of 0 or more."""
        value = self._description.get(member)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value or not 0 <= value < 2**53:
            self.note("absurd number", member, value)
            return None
        return int(value)

    def flag(self, member: str) -> bool:
        """Whether the member is true; absent and null are false."""
        value = self._description.get(member)
        if value is not None and not isinstance(value, bool):
            self.note("unexpected type", member, value)
        return value is True

    def instant(self, member: str) -> datetime | None:
        """The member as an aware instant; a time that no training job can have is noted and None."""
        return self.as_instant(member, self._description.get(member))

    def as_instant(self, member: str, value: object) -> datetime | None:
        """A value that is already at hand, read as `instant` reads a member."""
        if value is None:
            return None
        moment = instant_from(value)
        if moment is None or not is_plausible(moment):
            self.note("absurd time", member, value)
            return None
        return moment

    def mapping(self, member: str) -> Mapping[str, Any]:
        """The member as a structure; empty when absent or null."""
        value = self._description.get(member)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.note("unexpected type", member, value)
            return {}
        return value

    def structures(self, member: str) -> list[Mapping[str, Any]]:
        """The member as a list of structures; anything else in it is noted and left out."""
        value = self._description.get(member)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.note("unexpected type", member, value)
            return []
        kept = [item for item in value if isinstance(item, Mapping)]
        if len(kept) != len(value):
            self.note("unexpected type", member, value)
        return kept

    def nested(self, member: str) -> "Reader":
        """A reader of a nested structure, noting into this one's oddities."""
        inner = Reader(self.mapping(member))
        inner.oddities = self.oddities
        return inner
