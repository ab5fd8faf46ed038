"""What a first visit takes over the wire, in a real browser with nothing in its cache."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import FLAGS, _wait
from tests.filled import fill, settings_text

GOAL_MB = 2.0
WHAT = "First load over the wire"


def first_load(folder: Path) -> list[tuple[str, str, str, bool]]:
    """A row for the table: megabytes of the first page, and of its files as they lie on disk."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        return [(WHAT, "not measured: no Chromium on this machine", f"≤ {GOAL_MB:g} MB", False)]
    url = f"sqlite:///{folder / 'visited.db'}"
    fill(url, jobs=100)
    (folder / "visited.toml").write_text(settings_text(url))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"TRAINWATCH_CONFIG": str(folder / "visited.toml")}
    server = subprocess.Popen([sys.executable, "-m", "app", "--port", str(port)], env=environment)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz")
        packed, unpacked = _visit(executable, f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(20)
    return [(WHAT, f"{packed:.1f} MB ({unpacked:.1f} MB unpacked)", f"≤ {GOAL_MB:g} MB", packed <= GOAL_MB)]


def _visit(executable: str, address: str) -> tuple[float, float]:
    """Megabytes received, and what they are unpacked."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page()
        received, unpacked = _counted(page)
        page.goto(address)
        page.get_by_text("Month-end forecast").first.wait_for(timeout=60_000)
        page.wait_for_timeout(3000)
        browser.close()
    return sum(received) / 1e6, sum(unpacked) / 1e6


def _counted(page: Page) -> tuple[list[float], list[float]]:
    received, unpacked = list[float](), list[float]()
    network = page.context.new_cdp_session(page)
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    network.on("Network.dataReceived", lambda event: unpacked.append(event["dataLength"]))
    network.send("Network.enable")
    return received, unpacked
