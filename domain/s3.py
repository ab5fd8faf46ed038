"""S3 addresses: a bucket and a key, and whether one lies under another by whole path components."""

from dataclasses import dataclass


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
    """The location of an S3 URI; None for what is none, or names no bucket."""
    if not isinstance(uri, str) or not uri.lower().startswith("s3://"):
        return None
    bucket, _, key = uri[5:].partition("/")
    return Location(bucket, key) if bucket else None
