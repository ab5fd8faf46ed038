"""The server's memory: what it has loaded once is left out of every later garbage collection."""

import gc

THRESHOLD = 50_000  # of Python's default 700: what pages make has few cycles


def settle() -> None:
    """To be called once everything is loaded. A full collection of all that is some tenth of a second in which no page goes on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD)
