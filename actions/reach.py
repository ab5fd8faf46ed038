"""The clients that actions use: those of the scopes that are watched, through their roles for actions, or to look first."""

from threading import Lock

from aws.errors import Misconfigured
from aws.session import Clients, acting, watched
from settings import Settings


class Reach:
    """Clients by account and region, made when first needed and kept; only watched scopes can be reached."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._acting: dict[tuple[str, str], Clients] = {}
        self._reading: dict[tuple[str, str], Clients] = {}

    @property
    def max_jobs(self) -> int:
        """How many jobs one action may stop."""
        return self._settings.actions.max_jobs

    def of(self, account: str, region: str) -> Clients:
        """The clients of a scope that act. Raises AwsError, Misconfigured where the settings do not watch it."""
        return self._found(self._acting, account, region)

    def reading(self, account: str, region: str) -> Clients:
        """The clients of a scope that only look, through its role for reading. Raises as `of` does."""
        return self._found(self._reading, account, region)

    def forget(self) -> None:
        """Reads credentials anew at the next call: those in use have proved unusable."""
        with self._lock:
            self._acting.clear()
            self._reading.clear()

    def _found(self, kept: dict[tuple[str, str], Clients], account: str, region: str) -> Clients:
        with self._lock:
            if (account, region) not in kept:
                for target in watched(self._settings):
                    where = (target.scope.account, target.scope.region)
                    self._acting.setdefault(where, Clients(acting(target)))
                    self._reading.setdefault(where, Clients(target))
            found = kept.get((account, region))
        if found is None:
            raise Misconfigured(f"{account} · {region}: the settings do not watch this account and region; add it under [[aws.accounts]]")
        return found
