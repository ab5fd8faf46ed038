"""Sums of money of which some, or all, is not known."""

import pytest

from domain.money import known_sum


@pytest.mark.parametrize(("amounts", "total"), [([], 0), ([1, 2], 3), ([1, None], 1), ([0, None], 0), ([None], None), ([None, None], None)])
def test_a_sum_is_of_what_is_known_and_not_known_where_nothing_is(amounts: list[int | None], total: int | None) -> None:
    assert known_sum(amounts) == total
