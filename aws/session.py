"""From settings to the accounts and regions that are watched, and the clients that reach them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader, create_loader

from aws.answers import keep_whole
from aws.errors import Misconfigured, translated
from aws.integrity import refuse_cut_answers
from aws.meter import Meter
from aws.timestamps import timestamp_from
from domain.scope import Scope
from settings import Account, Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sts import STSClient

HERE = "the credentials at hand"
SESSION_NAME = "trainwatch"
REQUIRED_PERMISSIONS = ("sts:GetCallerIdentity",)  # granted to everybody; nobody can be denied it
ROLE_PERMISSIONS = ("sts:AssumeRole",)
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 30, 6


@dataclass(frozen=True, slots=True)
class Target:
    """A scope and how it is reached: through a role of its own, or with the credentials at hand (None)."""

    scope: Scope
    role_arn: str | None = None
    external_id: str | None = None
    action_role_arn: str | None = None


def acting(target: Target) -> Target:
    """The same scope, reached through its role for actions where it has one."""
    return replace(target, role_arn=target.action_role_arn or target.role_arn)


def watched(settings: Settings) -> list[Target]:
    """The accounts and regions of the settings; without accounts the one that the credentials at hand belong to.

    Raises AwsError when there are no credentials, no region, or STS cannot be asked. Source: STS GetCallerIdentity.
    """
    session = _Session.at_hand()
    regions = settings.aws.regions or _own_region(session.core)
    if settings.aws.accounts:
        return [target for account in settings.aws.accounts for target in _targets(account, regions)]
    if not regions:
        raise Misconfigured(_no_region())
    identity = session.client("sts", regions[0], HERE)
    with translated(HERE):
        own = cast("STSClient", identity).get_caller_identity()["Account"]
    return [Target(Scope(own, region)) for region in dict.fromkeys(regions)]


def _targets(account: Account, default_regions: list[str]) -> list[Target]:
    regions = account.regions or default_regions
    if not regions:
        raise Misconfigured(_no_region())
    return [
        Target(Scope(account.id, region, account.name), account.role_arn, account.external_id, account.action_role_arn)
        for region in dict.fromkeys(regions)
    ]


def _no_region() -> str:
    return f"{HERE}: no AWS region: set [aws] regions in trainwatch.toml, or AWS_REGION"


def _own_region(core: botocore.session.Session) -> list[str]:
    # boto3 reads AWS_DEFAULT_REGION alone; every other SDK, and what ECS and Lambda set, is AWS_REGION.
    with translated(HERE):
        region = os.environ.get("AWS_REGION") or core.get_config_variable("region")
    return [str(region)] if region else []


class Clients:
    """The clients of one target, made when first asked for; every call they make is on the `meter`.

    They may be used from several threads. Credentials of an assumed role are renewed before they expire.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.meter = Meter()
        self._lock = Lock()
        self._session: _Session | None = None
        self._made: dict[tuple[str, str], Any] = {}
        self._verified = False

    @property
    def where(self) -> str:
        """The account and region as error messages name them."""
        return self.target.scope.label

    @property
    def sagemaker(self) -> "SageMakerClient":
        """SageMaker in the target's region."""
        return cast("SageMakerClient", self._get("sagemaker", self.target.scope.region))

    @property
    def pricing(self) -> "PricingClient":
        """The Price List, which answers for every region from three."""
        return cast("PricingClient", self._get("pricing", price_list_region(self.target.scope.region)))

    @property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch in the target's region."""
        return cast("CloudWatchClient", self._get("cloudwatch", self.target.scope.region))

    @property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs in the target's region."""
        return cast("CloudWatchLogsClient", self._get("logs", self.target.scope.region))

    @property
    def s3(self) -> "S3Client":
        """S3 in the target's region; buckets of other regions are found by redirection."""
        return cast("S3Client", self._get("s3", self.target.scope.region))

    def s3_in(self, region: str) -> "S3Client":
        """S3 in the region of a bucket, where that is known."""
        return cast("S3Client", self._get("s3", region))

    @property
    def sts(self) -> "STSClient":
        """STS in the target's region."""
        return cast("STSClient", self._get("sts", self.target.scope.region))

    def verify_account(self) -> None:
        """Makes sure, once, that the credentials belong to the target's account, so that no job is booked under another.

        Raises Misconfigured when they do not. Source: STS GetCallerIdentity.
        """
        if self._verified:
            return
        with translated(self.where):
            found = self.sts.get_caller_identity()["Account"]
        if found != self.target.scope.account:
            raise Misconfigured(
                f"{self.where}: the credentials belong to account {found}: "
                f"give [[aws.accounts]] {self.target.scope.account} a role_arn of that account"
            )
        self._verified = True

    def caller(self) -> str:
        """Who AWS takes us for, as an ARN; verified to be of the target's account. Source: STS GetCallerIdentity."""
        self.verify_account()
        with translated(self.where):
            return str(self.sts.get_caller_identity()["Arn"])

    def forget(self) -> None:
        """Reads credentials anew at the next call: those in use have proved unusable."""
        with self._lock:
            self._session, self._verified = None, False
            self._made.clear()

    def _get(self, service: str, region: str) -> Any:
        with self._lock, translated(self.where):  # making a client is not safe in several threads at once
            if (service, region) not in self._made:
                if self._session is None:
                    self._session = _Session.of(self.target, self.meter)
                client = self._session.client(service, region, self.where)
                self.meter.attach(client)
                refuse_cut_answers(client)
                if service == "sagemaker":
                    keep_whole(client)
                self._made[service, region] = client
            return self._made[service, region]


