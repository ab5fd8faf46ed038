"""The facts that cleaning rests on, and what comes of them: what may go, and what stays and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.leftovers import Bucket, Kind, Leftover, Versioning
from domain.s3 import Location


@dataclass(frozen=True, slots=True)
class CleanJob:
    """A job of our books as cleaning needs it: who it is, how it ended, and every place in S3 that it names.

    `ended_at` is None while it lives, or where it is not known; `points_at` are its inputs, code and other places, `artifact` its own
    model, `checkpoints` its checkpoint prefix. `outputs` are paths to which SageMaker adds the job's name: of these, what lies under
    `{output}/{name}/` is the job's. An output that stands in `points_at` counts as all that lies under it.
    """

    name: str
    arn: str
    account: str
    region: str
    created_at: datetime
    ended_at: datetime | None
    status: str
    is_live: bool
    team: str
    points_at: tuple[Location, ...]
    artifact: Location | None
    checkpoints: Location | None
    outputs: tuple[Location, ...] = ()

    @property
    def identity(self) -> tuple[str, int]:
        """Who it is: a name may be given again, the ARN and the second of creation are not."""
        return self.arn, int(self.created_at.timestamp())


@dataclass(frozen=True, slots=True)
class CleanFacts:
    """Everything the decision rests on.

    `references` are the places that SageMaker Models, endpoints and model packages refer to, with what refers to them in words;
    `references_at` and `jobs_at` are when these facts were last known to be whole, by (account, region), missing where they never
    were. `shared_buckets` are those that accounts we do not watch may read. `artifact_prefix` is the convention's place for models.
    """

    leftovers: Sequence[Leftover]
    jobs: Sequence[CleanJob]
    references: Mapping[Location, str]
    references_at: Mapping[tuple[str, str], datetime]
    jobs_at: Mapping[tuple[str, str], datetime]
    scopes: Sequence[tuple[str, str]]
    buckets: Mapping[str, Bucket]
    shared_buckets: frozenset[str]
    artifact_prefix: str


@dataclass(frozen=True, slots=True)
class CleanItem:
    """A prefix that may go: whose it was, how much, why, and what of the saving is known. `owners` are (ARN, creation second).

    `teams` are those of all owners, in order: who acts on it acts on what is each of theirs.
    """

    bucket: str
    prefix: str
    kind: Kind
    job: str
    team: str
    account: str
    region: str
    owners: tuple[tuple[str, int], ...]
    objects: int
    bytes: int
    why: str
    versioning: Versioning
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A prefix that stays, and why, in words."""

    bucket: str
    prefix: str
    job: str
    why: str


@dataclass(frozen=True, slots=True)
class CleanPlan:
    """What may go, and everything that stays with the reason: each leftover is in one of them, once."""

    items: tuple[CleanItem, ...]
    kept: tuple[Kept, ...]
