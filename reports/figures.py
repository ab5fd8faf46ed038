"""Numbers and times as they leave the product: dollars to the millionth, hours, ISO 8601 with Z; unknown is null."""

from datetime import datetime
from typing import Any
from unicodedata import category

from domain.instants import iso
from domain.money import usd
from domain.text import visible

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


_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n")  # as they are, and fullwidth, which spreadsheets take for the same


def csv_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, and no terminal obeys: text that begins like a formula gets an apostrophe.

    Spaces and characters that show nothing before the sign do not hide it. None is empty.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = visible(value.replace("\r\n", "\n").replace("\r", "\n"))  # a reader may take a lone return for the end of a row
    begins = next((character for character in value if not _shows_nothing(character)), "")
    return f"'{text}" if value[:1] in _FORMULA or begins in _FORMULA else text


def _shows_nothing(character: str) -> bool:
    return character.isspace() or category(character) in ("Cc", "Cf", "Mn", "Zs")