def price_list_region(region: str) -> str:
    """The nearest region that has a Price List endpoint. Source: AWS Price List Query API endpoints."""
    if region.startswith(("eu-", "af-", "me-", "il-")):
        return "eu-central-1"
    return "ap-south-1" if region.startswith("ap-") else "us-east-1"


@cache
def _loader() -> Loader:
    """The models of AWS's services, read once in a process: each session has a loader of its own otherwise, and reads them again."""
    return create_loader()


@dataclass(frozen=True, slots=True)
class _Session:
    """A session of boto3, and the core of botocore below it, whose components are ours."""

    core: botocore.session.Session
    sdk: boto3.Session

    @classmethod
    def at_hand(cls) -> "_Session":
        """With the credentials at hand."""
        return cls._over(_core_session())

    @classmethod
    def of(cls, target: Target, meter: Meter) -> "_Session":
        """With the credentials of the target's role where it has one, else those at hand."""
        core = _core_session()
        if target.role_arn:
            core.register_component("credential_provider", CredentialResolver([_AssumedRole(target, meter)]))
        return cls._over(core)

    @classmethod
    def _over(cls, core: botocore.session.Session) -> "_Session":
        sdk = boto3.Session(botocore_session=core)
        paths = _loader().search_paths
        paths[:] = dict.fromkeys(paths)  # each session of boto3 adds its own folder to the loader, which is shared
        return cls(core, sdk)

    def client(self, service: str, region: str, where: str) -> Any:
        """A client of a service, whose name is a variable here and a literal in boto3's types."""
        with translated(where):
            return cast(Any, self.sdk).client(service, region_name=region, config=_config(self.core))


def _core_session() -> botocore.session.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", _loader())
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=timestamp_from)
    return core


class _AssumedRole(CredentialProvider):
    """Credentials of the target's role, got with the credentials at hand and renewed by botocore."""

    METHOD = "assume-role"
    CANONICAL_NAME = "trainwatch-role"

    def __init__(self, target: Target, meter: Meter) -> None:
        super().__init__()
        self._target = target
        self._meter = meter

    def load(self) -> DeferredRefreshableCredentials:
        """The role's credentials; STS is asked when they are first used. Source: STS AssumeRole."""
        source = _core_session()
        extra = {"RoleSessionName": SESSION_NAME}
        if self._target.external_id:
            extra["ExternalId"] = self._target.external_id
        at_hand = source.get_credentials()
        if at_hand is None:
            raise NoCredentialsError
        fetcher = AssumeRoleCredentialFetcher(self._sts_of(source), at_hand, self._target.role_arn or "", extra_args=extra)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    def _sts_of(self, source: botocore.session.Session) -> Callable[..., Any]:
        def create(service: str, **keys: Any) -> Any:
            client = source.create_client(service, region_name=self._target.scope.region, config=_config(source), **keys)
            self._meter.attach(client)
            return client

        return create


def _config(core: botocore.session.Session) -> Config:
    """Timeouts, and retries unless AWS_RETRY_MODE and AWS_MAX_ATTEMPTS say otherwise; the adaptive mode paces us by itself."""
    attempts = core.get_config_variable("max_attempts") or ATTEMPTS
    mode = cast(Literal["legacy", "standard", "adaptive"], os.environ.get("AWS_RETRY_MODE") or "adaptive")
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": int(attempts), "mode": mode},
        user_agent_extra="trainwatch",
    )
