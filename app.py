"""The server: the Streamlit app with its health and metrics routes. `python -m app --port 8501` runs it."""

import argparse
import logging
import os
from collections.abc import Mapping
from pathlib import Path

# A sign-in is kept in cookies, and somebody in hundreds of groups has more of them than the 8 KiB that are usual.
MOST_HEADER_BYTES = 128 * 1024
os.environ["WEBSOCKETS_MAX_LINE_LENGTH"] = str(MOST_HEADER_BYTES)

# Reads are cached by Streamlit and used by the routes too, which it warns of at import, once for each read.
logging.getLogger("streamlit.runtime.caching.cache_data_api").addFilter(lambda record: record.levelno >= logging.ERROR)

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import config

from reports.logs import log_to_stderr
from settings import Settings, SettingsError
from storage import migrate
from storage.engine import DatabaseUnusable
from ui import heap, metrics, reads, signin, viewer
from ui.compression import Compressed
from ui.edge import edge_of
from ui.guard import Guard
from ui.sessions import SignOut

MAIN = Path(__file__).resolve().parent / "ui" / "main.py"
log = logging.getLogger("trainwatch.app")


def healthz(request: Request) -> PlainTextResponse:
    """200 while the database answers and is of the version this release writes, else 503; the reason for those who may have metrics."""
    reason = _why_unhealthy()
    if reason is None:
        return PlainTextResponse("ok\n")
    told = reason if may_monitor(request.headers, request.client.host if request.client else None) else "unavailable"
    return PlainTextResponse(f"{told}\n", status_code=503)


def _why_unhealthy() -> str | None:
    try:
        version, newest = migrate.version(reads.engine())
    except DatabaseUnusable as error:
        return str(error)
    return None if version == newest else f"schema {version}, not {newest}"


def prometheus(_request: Request) -> PlainTextResponse:
    """Age of the data per scope and collector, live jobs and the data's version, as Prometheus reads them."""
    try:
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")
    except DatabaseUnusable as error:
        return PlainTextResponse(f"{error}\n", status_code=503)


def _logged(error: Exception) -> bool:
    """A page's failure goes to the log; the screen says that something failed, without a traceback."""
    log.error("a page failed", exc_info=error)
    st.error("This page could not be shown. Reload it; if it keeps failing, the server's log says why.", icon=":material/error:")
    return True


def may_monitor(headers: Mapping[str, str], client: str | None) -> bool:
    """Whether a request may read metrics: one of this machine, or with the token of the settings."""
    return edge.shows_token(headers.get("authorization")) or viewer.may_monitor(headers, client)


def _settings() -> Settings:
    try:
        settings = reads.current_settings()
        signin.configure(settings)
    except SettingsError as error:
        raise SystemExit(f"trainwatch: {error}") from error
    return settings


settings = _settings()
edge = edge_of(settings)
secure_cookies = (settings.sign_in.redirect_uri or "").startswith("https://")
dashboard = st.App(
    MAIN,
    routes=[Route("/healthz", healthz), Route("/metrics", prometheus)],
    middleware=[Middleware(Compressed), Middleware(signin.Failures), Middleware(SignOut)],
    on_script_error=_logged,
)
app = Guard(dashboard, edge, may_monitor, secure_cookies=secure_cookies)  # outermost, so that failures carry its headers too
# Read again with our own file, which is known only now: whatever was read before had the user's alone.
config.get_config_options(force_reparse=True)


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--address", default="127.0.0.1")
    arguments = parser.parse_args()
    log_to_stderr()
    for name in ("uvicorn.access", "uvicorn.error", "websockets.server"):
        # Streamlit gives them handlers and levels of its own, one line per asset; a filter outlives that.
        logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.WARNING)
    viewer.served_on(arguments.address)
    heap.settle()
    uvicorn.run(
        app,
        host=arguments.address,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
    )


if __name__ == "__main__":
    main()
