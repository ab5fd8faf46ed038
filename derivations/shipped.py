"""The price table that ships with the product, for accounts that may not read the Price List.

Source: `shipped_prices.csv`, public prices with the date, the grade of evidence and the source of each. Every figure that
rests on it says so on screen.
"""

import csv
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from domain.money import nusd
from domain.prices import Price


@cache
def shipped_prices() -> tuple[Price, ...]:
    """Every shipped rate."""
    text = files("derivations").joinpath("shipped_prices.csv").read_text(encoding="utf-8")
    return tuple(
        Price(
            row["region"],
            row["instance_type"],
            datetime.fromisoformat(row["since"]).replace(tzinfo=UTC),
            nusd(row["usd"]),
            "shipped",
        )
        for row in csv.DictReader(text.splitlines())
    )
