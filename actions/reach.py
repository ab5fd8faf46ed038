"""The clients that actions use: those of the scopes that are watched, through their roles for actions."""

from threading import Lock

from aws.errors import Misconfigured
from aws.session import Clients, acting, watched
from settings import Settings


class Reach:
    """Clients by account and region, made when first needed and kept; only watched scopes can be reached."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._clients: dict[tuple[str, str], Clients] = {}

    def of(self, account: str, region: str) -> Clients:
        """The clients of a scope. Raises AwsError, Misconfigured where the settings do not watch it."""
        with self._lock:
            if (account, region) not in self._clients:
                for target in watched(self._settings):
                    self._clients.setdefault((target.scope.account, target.scope.region), Clients(acting(target)))
            found = self._clients.get((account, region))
        if found is None:
            raise Misconfigured(f"{account} · {region}: the settings do not watch this account and region; add it under [[aws.accounts]]")
        return found
