"""The S3 addresses in whatever AWS describes: in members made for them, and in texts where people wrote them."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from domain.s3 import of_host

LONGEST_URI = 6 + 63 + 1 + 1024  # s3:// or the like, a bucket's name, and a key of at most 1 024 bytes
_URI = re.compile(r"s3[an]?://[^\s\"'<>,;|\\]+", re.IGNORECASE)
_SCHEME = re.compile(r"^s3[an]?://", re.IGNORECASE)
_URL = re.compile(r"https?://([^/\s\"']+)/([^\s\"'?#]*)", re.IGNORECASE)


def s3_uris(value: object) -> Iterator[str]:
    """Every S3 address in a JSON-like value as an `s3://` URI, some twice: rather one too many than one too few."""
    if isinstance(value, Mapping):
        for inside in value.values():
            yield from s3_uris(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from s3_uris(inside)
    elif isinstance(value, str) and "://" in value:
        yield from (uri for uri in _in_text(value) if len(uri.encode("utf-8", "replace")) <= LONGEST_URI)


def _in_text(text: str) -> Iterator[str]:
    whole = text.strip()
    if _SCHEME.match(whole):
        yield _SCHEME.sub("s3://", whole)  # with whatever spaces and commas are in its key
    for found in _URI.findall(text):
        uri = _SCHEME.sub("s3://", found)
        yield uri
        if uri != uri.rstrip(")]}.:"):
            yield uri.rstrip(")]}.:")  # which may be the sentence's, and not the key's
    for host, path in _URL.findall(text):
        place = of_host(host, unquote(path))
        if place is not None:
            yield place.uri
