"""What an HTTP request says before any service reads it: which operation of which service, and with whose key."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

Environ = dict[str, Any]
"""A WSGI environment, whose values are of many types by its specification."""

SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
SERVICES = {"monitoring": "cloudwatch"}
"""Names that services sign with, where they differ from what everybody calls them."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Access key, service, region and operation of a signed request."""

    access_key: str
    service: str
    region: str
    operation: str


class Answer(NamedTuple):
    """An answer in XML: its status, its body, and headers besides those that every answer has."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


def is_head(environ: Environ) -> bool:
    """Whether only headers are asked for, so that no body may follow."""
    return environ.get("REQUEST_METHOD") == "HEAD"


def signed(environ: Environ) -> Signed | None:
    """What the request says of itself, or None if it is not signed."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    key, region, signing_name = scope.groups()
    service = SERVICES.get(signing_name, signing_name)
    return Signed(key, service, region, _operation(environ, service))


def json_body(environ: Environ) -> Mapping[str, object]:
    """The request's body as JSON; the empty object where there is none."""
    raw = body(environ)
    said = json.loads(raw) if raw else {}
    return said if isinstance(said, dict) else {}


def body(environ: Environ) -> bytes:
    """The request's body, left in place for whoever reads it next."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(raw)
    return raw


def _operation(environ: Environ, service: str) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target).rpartition(".")[2]
    if service == "s3":
        return _s3_operation(environ)
    if "urlencoded" in environ.get("CONTENT_TYPE", ""):
        return parse_qs(body(environ).decode("utf-8", "replace")).get("Action", [""])[0]
    return ""


def _s3_operation(environ: Environ) -> str:
    try:
        operation, _ = get_service_router("s3").match(Request(environ))
    except (NotFound, NotImplementedError):
        return ""
    return str(operation.name)
