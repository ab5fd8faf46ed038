"""What can go wrong with AWS, to order: by operation, or "*" for every one."""

from dataclasses import dataclass
from threading import Lock
from typing import Literal

from demo.errors import AwsError

ALWAYS = -1
EVERY = "*"

EXPIRED = AwsError("ExpiredTokenException", "The security token included in the request is expired")


@dataclass(slots=True)
class Fault:
    """Something that happens to an operation, `times` more times, or ALWAYS."""

    kind: Literal["error", "slow", "cut", "reset"]
    times: int = ALWAYS
    error: AwsError | None = None
    seconds: float = 0.0


class Faults:
    """The faults in force; the first that was ordered for an operation happens first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_operation: dict[str, list[Fault]] = {}

    def deny(self, operation: str, message: str | None = None) -> None:
        """Answer AccessDenied until cleared; without `message`, in IAM's own words for the operation."""
        self._add(operation, Fault("error", error=AwsError("AccessDeniedException", message or "", 400)))

    def throttle(self, operation: str, times: int = ALWAYS) -> None:
        """Answer "Rate exceeded" the next `times` times."""
        self._add(operation, Fault("error", times, AwsError("ThrottlingException", "Rate exceeded", 400)))

    def fail(self, operation: str, status: int = 500, times: int = ALWAYS) -> None:
        """Answer with a server's failure the next `times` times."""
        code = "ServiceUnavailable" if status == 503 else "InternalFailure"
        message = "The request processing has failed because of an unknown error, exception or failure."
        self._add(operation, Fault("error", times, AwsError(code, message, status)))

    def slow(self, operation: str, seconds: float, times: int = ALWAYS) -> None:
        """Let the answer wait."""
        self._add(operation, Fault("slow", times, seconds=seconds))

    def cut(self, operation: str, times: int = ALWAYS, *, reset: bool = False) -> None:
        """Close the connection in the middle of the answer: in good order, which botocore does not notice, or by reset.

        botocore does not hold the body against Content-Length, and takes half a JSON text for an empty answer; a
        connection that is reset it tries again.
        """
        self._add(operation, Fault("reset" if reset else "cut", times))

    def expire_credentials(self) -> None:
        """Answer every call with ExpiredTokenException until cleared."""
        self._add(EVERY, Fault("error", error=EXPIRED))

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._by_operation.clear()

    def striking(self, operation: str) -> list[Fault]:
        """The faults that this call of an operation suffers: delays, then at most one that ends it."""
        with self._lock:
            suffered: list[Fault] = []
            for fault in [*self._by_operation.get(EVERY, ()), *self._by_operation.get(operation, ())]:
                if fault.times == 0:
                    continue
                if fault.times > 0:
                    fault.times -= 1
                suffered.append(fault)
                if fault.kind != "slow":
                    break
            return suffered

    def _add(self, operation: str, fault: Fault) -> None:
        with self._lock:
            self._by_operation.setdefault(operation, []).append(fault)


_S3_ACTIONS = {
    "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads", "ListParts": "ListMultipartUploadParts",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration", "GetBucketEncryption": "GetEncryptionConfiguration",
    "HeadObject": "GetObject", "DeleteObjects": "DeleteObject", "ListBuckets": "ListAllMyBuckets",
}  # fmt: skip
"""What IAM calls the permissions of S3's operations, where that is another name."""


def worded(error: AwsError, service: str, operation: str, user: str) -> AwsError:
    """The error as the service that was called would word and code it."""
    if error.code == "AccessDeniedException":
        code = "AccessDenied" if service in {"s3", "sts", "iam"} else error.code
        action = f"{service}:{_S3_ACTIONS.get(operation, operation) if service == 's3' else operation}"
        allows = f"because no identity-based policy allows the {action} action"
        words = f"User: {user} is not authorized to perform: {action} on resource: * {allows}"
        return AwsError(code, error.message or words, 403 if code == "AccessDenied" else 400)
    if error.code == "ExpiredTokenException" and service in {"s3", "sts", "iam"}:
        return AwsError("ExpiredToken", error.message, 400 if service == "s3" else 403)
    if error.code == "ThrottlingException" and service == "s3":
        return AwsError("SlowDown", "Please reduce your request rate.", 503)
    return error
