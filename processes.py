"""The processes that make up the product: started together, stopped together.

The dashboard, the collectors and, for the demo, the simulated account are separate processes that meet only in the database
(and over HTTP), so that each can be scaled and restarted apart.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

GRACE_SECONDS = 20.0
DEMO_FOLDER = Path("var") / "demo"
DEMO_REGION = "us-east-1"


@dataclass(frozen=True)
class Part:
    """One process of the product: what people call it, its command, and its environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def serve(config: Path | None, *, port: int, address: str, collect: bool, more: Mapping[str, str] | None = None) -> int:
    """Runs the dashboard, and the collectors beside it, until one of them ends or a signal comes; returns the exit code."""
    taken = _why_not(address, port)
    if taken:
        print(f"trainwatch: {taken}", file=sys.stderr)  # noqa: T201 - said before any logging, to whoever typed the command
        return 1
    environment = dict(os.environ) | dict(more or {})
    if config is not None:
        environment["TRAINWATCH_CONFIG"] = str(config.resolve())
    parts = [Part("dashboard", [sys.executable, "-m", "app", "--port", str(port), "--address", address], environment)]
    if collect:
        parts.append(Part("collectors", [sys.executable, "-m", "cli", "collect"], environment))
    print(f"Trainwatch is on http://{'localhost' if address == '127.0.0.1' else address}:{port}", file=sys.stderr)  # noqa: T201
    return _run_together(parts)


def demo(*, port: int, headless: bool, seed: int, jobs: int) -> int:
    """Runs a simulated account, its collectors and the dashboard on a database of their own, made anew each time."""
    if find_spec("demo") is None or find_spec("moto") is None:
        words = "trainwatch: the demo is not installed: make demo, or pip install -r requirements-demo.txt in a checkout"
        print(words, file=sys.stderr)  # noqa: T201
        return 1
    from demo import settings_text

    taken = _why_not("127.0.0.1", port)
    if taken:  # perhaps by another demo, whose database this would be
        print(f"trainwatch: {taken}", file=sys.stderr)  # noqa: T201
        return 1
    shutil.rmtree(DEMO_FOLDER, ignore_errors=True)
    DEMO_FOLDER.mkdir(parents=True)
    config = DEMO_FOLDER / "trainwatch.toml"
    database = (DEMO_FOLDER / "trainwatch.db").resolve()
    # Whoever reaches the demo through a forwarded port may look at it: all that it shows is invented.
    access = '[access]\npublic_role = "viewer"\n'
    config.write_text(f'[database]\nurl = "sqlite:///{database}"\n\n{access}\n{settings_text()}', encoding="utf-8")
    command = [sys.executable, "-m", "demo", "--port", "0", "--seed", str(seed), "--jobs", str(jobs)]
    account = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    try:
        ready = account.stdout.readline() if account.stdout else ""
        if not ready.startswith("ready "):
            print("trainwatch: the simulated account did not start; its last words are above", file=sys.stderr)  # noqa: T201
            return 1
        simulated = {
            "AWS_ENDPOINT_URL": ready.split()[1],
            "AWS_ACCESS_KEY_ID": "simulated",
            "AWS_SECRET_ACCESS_KEY": "simulated",  # the simulated account takes any
            "AWS_REGION": DEMO_REGION,
            "AWS_DEFAULT_REGION": DEMO_REGION,
            "TRAINWATCH_SIMULATED": "1",
        }
        (DEMO_FOLDER / "environment").write_text("".join(f"export {k}={v}\n" for k, v in simulated.items()), encoding="utf-8")
        if not headless:
            _open_when_up(port)
        return serve(config, port=port, address="127.0.0.1", collect=True, more=simulated)
    finally:
        _end([account])


def _why_not(address: str, port: int) -> str | None:
    """Why the port cannot be listened on, in words; None when it can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return f"cannot listen on {address}:{port}: {error.strerror}; choose another with --port"
    return None


def _run_together(parts: Sequence[Part]) -> int:
    """Runs the parts until one ends or SIGTERM or SIGINT comes; then ends all. 0 after a signal, else 1."""
    asked = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    running = [subprocess.Popen(list(part.command), env=dict(part.environment)) for part in parts]  # noqa: S603 - our own commands
    try:
        while not asked and all(process.poll() is None for process in running):
            time.sleep(0.2)
        ended = [part.name for part, process in zip(parts, running, strict=True) if process.poll() is not None]
        if ended and not asked:
            print(f"trainwatch: the {ended[0]} ended; its last words are above", file=sys.stderr)  # noqa: T201
        return 0 if asked else 1
    finally:
        _end(running)
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end(running: Sequence[subprocess.Popen[str]] | Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends the processes: asked first, so that transactions finish, killed where that takes too long."""
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _open_when_up(port: int) -> None:
    """Opens a browser on the dashboard where there is a screen to open it on."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(f"http://localhost:{port}")
