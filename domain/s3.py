"""S3 addresses: a bucket and a key, and whether one lies under another by whole path components."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

# Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html; S3Uri members may be of this form too.
_HOST = re.compile(r"^(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket and a key or prefix in it; the prefix is as people wrote it, with or without a slash at its end."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """As AWS writes it."""
        return f"s3://{self.bucket}/{self.key}"

    def holds(self, other: "Location") -> bool:
        """Whether the other lies at or under this one by whole components: `a/job-1` holds `a/job-1/x`, never `a/job-10/x`.

        A location without a key is the whole bucket.
        """
        if self.bucket != other.bucket:
            return False
        own = self.key.rstrip("/")
        return own == "" or other.key.rstrip("/") == own or other.key.startswith(f"{own}/")

    def meets(self, other: "Location") -> bool:
        """Whether either holds the other, so that what is done to one may touch the other."""
        return self.holds(other) or other.holds(self)


def location(uri: object) -> Location | None:
    """The location of an S3 URI, or of an `https://` address of S3; None for what is neither, or names no bucket."""
    if not isinstance(uri, str):
        return None
    scheme, _, rest = uri.partition("://")
    host, _, path = rest.partition("/")
    if scheme.lower() == "s3":
        return Location(host, path) if host else None
    return of_host(host, unquote(path.partition("?")[0])) if scheme.lower() in ("https", "http") else None


def of_host(host: str, path: str) -> Location | None:
    """The location that a path at one of S3's hosts names; None where the host is none of them, or no bucket is named."""
    found = _HOST.match(host)
    if found is None:
        return None
    bucket, key = (found["bucket"], path) if found["bucket"] else path.partition("/")[::2]
    return Location(bucket, key) if bucket else None
