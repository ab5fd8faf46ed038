"""The server: the Streamlit app with its health and metrics routes. `python -m app --port 8501` runs it."""

import argparse
import logging
import os
import sys
from pathlib import Path

# Set before Streamlit is imported: no telemetry, and errors of pages go to the log, never to the screen.
os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")
os.environ.setdefault("STREAMLIT_CLIENT_SHOW_ERROR_DETAILS", "none")
os.environ.setdefault("STREAMLIT_SERVER_FILE_WATCHER_TYPE", "none")
os.environ.setdefault("STREAMLIT_LOGGER_LEVEL", "error")
# Nobody is who a header says they are, whatever a config.toml trusts.
os.environ["STREAMLIT_SERVER_TRUSTED_USER_HEADERS"] = "{}"
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

from settings import SettingsError
from storage import migrate
from storage.engine import DatabaseUnusable
from ui import heap, metrics, reads, signin, viewer

MAIN = Path(__file__).resolve().parent / "ui" / "main.py"
log = logging.getLogger("trainwatch.app")


def healthz(_request: Request) -> PlainTextResponse:
    """200 while the database answers and is of the version this release writes, else 503 with the reason."""
    try:
        found, newest = migrate.version(reads.engine())
    except DatabaseUnusable as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    return PlainTextResponse("ok\n" if found == newest else f"schema {found}, not {newest}\n", status_code=200 if found == newest else 503)


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


app = st.App(
    MAIN,
    routes=[Route("/healthz", healthz), Route("/metrics", prometheus)],
    middleware=[Middleware(signin.Failures)],
    on_script_error=_logged,
)
try:
    signin.configure(reads.current_settings())
except SettingsError as error:
    raise SystemExit(f"trainwatch: {error}") from error


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--address", default="127.0.0.1")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
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
        ws="websockets-sansio",
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
    )


if __name__ == "__main__":
    main()
