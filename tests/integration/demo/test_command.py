"""`python -m demo`, as somebody runs it."""

import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_command_says_when_it_can_be_called_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "demo", "--port", "0", "--jobs", "50"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, _, url = process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        with urllib.request.urlopen(f"{url}/moto-api/") as answer:  # noqa: S310 (an address on this machine)
            assert answer.status == 200
        process.terminate()
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == ""
