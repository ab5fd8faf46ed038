"""Job descriptions as AWS would send them, made from a few facts; for tests that need exact ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.scope import Scope

SCOPE = Scope("123456789012", "us-east-1")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    """An instant some hours from noon of 20 November 2026."""
    return NOON + timedelta(hours=hours)


def description(
    name: str = "rc-fraud-xgboost-20261120-120000",
    *,
    created: float = 0,
    waited: float = 0.1,
    ran: float | None = 1,
    status: str = "Completed",
    instance_type: str = "ml.g5.2xlarge",
    count: int = 1,
    spot_share: float | None = None,
    tags: Mapping[str, str] | None = None,
    modified: float | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A job created some hours from noon that waited and ran for some hours (None: still runs); None members are left out."""
    start = at(created + waited)
    found: dict[str, Any] = {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "TrainingJobStatus": "InProgress" if ran is None else status,
        "SecondaryStatus": "Training" if ran is None else status,
        "CreationTime": at(created),
        "TrainingStartTime": start,
        "LastModifiedTime": start if ran is None else start + timedelta(hours=ran),
        "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": count, "VolumeSizeInGB": 30},
        "RoleArn": "arn:aws:iam::123456789012:role/SageMaker-Rc-Fraud-ExecutionRole",
        "OutputDataConfig": {"S3OutputPath": "s3://acme-sm-rc-fraud/models/artifacts/"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "EnableManagedSpotTraining": spot_share is not None,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": at(created), "EndTime": start, "StatusMessage": "Starting"},
            {"Status": "Training", "StartTime": start, "StatusMessage": "Training"},
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    }
    if ran is not None:
        seconds = int((start + timedelta(hours=ran)).timestamp()) - int(start.timestamp())
        found |= {
            "TrainingEndTime": start + timedelta(hours=ran),
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds if spot_share is None else int(seconds * spot_share),
        }
    if modified is not None:
        found["LastModifiedTime"] = at(modified)
    found |= members
    return {key: value for key, value in found.items() if value is not None}
