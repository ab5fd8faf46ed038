"""How hard tests try: `make test` looks at each thing, `make test-long` at many times as many."""

import os

LONG = os.environ.get("TRAINWATCH_TESTS") == "long"


def examples(long: int) -> int:
    """How many examples a property is tried with: so many in the long run, a twentieth of them else, ten at least."""
    return long if LONG else max(10, long // 20)
