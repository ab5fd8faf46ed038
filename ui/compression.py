"""Static files as gzip, each compressed once: Streamlit leaves them as they are, which is ten megabytes at the first visit."""

import gzip

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDERS = ("/static/", "/app/static/")
TEXTS = (".js", ".css", ".svg", ".json", ".html", ".wasm", ".txt")  # fonts and pictures are compressed already
LEAST_BYTES = 1000
LEVEL = 9  # once a file and process


class Compressed:
    """Around the server: the files of a release are the same all along, so that each is kept compressed, under the ETag it had."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[tuple[str, str], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and _is_text(scope["path"]) and _takes_gzip(Headers(scope=scope)):
            await self.app(scope, receive, _Answer(scope["path"], self._kept, send).pass_on)
        else:
            await self.app(scope, receive, send)


class _Answer:
    """One answer on its way: held back until it is whole, then sent compressed; as it is where it is no whole file."""

    def __init__(self, path: str, kept: dict[tuple[str, str], bytes], send: Send) -> None:
        self._path = path
        self._kept = kept
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_whole_file(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)
        else:
            await self._send(message)

    async def _finish(self, start: Message) -> None:
        headers = MutableHeaders(raw=start["headers"])
        key = self._path, headers.get("etag", "")
        if key not in self._kept:
            self._kept[key] = await run_in_threadpool(gzip.compress, bytes(self._body), LEVEL, mtime=0)
        body = self._kept[key]
        headers["content-encoding"] = "gzip"
        headers["content-length"] = str(len(body))
        headers.add_vary_header("Accept-Encoding")
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_text(path: str) -> bool:
    return any(folder in path for folder in FOLDERS) and path.endswith(TEXTS)


def _takes_gzip(headers: Headers) -> bool:
    return "gzip" in headers.get("accept-encoding", "") and "range" not in headers


def _is_whole_file(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    size = headers.get("content-length", "")
    return message["status"] == 200 and "content-encoding" not in headers and size.isdigit() and int(size) >= LEAST_BYTES
