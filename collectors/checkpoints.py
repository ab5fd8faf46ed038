"""What lies under the checkpoint prefixes of live jobs, and once more of jobs that have ended."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

from aws.errors import AccessDenied, AwsError, CredentialsUnusable, NotFound, Refused, translated
from aws.session import Clients
from collectors.batch import Batch, Batches
from collectors.books import Books
from domain.s3 import Location, location
from domain.training_job import TrainingJob, training_job_from
from storage.checkpoints import CheckpointRow

NAME = "checkpoints"
REQUIRED_PERMISSIONS = ("s3:ListBucket",)
PAGE, MOST_PAGES = 1000, 10
ENDED_SINCE, ENDED_A_RUN = timedelta(days=30), 300
ON_DEMAND_EVERY = timedelta(minutes=30)
TOGETHER, THREADS = 40, 8

Clock = Callable[[], datetime]


class Look(NamedTuple):
    """A job to look at, whether that is the last time, and where."""

    job_id: int
    job: TrainingJob
    final: bool


def collect_checkpoints(clients: Clients, books: Books, now: Clock) -> Batches:
    """Batches of looks: live spot jobs each time, live on-demand jobs every half hour, ended spot jobs once. One call a job mostly.

    A bucket that cannot be listed is a state of its jobs in words, and the rest goes on. Source: ListObjectsV2.
    """
    moment = now()
    looks = _wanted(books, moment)
    closed: dict[Location, str] = {}
    for start in range(0, len(looks), TOGETHER):
        some = looks[start : start + TOGETHER]
        with ThreadPoolExecutor(THREADS, thread_name_prefix="checkpoints") as pool:
            rows = list(pool.map(lambda look: _looked_at(clients, look, closed), some))
        yield Batch(checkpoints=rows, progress="looking at checkpoints")
    problems = sorted(set(closed.values()))
    yield Batch(problems=problems, state={"through": moment.isoformat()})


def _wanted(books: Books, now: datetime) -> list[Look]:
    known = books.checkpoint_looks()
    live = []
    for watched in books.watched():
        job = training_job_from(watched.description)
        seen = known.get(watched.job_id)
        due = job.capacity == "spot" or seen is None or now - seen >= ON_DEMAND_EVERY
        if job.is_live and job.started_at and due and (job.checkpoint_uri or job.capacity == "spot"):
            live.append(Look(watched.job_id, job, final=False))
    live.sort(key=lambda look: look.job.capacity != "spot")
    ended = books.ended_unseen(now - ENDED_SINCE, ENDED_A_RUN)
    return live + [Look(job_id, training_job_from(described), final=True) for job_id, described in ended]


def _looked_at(clients: Clients, look: Look, closed: dict[Location, str]) -> CheckpointRow:
    """What lies there; a place that was found closed in this run is not asked again, and a job without checkpoints never."""
    if look.job.checkpoint_uri is None:
        return _unseen(look, "")
    place = location(look.job.checkpoint_uri)
    if place is None:
        return _unseen(look, f"{look.job.checkpoint_uri} is no S3 address")
    shut = closed.get(place) or closed.get(Location(place.bucket, ""))
    if shut:
        return _unseen(look, shut)
    try:
        return _listed(clients, look, place.bucket, place.key)
    except CredentialsUnusable:
        raise
    except (AccessDenied, NotFound, Refused) as error:
        # A bucket that is not there is there for nobody; of others we may be let into one prefix and kept out of the next.
        where = Location(place.bucket, "") if isinstance(error, NotFound) else place
        closed[where] = f"bucket {place.bucket}: {error}"
        return _unseen(look, closed[where])
    except AwsError as error:  # which may pass: a last look is due again
        return _unseen(look._replace(final=False), str(error))


def _listed(clients: Clients, look: Look, bucket: str, key: str) -> CheckpointRow:
    count = size = 0
    writes: list[datetime] = []
    newest: datetime | None = None
    pages = 0
    # With its slash, so that the checkpoints of job-10 are not taken for those of job-1.
    prefix = key if not key or key.endswith("/") else f"{key}/"
    for page in _pages(clients, bucket, prefix):
        pages += 1
        for found in page:
            count, size = count + 1, size + found[1]
            newest = found[0] if newest is None else max(newest, found[0])
            if look.job.started_at and found[0] >= look.job.started_at:
                writes.append(found[0])
    return CheckpointRow(look.job_id, look.job, count, size, newest, writes, pages > MOST_PAGES, "", look.final)


def _pages(clients: Clients, bucket: str, prefix: str) -> Iterator[Sequence[tuple[datetime, int]]]:
    """Pages of (last write, bytes); one page more than the most that are counted says that there would be others."""
    token: str | None = None
    for number in range(MOST_PAGES + 1):
        if number == MOST_PAGES:
            yield ()
            return
        more = {"ContinuationToken": token} if token else {}
        with translated(clients.where):
            answer = clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=PAGE, **more)  # type: ignore[arg-type] # one text
        yield [(one["LastModified"], one["Size"]) for one in answer.get("Contents", [])]
        token = answer.get("NextContinuationToken")
        if not token:
            return


def _unseen(look: Look, problem: str) -> CheckpointRow:
    return CheckpointRow(look.job_id, look.job, None, None, None, (), cut_off=False, problem=problem, final=look.final)
