"""Around the server: who it answers to, what every answer carries, and that no answer leads to another site."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.addresses import origin
from ui.edge import Edge

PROBES = frozenset({"/healthz", "/_stcore/health"})  # asked by address, under whatever name a load balancer has
MONITORING = frozenset({"/metrics", "/_stcore/metrics"})
TO_PROVIDER = ("/auth/login", "/auth/logout")  # these lead to the sign-in provider, which is another site
PLAIN = frozenset({"GET", "HEAD", "OPTIONS"})

MayMonitor = Callable[[Headers, str | None], bool]


class Guard:
    """Refuses what is not meant for this server, and marks every answer.

    A Host that is none of ours is 421, an Origin that is none of ours 403; a WebSocket, and whatever else is more than a plain GET, must
    name its Origin. `may_monitor` decides by headers and client address who may read metrics.
    """

    def __init__(self, app: ASGIApp, edge: Edge, may_monitor: MayMonitor, *, secure_cookies: bool = False) -> None:
        self.app = app
        self.edge = edge
        self.may_monitor = may_monitor
        self.secure_cookies = secure_cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        scope = scope if refusal else self._as_asked_for(scope)
        if scope["type"] == "websocket":
            if refusal is None:
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the handshake is answered with 403
            return
        answer: ASGIApp = self.app if refusal is None else PlainTextResponse(f"{refusal[1]}\n", status_code=refusal[0])
        await answer(scope, receive, self._marked(scope, send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers, path = Headers(scope=scope), scope["path"]
        host, page = headers.get("host"), headers.get("origin")
        if path in PROBES:
            return None
        if not self.edge.answers_to(host) or len(headers.getlist("host")) != 1:
            return 421, "This server does not answer to that name; [access] hosts in its settings lists the names that it does."
        if path.startswith("//") or "\\" in path:
            return 400, "There is no such address."
        may_be_silent = scope["type"] == "http" and scope["method"] in PLAIN
        if len(headers.getlist("origin")) > 1 or (page is None and not may_be_silent):
            return 403, "This request does not say which page it comes from."
        if page is not None and not self.edge.owns(page, host):
            return 403, "Only this server's own pages may ask that."
        client = scope.get("client")
        if path in MONITORING and not self.may_monitor(headers, client[0] if client else None):
            return 403, "Metrics are for this machine, or for whoever sends [access] metrics_token as a bearer token."
        return None

    def _as_asked_for(self, scope: Scope) -> Scope:
        """The request under the name that the browser asked for, where a proxy has written another: Streamlit compares the two."""
        page = Headers(scope=scope).get("origin", "")
        if origin(page) not in self.edge.origins:
            return scope
        others = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
        asked_for = page.partition("://")[2].encode()
        return {**scope, "headers": [(b"host", asked_for), *others]}

    def _marked(self, scope: Scope, send: Send) -> Send:
        """The sender with the headers of every answer, and without redirects to another site."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                self._frame(headers)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"
                if "location" in headers and not scope["path"].endswith(TO_PROVIDER):
                    headers["location"] = _within(headers["location"], Headers(scope=scope).get("host", ""))
                if self.secure_cookies:
                    _secure(message)
            await send(message)

        return marked

    def _frame(self, headers: MutableHeaders) -> None:
        ancestors = " ".join(self.edge.embedded_in) or "'none'"
        headers.append("content-security-policy", f"frame-ancestors {ancestors}")  # beside what Streamlit says of its own
        if not self.edge.embedded_in:  # it knows no list of origins, and browsers follow the policy above it
            headers["x-frame-options"] = "DENY"


def _within(location: str, host: str) -> str:
    """Where an answer leads, or the front page where that is another site."""
    if location.startswith("/") and not location.startswith("//") and "\\" not in location:
        return location
    target = urlsplit(location)
    return location if target.scheme in ("http", "https") and target.netloc == host else "/"


def _secure(message: Message) -> None:
    """Has every cookie sent over HTTPS alone."""
    message["headers"] = [
        (name, value + b"; Secure" if name.lower() == b"set-cookie" and b"secure" not in value.lower() else value)
        for name, value in message["headers"]
    ]
