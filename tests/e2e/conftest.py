"""What browser tests share: a headless Chromium, a page of it, and our server as it is really started."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.filled import settings_text

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 30_000


def _executable() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a browser: install Debian's chromium")
        pytest.skip("no Chromium on this machine; install Debian's chromium to run the browser tests")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    executable = _executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, in Berlin."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, timezone_id="Europe/Berlin", accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield context.new_page()
    context.close()


def serve(folder: Path, url: str) -> Iterator[str]:
    """The server as `trainwatch serve` starts it, from another folder than the project's."""
    more = '[access]\npublic_role = "viewer"\n[dashboard]\nrefresh_seconds = 1\n'
    (folder / "trainwatch.toml").write_text(settings_text(url) + more)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"TRAINWATCH_CONFIG": str(folder / "trainwatch.toml"), "TRAINWATCH_SIMULATED": "1"}
    process = subprocess.Popen([sys.executable, "-m", "app", "--port", str(port)], cwd=folder, env=environment)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str) -> None:
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{url} did not answer")
