"""The edge of the server as the settings draw it: the names it answers to, the pages that may talk to it, who may read its metrics."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from settings import Settings
from ui.addresses import Authority, Origin, authority, is_loopback, origin, origin_of_url, same_place

# What a proxy adds. No browser begins a header of its own with X- when it opens a WebSocket, and no page can add one.
_OF_PROXIES = (
    "x-",
    "forwarded",
    "via",
    "cf-",
    "cdn-",
    "client-ip",
    "fastly-",
    "fly-",
    "proxy-",
    "remote-",
    "tailscale-",
    "true-client-ip",
)


@dataclass(frozen=True, slots=True)
class Edge:
    """What the settings say of the edge.

    `names` are the hosts answered to besides loopback, `origins` the pages of `[notify] base_url` and of the sign-in's redirect_uri
    where these are not loopback, `embedded_in` the origins whose pages may show ours in a frame.
    """

    names: frozenset[str]
    origins: frozenset[Origin]
    embedded_in: tuple[str, ...] = ()
    metrics_token: str | None = None

    def answers_to(self, host: str | None) -> bool:
        """Whether a Host header names this server. Anything else is a name that somebody made to lead here (DNS rebinding)."""
        called = authority(host or "")
        return called is not None and (called.is_loopback or called.name in self.names)

    def owns(self, page: str, host: str | None) -> bool:
        """Whether a page of this Origin is one of ours: of the very name and port that was asked for, or of a configured address.

        Loopback is one of ours by its port alone: any other server of this machine has pages on loopback too. A name without a port
        whose scheme the settings tell is ours under that scheme.
        """
        came_from, called = origin(page), authority(host or "")
        if came_from is None or called is None:
            return False
        if came_from in self.origins:
            return True
        return same_place(came_from, called) and self._scheme_fits(came_from, called)

    def _scheme_fits(self, page: Origin, called: Authority) -> bool:
        schemes = {known.scheme for known in self.origins if known.name == called.name}
        return called.port is not None or not schemes or page.scheme in schemes

    def shows_token(self, authorization: str | None) -> bool:
        """Whether an Authorization header holds the metrics token."""
        scheme, _, token = (authorization or "").partition(" ")
        if not self.metrics_token or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(token.strip().encode(), self.metrics_token.encode())


def edge_of(settings: Settings) -> Edge:
    """The edge that settings draw."""
    addresses = [settings.notify.base_url, settings.sign_in.redirect_uri]
    pages = [page for page in (origin_of_url(address) for address in addresses if address) if page is not None]
    public = frozenset(page for page in pages if not is_loopback(page.name))
    names = {page.name for page in public} | {host.lower() for host in settings.access.hosts}
    return Edge(frozenset(names), public, tuple(settings.access.embedded_in), settings.access.metrics_token)


def from_this_machine(bound_to: str | None, client: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a request cannot but come from this machine, with nothing in between. What is not known counts as no.

    `headers` have names in lower case. The name in the address bar is looked at too: a page whose name is made to lead here has its own.
    """
    host = authority(headers.get("host", ""))
    return (
        is_loopback(bound_to)
        and (client is None or is_loopback(client))
        and not any(name.startswith(_OF_PROXIES) for name in headers)
        and host is not None
        and host.is_loopback
    )


def is_our_page(headers: Mapping[str, str]) -> bool:
    """Whether a request names the page it comes from, and that page has the very name and port that was asked for."""
    page, host = origin(headers.get("origin", "")), authority(headers.get("host", ""))
    return page is not None and host is not None and same_place(page, host)
