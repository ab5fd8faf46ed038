"""When live jobs last logged: the time alone, which costs nothing; no line is ever read."""

from collections.abc import Callable
from datetime import UTC, datetime

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
STREAMS = 50  # Source: DescribeLogStreams, the most of one page; a job has a stream a host
LOOKS = 200  # jobs of one run; the ones looked at longest ago come first
PER_BATCH = 25

Clock = Callable[[], datetime]


def collect_logs(clients: Clients, books: Books, now: Clock) -> Batches:
    """Batches with the time of the newest log event of each job that trains, GPU jobs first; one call a job.

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
        rows.append(SignalRow(job_id, LOGS, _last_event(clients, job.name), moment))
        looked[job_id] = int(moment.timestamp())
        if len(rows) == PER_BATCH:
            yield Batch(signals=rows, state={"looked": looked}, progress="looking when jobs last logged")
            rows = []
    yield Batch(signals=rows, state={"looked": looked})


def _has_gpus(job: TrainingJob) -> bool:
    return any(instance_type(group.instance_type).gpus != 0 for group in job.cluster)


def _last_event(clients: Clients, name: str) -> datetime | None:
    """The newest event over the job's streams; None when it has none, or there is no log group yet."""
    try:
        with translated(clients.where):
            answer = clients.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/", limit=STREAMS)
    except NotFound:
        return None
    stamps = [int(stream.get("lastEventTimestamp", 0)) for stream in answer["logStreams"]]
    stamps += [int(stream.get("lastIngestionTime", 0)) for stream in answer["logStreams"]]
    newest = max(stamps, default=0)
    return datetime.fromtimestamp(newest / 1000, UTC) if newest else None
