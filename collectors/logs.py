"""When live jobs last logged: the time alone, which costs nothing; no line is ever read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from aws.errors import NotFound, translated
from aws.session import Clients
from collectors.batch import Batch, Batches
from collectors.books import Books
from domain.instances import instance_type
from domain.training_job import TrainingJob, training_job_from
from storage.signals import LOGS, SignalRow

NAME = "logs"
REQUIRED_PERMISSIONS = ("logs:DescribeLogStreams",)
GROUP = "/aws/sagemaker/TrainingJobs"
STREAMS = 50  # Source: DescribeLogStreams, the most of one page; a job has a stream for each host and each stretch of training
LOOKS = 1200  # jobs of one run, a minute or two of calls; the ones looked at longest ago come first
PER_BATCH = 25

Clock = Callable[[], datetime]


def collect_logs(clients: Clients, books: Books, now: Clock) -> Batches:
    """Batches with the time of the newest log event of each job that trains, GPU jobs first; mostly one call a job.

    Raises AwsError. Source: DescribeLogStreams, whose lastEventTimestamp may be up to an hour behind.
    """
    moment = now()
    looked = {int(key): seconds for key, seconds in books.watermark(NAME).get("looked", {}).items()}
    live = [(watched.job_id, training_job_from(watched.description)) for watched in books.watched()]
    training = [(job_id, job) for job_id, job in live if job.is_live and job.secondary_status == "Training"]
    looked = {job_id: seconds for job_id, seconds in looked.items() if any(job_id == one for one, _ in training)}
    training.sort(key=lambda one: (not _has_gpus(one[1]), looked.get(one[0], 0)))
    rows: list[SignalRow] = []
    for job_id, job in training[:LOOKS]:
        rows.append(SignalRow(job_id, LOGS, _last_event(clients, job), moment))
        looked[job_id] = int(moment.timestamp())
        if len(rows) == PER_BATCH:
            yield Batch(signals=rows, state={"looked": looked}, progress="looking when jobs last logged")
            rows = []
    left = len(training) - LOOKS
    remarks = (
        [f"{left:,} of {len(training):,} training jobs wait for the next run: whether they hang is judged less often"] if left > 0 else []
    )
    yield Batch(signals=rows, state={"looked": looked}, remarks=remarks)


def _has_gpus(job: TrainingJob) -> bool:
    return any(instance_type(group.instance_type).gpus != 0 for group in job.cluster)


def _last_event(clients: Clients, job: TrainingJob) -> datetime | None:
    """The newest event over the job's streams; None when it has none, or there is no log group yet.

    What an earlier job of the name logged, before this one was created, is not of this one.
    """
    newest = 0
    try:
        for stream in _streams(clients, f"{job.name}/"):
            newest = max(newest, int(stream.get("lastEventTimestamp", 0)), int(stream.get("lastIngestionTime", 0)))
    except NotFound:
        return None
    last = datetime.fromtimestamp(newest / 1000, UTC)
    return last if newest and (job.created_at is None or last >= job.created_at) else None


def _streams(clients: Clients, prefix: str) -> Iterator[Any]:
    request: dict[str, Any] = {"logGroupName": GROUP, "logStreamNamePrefix": prefix, "limit": STREAMS}
    while True:
        with translated(clients.where):
            answer = clients.logs.describe_log_streams(**request)
        yield from answer.get("logStreams", [])
        if not answer.get("nextToken"):
            return
        request["nextToken"] = answer["nextToken"]
