"""What a collector hands on: facts to be kept in one transaction, with how far it has come."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.prices import Price


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts that are written together, or not at all.

    `descriptions` are jobs as AWS described them, `gone` the rows of jobs that AWS no longer knows, `prices` rates found.
    `state` is the collector's watermark once these are kept, None to leave it. `progress` says in words how far that is,
    `problems` what went wrong without ending the run, `remarks` what else its reader should know.
    """

    descriptions: Sequence[Mapping[str, Any]] = ()
    gone: Sequence[int] = ()
    prices: Sequence[Price] = ()
    state: dict[str, Any] | None = None
    progress: str = ""
    problems: Sequence[str] = ()
    remarks: Sequence[str] = ()


Batches = Generator[Batch, None, None]
