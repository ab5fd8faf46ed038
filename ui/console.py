"""Addresses in the AWS console, in the region's own partition. Source: console URLs of SageMaker and CloudWatch Logs."""

from urllib.parse import quote

from domain.arns import partition

_DOMAINS = {"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
_LOG_GROUP = "/aws/sagemaker/TrainingJobs"


def _console(region: str) -> str:
    return f"https://{quote(region)}.{_DOMAINS.get(partition(region), _DOMAINS['aws'])}"


def job_url(region: str, name: str) -> str:
    """The job's page in the AWS console."""
    return f"{_console(region)}/sagemaker/home?region={quote(region)}#/jobs/{quote(name, safe='')}"


def logs_url(region: str, name: str) -> str:
    """The job's log streams in CloudWatch Logs, whose console wants its parameters encoded twice, with $ for %."""
    group, prefix = (quote(quote(text, safe=""), safe="").replace("%", "$") for text in (_LOG_GROUP, f"{name}/"))
    return f"{_console(region)}/cloudwatch/home?region={quote(region)}#logsV2:log-groups/log-group/{group}$3FlogStreamNameFilter$3D{prefix}"
