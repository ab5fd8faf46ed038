"""Host and Origin headers, read strictly: what is not plainly a name or an address with a port is nothing."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Authority:
    """A host as a browser names it: lower case, an IPv6 address without brackets; `port` is None where none is written."""

    name: str
    port: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether the name is this machine's own."""
        return is_loopback(self.name)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page comes from. `port` is always there: the scheme's own where none is written."""

    scheme: str
    name: str
    port: int


def is_loopback(address: str | None) -> bool:
    """Whether an address without a port is this machine's own."""
    if not isinstance(address, str):
        return False
    try:
        return address.lower() == "localhost" or ip_address(address).is_loopback
    except ValueError:
        return False


def authority(text: str) -> Authority | None:
    """What a Host header names; None where it is not plainly a name with or without a port."""
    if not _AUTHORITY.fullmatch(text):
        return None
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    return Authority(name, port) if name else None


def origin(text: str) -> Origin | None:
    """What an Origin header names; None for `null`, for other schemes than a web page's, and for whatever cannot be read."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    host = authority(rest) if separator and scheme in DEFAULT_PORTS else None
    if host is None:
        return None
    return Origin(scheme, host.name, DEFAULT_PORTS[scheme] if host.port is None else host.port)


def origin_of_url(url: str) -> Origin | None:
    """The origin of the pages below an address; None where it is no address of a web page."""
    scheme, separator, rest = url.partition("://")
    return origin(f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}") if separator else None


def same_place(page: Origin, host: Authority) -> bool:
    """Whether a page comes from the very name and port that the request asks for."""
    port = DEFAULT_PORTS[page.scheme] if host.port is None else host.port
    return (page.name, page.port) == (host.name, port)
