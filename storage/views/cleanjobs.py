"""The jobs that cleaning has to know: those that a leftover may belong to, and those that point at one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from domain.arns import training_job_arn
from domain.attribution import UNATTRIBUTED
from domain.cleaning import CleanJob
from domain.cleaning_paths import ANY, bucket_and_key
from domain.leftovers import Leftover
from domain.references import s3_uris
from domain.s3 import Location, location
from domain.scope import Scope
from domain.training_job import TrainingJob, training_job_from
from storage.descriptions import unpack
from storage.schema import collector_status, jobs, scopes, training_jobs

_CHUNK = 2000


class Places:
    """The leftovers' places, for asking quickly whether another place meets any of them.

    Behind an access point may be any bucket, so that a place there meets what lies at its key anywhere.
    """

    def __init__(self, leftovers: Iterable[Leftover]) -> None:
        found = [(Location(bucket, one.prefix), one.job) for one in leftovers for bucket in (one.bucket, ANY)]
        self._at = {_plain(place) for place, _ in found}
        self._above = {above for place, _ in found for above in _ancestors(place)}
        self._names = {part for place, _ in found for part in place.key.split("/")} | {name for _, name in found}

    def named(self, job: str) -> bool:
        """Whether any leftover's path has a component of this name."""
        return job in self._names

    def meet(self, place: Location) -> bool:
        """Whether the place lies at, under or above any leftover."""
        own = _plain(Location(*bucket_and_key(place)))
        return own in self._above or own in self._at or any(above in self._at for above in _ancestors(own))


def clean_jobs(connection: Connection, leftovers: Sequence[Leftover], live_since: datetime) -> list[CleanJob]:
    """Every job that is alive or ended since an instant, that a leftover is named for, or that names a place that meets one.

    Read in pieces, so that any number of jobs in the books fits in memory.
    """
    places = Places(leftovers)
    return [job for job in _all(connection) if _matters(job, places, live_since)]


def _matters(job: CleanJob, places: Places, live_since: datetime) -> bool:
    if job.is_live or job.ended_at is None or job.ended_at >= live_since or places.named(job.name):
        return True
    under = (Location(place.bucket, f"{place.key.rstrip('/')}/{job.name}".lstrip("/")) for place in job.outputs)
    own = [*job.points_at, *under, *(place for place in (job.artifact, job.checkpoints) if place)]
    return any(places.meet(place) for place in own)


def _all(connection: Connection) -> Iterator[CleanJob]:
    facts, last = training_jobs.c, 0
    while True:
        statement = (
            select(
                facts.id,
                facts.name,
                facts.arn,
                facts.gone_at,
                facts.observed_at,
                facts.description,
                jobs.c.team,
                scopes.c.account,
                scopes.c.region,
            )
            .join(scopes, scopes.c.id == facts.scope_id)
            .outerjoin(jobs, jobs.c.id == facts.id)
            .where(facts.id > last)
            .order_by(facts.id)
            .limit(_CHUNK)
        )
        rows = connection.execute(statement).all()
        if not rows:
            return
        yield from (_clean_job(row) for row in rows)
        last = rows[-1].id


def _clean_job(row: Any) -> CleanJob:
    description = unpack(row.description)
    job = training_job_from(description)
    if row.gone_at is not None and job.is_live:
        job = job.lost_at(row.observed_at)
    return _cleaned(description, job, Scope(row.account, row.region), row.arn, row.observed_at, row.team or UNATTRIBUTED)


def clean_job_from(description: Mapping[str, Any], scope: Scope, observed_at: datetime) -> CleanJob:
    """A job that is not in the books yet, of nobody's team, from its description. Raises Unreadable for what is no job."""
    return _cleaned(description, training_job_from(description), scope, None, observed_at, UNATTRIBUTED)


def _cleaned(description: Mapping[str, Any], job: TrainingJob, scope: Scope, arn: str | None, observed_at: datetime, team: str) -> CleanJob:
    artifacts = description.get("ModelArtifacts")
    return CleanJob(
        name=job.name,
        arn=arn or str(description.get("TrainingJobArn") or training_job_arn(scope, job.name)),
        account=scope.account,
        region=scope.region,
        created_at=job.created_at or observed_at,
        ended_at=job.ended_at or job.ended_by,
        status=job.status,
        is_live=job.is_live,
        team=team,
        points_at=tuple(_points_at(description)),
        artifact=location(artifacts.get("S3ModelArtifacts")) if isinstance(artifacts, Mapping) else None,
        checkpoints=location(job.checkpoint_uri),
        outputs=(output,) if (output := location(job.output_uri)) else (),
    )


def _points_at(description: Mapping[str, Any]) -> Iterator[Location]:
    """Inputs, code and whatever else it names in S3, in any member and any form; what it writes, its output and checkpoints, is apart."""
    written = ("OutputDataConfig", "ModelArtifacts", "CheckpointConfig")
    for uri in dict.fromkeys(s3_uris({member: value for member, value in description.items() if member not in written})):
        place = location(uri)
        if place is not None:
            yield place


def _plain(place: Location) -> Location:
    return Location(place.bucket, place.key.rstrip("/"))


def _ancestors(place: Location) -> Iterator[Location]:
    """Every place above, the bucket itself among them."""
    parts = place.key.rstrip("/").split("/")
    for length in range(len(parts)):
        yield Location(place.bucket, "/".join(parts[:length]))


def jobs_known_at(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When the jobs of each account and region were last known to be whole: the beginning of its last good run.

    What is created while a run goes on may come after its last question.
    """
    status = collector_status.c
    statement = (
        select(scopes.c.account, scopes.c.region, status.whole_at)
        .join(scopes, scopes.c.id == status.scope_id)
        .where(status.collector == "jobs", status.whole_at.is_not(None))
    )
    return {(account, region): at for account, region, at in connection.execute(statement)}


def scopes_known(connection: Connection) -> list[tuple[str, str]]:
    """Every account and region in our books."""
    return [(row.account, row.region) for row in connection.execute(select(scopes.c.account, scopes.c.region).order_by(scopes.c.id))]
