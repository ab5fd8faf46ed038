"""`python -m demo`: serve the simulated account until told to stop."""

import argparse
import signal
import sys
from threading import Event

from demo.clock import SystemClock
from demo.server import start
from demo.workload import ORDINARY_JOBS, workload


def main() -> None:
    """Print one line once the account can be called, and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="A simulated AWS account over HTTP.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=ORDINARY_JOBS, help="how many in 90 days, about")
    options = parser.parse_args()
    told_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told_to_stop.set())
    clock = SystemClock()
    with start(workload(options.seed, options.jobs, clock.now()), clock, options.port) as server:
        sys.stdout.write(f"ready {server.url}\n")
        sys.stdout.flush()
        sys.stdout = sys.stderr  # moto prints what it has no backend for, and ours is the only line promised
        told_to_stop.wait()


if __name__ == "__main__":
    main()
