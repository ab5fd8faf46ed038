"""ARNs of training jobs. Source: ARN format of `training-job` in the SageMaker service authorization reference."""

from domain.scope import Scope

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


def partition(region: str) -> str:
    """The AWS partition of a region: `aws` but for China, GovCloud and the isolated ones."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def training_job_arn(scope: Scope, name: str) -> str:
    """The usual ARN of a training job; AWS has also sent lower-cased ones, which are stored as they came."""
    return f"arn:{partition(scope.region)}:sagemaker:{scope.region}:{scope.account}:training-job/{name}"
