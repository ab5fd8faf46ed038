"""What leftovers cost, in words: what is not known is never shown as nothing."""

from collections.abc import Sequence

import pytest

from domain.money import nusd
from storage.leftover_months import LeftoverMonth
from ui import leftovers


def month(cost: str, unpriced_bytes: int) -> LeftoverMonth:
    return LeftoverMonth("rc", "checkpoints", 3, 300, nusd(cost), unpriced_bytes, (0,) * 5, is_estimated=False)


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ([nusd("1.5"), nusd("2")], "$3.50 a month"),
        ([nusd("1.5"), None], "at least $1.50 a month"),
        ([None, None], "a cost that is not known"),
        ([], "$0.00 a month"),
    ],
)
def test_a_cost_is_said_as_far_as_it_is_known(costs: Sequence[int | None], words: str) -> None:
    assert leftovers.monthly_words(costs) == words


def test_what_has_no_price_costs_nobody_knows_what() -> None:
    assert month("0", 300).known_nusd is None
    assert month("0", 0).known_nusd == 0
    assert month("1", 300).known_nusd == nusd("1")
    assert leftovers.monthly([month("0", 300)]) is None
    assert leftovers.monthly([month("0", 300), month("1", 0)]) == nusd("1")
    assert leftovers.monthly([]) == 0
