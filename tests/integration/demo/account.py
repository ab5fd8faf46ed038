"""A simulated account to call in these tests, and clients for it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from demo.clock import SetClock
from demo.plan import Cluster, JobPlan, Paths
from demo.server import Server, start

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)


class Account:
    """A server with a clock that stands at NOW."""

    def __init__(self, plans: Sequence[JobPlan] = ()) -> None:
        self.clock = SetClock(NOW)
        self.server: Server = start(plans, self.clock)

    def client(self, service: str, credentials: dict[str, str] | None = None, attempts: int = 1, region: str = "us-east-1") -> Any:
        """A client of the service: untyped, for a test may ask anything of it."""
        said = credentials or {"AccessKeyId": "AKIADEMO", "SecretAccessKey": "demo"}
        return boto3.client(
            service,  # type: ignore[call-overload] # the name is a parameter here
            endpoint_url=self.server.url,
            region_name=region,
            aws_access_key_id=said["AccessKeyId"],
            aws_secret_access_key=said["SecretAccessKey"],
            aws_session_token=said.get("SessionToken"),
            config=Config(retries={"total_max_attempts": attempts}, read_timeout=5),
        )

    def assume(self, account: str) -> dict[str, str]:
        """Credentials of a role in another account."""
        arn = f"arn:aws:iam::{account}:role/trainwatch-reader"
        said = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
        return dict(said["Credentials"])


def job(name: str, hours_ago: float = 5.0, **changes: object) -> JobPlan:
    """A plain job, created so many hours before NOW and over an hour later unless changed."""
    ordinary: dict[str, object] = {
        "name": name,
        "created_at": NOW - timedelta(hours=hours_ago),
        "cluster": Cluster.of("ml.g5.2xlarge"),
        "role_arn": "arn:aws:iam::123456789012:role/SageMaker-Rc-Fraud-ExecutionRole",
        "paths": Paths("s3://acme-sm-rc-fraud/models/artifacts/"),
        "tags": {"Team": "rc"},
    }
    return JobPlan(**(ordinary | changes))  # type: ignore[arg-type] # the fields of a plan, put together by name
