"""What goes wrong with AWS, translated once: each error says in one line what failed, where, and what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as known
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from domain.secret_text import masked_text

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_INVALID = frozenset(
    {
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
        "InvalidAccessKeyId", "MissingAuthenticationToken", "IncompleteSignature",
    }
)  # fmt: skip
_THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown", "BandwidthLimitExceeded",
    }
)  # fmt: skip
_NOT_FOUND = frozenset(
    {
        "ResourceNotFound", "ResourceNotFoundException", "NoSuchEntity", "NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchVersion",
        "404",  # all that the answer to a HEAD can say
        "ObjectLockConfigurationNotFoundError", "ServerSideEncryptionConfigurationNotFoundError", "NoSuchLifecycleConfiguration",
        "NoSuchBucketPolicy", "NoSuchTagSet",
    }
)  # fmt: skip
_NOT_FOUND_WORDS = ("not found", "could not find", "does not exist")  # SageMaker's, under the code ValidationException
_OTHER_REGION = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
)
_KMS = re.compile(r"^KMS\.?|^Kms")  # Source: S3's error codes for objects under a key that cannot be used
# What IAM calls the permissions of S3's operations, where that is not what the operation is called.
_S3_PERMISSIONS = {
    "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads", "ListParts": "ListMultipartUploadParts",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration", "GetBucketEncryption": "GetEncryptionConfiguration",
    "HeadObject": "GetObject", "DeleteObjects": "DeleteObject",
}  # fmt: skip
_S3_OPERATIONS = frozenset(
    {
        *_S3_PERMISSIONS, "GetBucketLocation", "GetBucketVersioning", "GetObject", "GetObjectTagging", "PutObjectTagging", "DeleteObject",
        "DeleteObjectTagging", "AbortMultipartUpload",
    }
)  # fmt: skip
_UNREACHABLE = (known.EndpointConnectionError, known.ConnectTimeoutError, known.ProxyConnectionError, known.SSLError)
_SIGN_IN = (known.SSOTokenLoadError, known.UnauthorizedSSOTokenError, known.TokenRetrievalError)
_ACTION = re.compile(r"not authorized to perform:?\s+([A-Za-z0-9\-]+:[A-Za-z0-9*]+)")
_PRINCIPAL = re.compile(r"\b(?:User|Role|Principal): (arn:\S+)")
_LIMIT = 300
RUN_AGAIN = "it is tried again at the next run"  # so errors say to collectors


class AwsError(Exception):
    """Something that AWS, or the way to it, refused. Its text is one line that says what failed, where, and what to do.

    AWS repeats what it was sent, and addresses hold credentials: secrets are masked before anybody sees or keeps the text.
    """

    def __init__(self, message: str) -> None:
        super().__init__(masked_text(message))


class AccessDenied(AwsError):
    """The credentials may not do this; `permission` is the missing one, such as `sagemaker:Search`."""

    def __init__(self, message: str, permission: str) -> None:
        super().__init__(message)
        self.permission = permission


class CredentialsUnusable(AwsError):
    """There are no credentials, or they are expired or wrong."""


class Throttled(AwsError):
    """AWS went on refusing for there being too many calls, after every retry."""


class Unreachable(AwsError):
    """No connection to AWS."""


class CutOff(AwsError):
    """A connection that broke, or an answer that took too long or could not be read."""


class ServerFault(AwsError):
    """AWS failed by itself, after every retry."""


class NotFound(AwsError):
    """AWS does not know what was asked for."""


class Refused(AwsError):
    """AWS understood and said no, for another reason."""


class Misconfigured(AwsError):
    """The AWS configuration of this machine, or of our settings, cannot be used."""


def asked_again(error: AwsError, how: str) -> str:
    """What AWS said, and `how` somebody asks again: an action is not tried once more by itself as collectors are."""
    return str(error).replace(RUN_AGAIN, how)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raises botocore's errors of the block as AwsErrors; `where` names the account and region."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, where) from error
    except BotoCoreError as error:
        raise _from_botocore(error, where) from error
    except ResponseParserError as error:
        raise CutOff(f"{where}: the answer of AWS could not be read: {_one_line(error)}; {RUN_AGAIN}") from error


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:_LIMIT]


def _from_answer(error: ClientError, where: str) -> AwsError:
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), _one_line(said.get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    operation = error.operation_name
    if code in _EXPIRED:
        return CredentialsUnusable(f"{where}: the AWS credentials have expired: run 'aws sso login', or renew them where they come from")
    if code in _INVALID:
        return CredentialsUnusable(f"{where}: AWS does not accept the credentials ({code}): check the keys and the machine's clock")
    if code in _DENIED:
        return _denied(operation, message, where)
    if code in _THROTTLED or status == 429:
        return Throttled(f"{where}: {operation} was throttled even after retries ({code}): {RUN_AGAIN}")
    if code in _NOT_FOUND or (code == "ValidationException" and any(words in message.lower() for words in _NOT_FOUND_WORDS)):
        return NotFound(f"{where}: {operation}: {message or 'not found'}")
    if operation in _S3_OPERATIONS and (code in _OTHER_REGION or _KMS.match(code)):
        return Refused(f"{where}: {operation}: {_of_bucket(code, message, said.get('Region'))}")
    if status >= 500:
        return ServerFault(f"{where}: {operation} failed inside AWS ({code or status}): {RUN_AGAIN}")
    return Refused(f"{where}: {operation} was refused ({code or status}): {message}")


def _of_bucket(code: str, message: str, region: object) -> str:
    """What S3 says of a bucket of another region, or one under a key that cannot be used."""
    if code in _OTHER_REGION:
        return f"the bucket is in another region{f' ({region})' if region else ''}, which cannot be reached from here"
    return f"the KMS key cannot be used ({code}: {message}): enable the key, or allow its use in the key's policy"


def _denied(operation: str, message: str, where: str) -> AccessDenied:
    action = _ACTION.search(message)
    permission = action[1] if action else _permission_of(operation)
    principal = _PRINCIPAL.search(message)
    whom = principal[1] if principal else "the role in use"
    if "explicit deny" in message:
        policy = re.search(r"explicit deny in an? ([a-z\- ]+policy)", message)
        advice = f"{policy[1] if policy else 'a policy'} denies it explicitly to {whom}; take that denial away"
    elif permission == "sts:AssumeRole":
        advice = f"allow {whom} sts:AssumeRole, and check the role's trust policy and external id"
    else:
        advice = f"add {permission} to {whom}"
    return AccessDenied(f"{where}: {permission} is denied: {advice}", permission)


def _permission_of(operation: str) -> str:
    """The permission of an operation where AWS's message names none; ours are SageMaker's but for these."""
    others = {
        "GetProducts": "pricing",
        "AssumeRole": "sts",
        "GetCallerIdentity": "sts",
        "GetMetricData": "cloudwatch",
        "DescribeLogStreams": "logs",
    }
    if operation in _S3_OPERATIONS:
        return f"s3:{_S3_PERMISSIONS.get(operation, operation)}"
    return f"{others.get(operation, 'sagemaker')}:{operation}"


def _from_botocore(error: BotoCoreError, where: str) -> AwsError:
    said = _one_line(error)
    if isinstance(error, known.NoCredentialsError):
        return CredentialsUnusable(
            f"{where}: no AWS credentials found: set AWS_PROFILE, or run 'aws configure', or give this machine a role"
        )
    if isinstance(error, _SIGN_IN):
        return CredentialsUnusable(f"{where}: the AWS sign-in has expired: run 'aws sso login' ({said})")
    if isinstance(error, (known.PartialCredentialsError, known.CredentialRetrievalError)):
        return CredentialsUnusable(f"{where}: the AWS credentials cannot be used: {said}")
    if isinstance(error, known.NoRegionError):
        return Misconfigured(f"{where}: no AWS region: set [aws] regions in trainwatch.toml, or AWS_REGION")
    if isinstance(error, _UNREACHABLE):
        return Unreachable(f"{where}: AWS cannot be reached: {said}; check the network, the proxy and AWS_ENDPOINT_URL")
    if isinstance(error, known.ReadTimeoutError):
        return CutOff(f"{where}: AWS did not answer in time: {said}; {RUN_AGAIN}")
    if isinstance(error, (known.HTTPClientError, known.IncompleteReadError)):
        return CutOff(f"{where}: the connection to AWS broke: {said}; {RUN_AGAIN}")
    return Misconfigured(f"{where}: {said}; check the AWS configuration (AWS_PROFILE, ~/.aws/config)")
