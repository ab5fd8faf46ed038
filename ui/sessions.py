"""A sign-in ends on the server: signing out ends it for every copy of its cookie, in every dashboard on the same database."""

import hashlib
import json
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from storage.engine import reading, writing
from storage.sign_ins import end_sign_in, sign_in_has_ended
from ui import reads

LOGOUT = "/auth/logout"
_ADDED_BY_STREAMLIT = frozenset({"is_logged_in", "origin", "provider", "tokens"})


def fingerprint(claims: Mapping[str, object]) -> str | None:
    """A digest of what the provider said at a sign-in, time and nonce included; None where nobody has signed in."""
    said_by_provider = {key: value for key, value in claims.items() if key not in _ADDED_BY_STREAMLIT}
    if not said_by_provider:
        return None
    text = json.dumps(said_by_provider, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def has_ended(claims: Mapping[str, object]) -> bool:
    """Whether somebody signed out of this sign-in. Asked in every run. Raises DatabaseUnusable where that cannot be known."""
    digest = fingerprint(claims) if claims.get("is_logged_in") is True else None
    if digest is None:
        return False
    with reading(reads.engine()) as connection:
        return sign_in_has_ended(connection, digest)


class SignOut:
    """Around the server: notes a sign-in as ended before the browser is told to forget its cookie.

    Where that cannot be written the sign-out fails, and the browser stays signed in, rather than seem to be signed out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith(LOGOUT):
            claims = _claims_of(Request(scope).cookies)
            if claims:
                await run_in_threadpool(_end, claims)
        await self.app(scope, receive, send)


def _claims_of(cookies: Mapping[str, str]) -> dict[str, object]:
    """What the provider said, from a cookie that we signed; empty where there is none."""
    signed = _get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE_NAME)
    try:
        claims = json.loads(signed) if signed else {}
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def _end(claims: Mapping[str, object]) -> None:
    digest = fingerprint(claims)
    if digest is None:
        return
    with writing(reads.engine()) as connection:
        end_sign_in(connection, digest, reads.now())
