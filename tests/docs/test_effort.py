"""The table of what is tried in full in the long run alone names tests that there are."""

import re
from pathlib import Path

from tests.effort import ALWAYS

TESTS = Path(__file__).parents[1]


def test_every_name_in_the_table_is_a_test() -> None:
    names = {
        name for path in TESTS.rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(ALWAYS) - names == set()
