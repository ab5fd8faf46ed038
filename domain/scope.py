"""A scope: one AWS account in one region. Everything collected carries its scope."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """One account in one region; `name` is what people call the account, None when nobody named it."""

    account: str
    region: str
    name: str | None = None

    @property
    def label(self) -> str:
        """Account name or number, and the region, as shown on screen."""
        return f"{self.name or self.account} · {self.region}"
