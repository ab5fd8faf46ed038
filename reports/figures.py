"""Numbers and times as they leave the product: dollars to the millionth, hours, ISO 8601 with Z; unknown is null."""

from datetime import datetime
from typing import Any

from domain.instants import iso
from domain.money import usd

_DECIMALS = 6


def dollars(amount_nusd: int | None) -> float | None:
    """Dollars to the millionth; None stays None."""
    amount = usd(amount_nusd)
    return None if amount is None else round(amount, _DECIMALS)


def hours(seconds: int) -> float:
    """Hours to a ten-thousandth."""
    return round(seconds / 3600, 4)


def moment(value: datetime | None) -> str | None:
    """ISO 8601 with Z."""
    return iso(value)


def csv_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe; None is empty."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return f"'{value}"
    return value
