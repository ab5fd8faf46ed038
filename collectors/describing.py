"""Training jobs described one by one: those alive, and what Search does not tell."""

from collections.abc import Mapping
from typing import Any

from aws.errors import NotFound, translated
from aws.session import Clients
from domain.training_job import Unreadable, training_job_from

REQUIRED_PERMISSIONS = ("sagemaker:DescribeTrainingJob",)
TAG_PERMISSIONS = ("sagemaker:ListTags",)


def describe(clients: Clients, name: str) -> dict[str, Any] | None:
    """The job's description without tags, None when AWS does not know it. Source: DescribeTrainingJob."""
    try:
        with translated(clients.where):
            answer: dict[str, Any] = dict(clients.sagemaker.describe_training_job(TrainingJobName=name))
    except NotFound:
        return None
    answer.pop("ResponseMetadata", None)
    return answer


def tags_of(clients: Clients, arn: str) -> list[Any]:
    """The tags of a job as AWS lists them, none when AWS does not know it. Source: ListTags."""
    tags: list[Any] = []
    try:
        with translated(clients.where):
            for page in clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn):
                tags.extend(page["Tags"])
    except NotFound:
        return []
    return tags


def completed(clients: Clients, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record of Search with what Describe adds to it; as it is where AWS knows no such job any more, or another of the name."""
    described = describe(clients, str(record.get("TrainingJobName")))
    if described is None or created_second(described) != created_second(record):
        return record
    return described | {"Tags": record["Tags"]} if "Tags" in record else described


def created_second(description: Mapping[str, Any]) -> int | None:
    """The second of a job's creation, which with its name is its identity; None for what is no job."""
    try:
        created_at = training_job_from(description).created_at
    except Unreadable:
        return None
    return None if created_at is None else int(created_at.timestamp())
