"""A fresh look at what is about to be stopped, and the request itself: training jobs and tuning jobs alike."""

from typing import Any, NamedTuple

from aws.errors import NotFound, Refused, translated
from aws.session import Clients
from domain.instants import instant_from
from domain.stopping import Kind

REQUIRED_PERMISSIONS = (
    "sagemaker:DescribeTrainingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:StopHyperParameterTuningJob",
)


class Look(NamedTuple):
    """What AWS says of it now: its status, and the second of its creation, which tells whether it is still the same one."""

    status: str
    secondary_status: str | None
    created_second: int | None


def look(clients: Clients, kind: Kind, name: str) -> Look | None:
    """How it is now; None when AWS does not know it. Raises AwsError.

    Source: DescribeTrainingJob, DescribeHyperParameterTuningJob.
    """
    said: dict[str, Any]
    try:
        with translated(clients.where):
            if kind == "training_job":
                said = dict(clients.sagemaker.describe_training_job(TrainingJobName=name))
            else:
                said = dict(clients.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))
    except NotFound:
        return None
    status = said.get("TrainingJobStatus") if kind == "training_job" else said.get("HyperParameterTuningJobStatus")
    created = instant_from(said.get("CreationTime"))
    return Look(str(status), said.get("SecondaryStatus"), int(created.timestamp()) if created else None)


def ask_to_stop(clients: Clients, kind: Kind, name: str) -> None:
    """Asks AWS to stop it. Raises AwsError. Source: StopTrainingJob, StopHyperParameterTuningJob."""
    with translated(clients.where):
        if kind == "training_job":
            clients.sagemaker.stop_training_job(TrainingJobName=name)
        else:
            clients.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def try_to_stop(clients: Clients, name: str) -> None:
    """Asks to stop a training job that is not there, which changes nothing. Raises AwsError when that is denied.

    That there is no such job is an answer, and so proof enough. Source: StopTrainingJob.
    """
    try:
        ask_to_stop(clients, "training_job", name)
    except (NotFound, Refused):
        return
