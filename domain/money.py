"""Money as whole nano-dollars, so that sums are exact and splitting a cost never loses any of it.

A nano-dollar is 1e-9 USD. The Price List quotes at most ten decimals per hour and databases sum integers exactly,
which floating point does not. Names of amounts in this unit end in `_nusd`; `usd` is called at the last line of formatting.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

NANO = 1_000_000_000
SECONDS_PER_HOUR = 3600
HOURS_PER_MONTH = 730


def nusd(amount_usd: Decimal | str | int) -> int:
    """The amount in nano-dollars, rounded half to even."""
    return int((Decimal(amount_usd) * NANO).to_integral_value(ROUND_HALF_EVEN))


def usd(amount_nusd: int | None) -> float | None:
    """The amount in dollars for display and JSON; None stays None."""
    return None if amount_nusd is None else amount_nusd / NANO


def divided(numerator: int, denominator: int) -> int:
    """The quotient of two whole numbers rounded half to even, without passing through floating point."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient


def shares(amount: int, weights: list[int]) -> list[int]:
    """The amount split in proportion to the weights; whole, with the rounding residue on the last share that has weight.

    Raises ValueError when no weight is positive, since the amount would be lost.
    """
    total = sum(weights)
    if len(weights) == 1 and total > 0:  # most jobs begin and end on one day
        return [amount]
    if total <= 0:
        raise ValueError("an amount can only be split over weights of which one is positive")
    parts = [amount * weight // total for weight in weights]
    last = max(index for index, weight in enumerate(weights) if weight)
    parts[last] += amount - sum(parts)
    return parts


def known_sum(amounts: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where there is something, and none of it is known."""
    found = list(amounts)
    known = [amount for amount in found if amount is not None]
    return sum(known) if known or not found else None
