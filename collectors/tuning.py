"""Hyperparameter tuning jobs with their objective, their children and what each of them reached."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from aws.errors import NotFound, translated
from aws.session import Clients
from collectors.batch import Batch, Batches
from collectors.books import Books
from domain.instants import instant_from
from domain.tuning import Child, child_from, tuning_job_from
from settings import Collect
from storage.tuning import TuningFacts, TuningGone

NAME = "tuning"
REQUIRED_PERMISSIONS = (
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
)
PAGE = 100
OVERLAP = timedelta(hours=1)

Clock = Callable[[], datetime]


def collect_tuning_jobs(clients: Clients, books: Books, settings: Collect, now: Clock) -> Batches:
    """A batch for each tuning job that is new to us or may have changed; those that ended and are known are not asked for again.

    Raises AwsError. Source: ListHyperParameterTuningJobs, DescribeHyperParameterTuningJob,
    ListTrainingJobsForHyperParameterTuningJob.
    """
    moment = now()
    known = books.tuning_jobs()
    through = instant_from(books.watermark(NAME).get("through"))
    since = through - OVERLAP if through else moment - timedelta(days=settings.history_days)
    alive = [key for key, watched in known.items() if watched]
    names = [name for name, _ in alive]
    names += [_key(summary)[0] for summary in _listed(clients, since) if _key(summary) not in known]
    for name in dict.fromkeys(names):
        facts = tuning_facts(clients, name)
        seen = [facts] if facts is not None else []
        gone = [TuningGone(*key) for key in alive if key[0] == name and (facts is None or key != _key(facts.description))]
        yield Batch(tuning=[*seen, *gone], progress="looking at tuning jobs")
    yield Batch(state={"through": moment.isoformat()})


def tuning_facts(clients: Clients, name: str) -> TuningFacts | None:
    """A tuning job as it is now, with its children; None when AWS knows it no more."""
    try:
        with translated(clients.where):
            description: dict[str, Any] = dict(clients.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))
            return TuningFacts(description, list(_children(clients, name)))
    except NotFound:
        return None


def _key(said: Mapping[str, Any]) -> tuple[str, int]:
    """The identity of a tuning job, of its summary or its description: name and creation second."""
    job = tuning_job_from(said)
    return job.name, int(job.created_at.timestamp())


def _listed(clients: Clients, since: datetime) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": PAGE, "CreationTimeAfter": since}
    while True:
        with translated(clients.where):
            answer = clients.sagemaker.list_hyper_parameter_tuning_jobs(**request)
        yield from answer.get("HyperParameterTuningJobSummaries", [])
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _children(clients: Clients, name: str) -> Iterator[Child]:
    request: dict[str, Any] = {"HyperParameterTuningJobName": name, "MaxResults": PAGE}
    while True:
        answer = clients.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**request)
        yield from (child_from(one) for one in answer.get("TrainingJobSummaries", []))
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]
