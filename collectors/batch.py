"""What a collector hands on: facts to be kept in one transaction, with how far it has come."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.prices import Price
from storage.checkpoints import CheckpointRow
from storage.leftovers import BucketRow, LeftoverRow
from storage.references import ReferenceRow
from storage.samples import SampleRow
from storage.signals import SignalRow
from storage.tuning import TuningFacts, TuningGone


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts that are written together, or not at all.

    `descriptions` are jobs as AWS described them, `gone` the rows of jobs that AWS no longer knows, `prices` rates found,
    `samples` and `signals` what live jobs report and when they last moved, `tuning` tuning jobs with their children,
    `checkpoints` looks at checkpoint prefixes, `references` all that models and endpoints refer to, `leftovers` what lies in S3
    and `buckets` the buckets looked through.
    `state` is the collector's watermark once these are kept, None to leave it. `progress` says in words how far that is,
    `problems` what went wrong without ending the run, `remarks` what else its reader should know.
    """

    descriptions: Sequence[Mapping[str, Any]] = ()
    gone: Sequence[int] = ()
    prices: Sequence[Price] = ()
    samples: Sequence[SampleRow] = ()
    signals: Sequence[SignalRow] = ()
    tuning: Sequence[TuningFacts | TuningGone] = ()
    checkpoints: Sequence[CheckpointRow] = ()
    references: Sequence[ReferenceRow] = ()
    leftovers: Sequence[LeftoverRow] = ()
    buckets: Sequence[BucketRow] = ()
    state: dict[str, Any] | None = None
    progress: str = ""
    problems: Sequence[str] = ()
    remarks: Sequence[str] = ()


Batches = Generator[Batch, None, None]
