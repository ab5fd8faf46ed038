"""One request as an operation of an AWS service, and what the operations need to answer it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls which operation of which service, with what, and when; `account` and `region` are the caller's."""

    service: str
    operation: str
    account: str
    region: str
    body: Mapping[str, object]
    now: datetime

    def text(self, name: str) -> str:
        """A member of the request as text, "" when it is not there."""
        value = self.body.get(name)
        return "" if value is None else str(value)


def as_object(value: object) -> Mapping[str, object]:
    """A member of a request that should be an object; empty if it is anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[object]:
    """A member of a request that should be a list; empty if it is anything else."""
    return value if isinstance(value, list) else []


def as_whole(value: object, default: int) -> int:
    """A member of a request that should be a whole number, else the default."""
    return value if isinstance(value, int) else default


Operation = Callable[[Call], "bytes | Mapping[str, object]"]
"""Answers a call with JSON, ready or yet to be rendered; raises AwsError."""
