"""The simulated Price List's numbers: a table shipped with the package, and whatever a test puts in its place."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("prices.csv")
EFFECTIVE: Final = datetime(2025, 7, 1, tzinfo=UTC)
STORAGE: Final = "VolumeUsage.gp2"
STORAGE_USD_PER_GB_MONTH: Final = {"eu-west-1": Decimal("0.154")}
STORAGE_ELSEWHERE: Final = Decimal("0.14")
PREFIXES: Final = {
    "us-east-1": "USE1", "us-east-2": "USE2", "us-west-2": "USW2", "eu-west-1": "EU", "eu-central-1": "EUC1",
    "ap-northeast-1": "APN1", "ap-southeast-1": "APS1", "ap-southeast-2": "APS2", "ap-south-1": "APS3",
}  # fmt: skip
"""How usage types spell the region."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an instance costs while it trains, in USD per hour, from `effective_at` on."""

    instance_type: str
    region: str
    usd_per_hour: Decimal
    effective_at: datetime = EFFECTIVE
    source: str = ""


@cache
def shipped() -> tuple[Price, ...]:
    """The table in prices.csv, whose column `source` says where each number was seen."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Price(row["instance_type"], row["region"], Decimal(row["usd_per_hour"]), source=row["source"]) for row in csv.DictReader(file)
        )


def changed(prices: Iterable[Price], instance_type: str, region: str, usd: Decimal, at: datetime) -> tuple[Price, ...]:
    """The prices with one of them set to `usd` from `at` on; a list knows the present price only."""
    return tuple(
        replace(one, usd_per_hour=usd, effective_at=at) if (one.instance_type, one.region) == (instance_type, region) else one
        for one in prices
    )


def rate(prices: Sequence[Price], instance_type: str, region: str) -> Decimal | None:
    """USD per hour of one instance, or None where the list has no such price."""
    return rates(prices).get((instance_type, region))


def rates(prices: Iterable[Price]) -> dict[tuple[str, str], Decimal]:
    """USD per hour by instance type and region."""
    return {(one.instance_type, one.region): one.usd_per_hour for one in prices}


def storage_rate(region: str) -> Decimal:
    """USD per GB-month of a training volume."""
    return STORAGE_USD_PER_GB_MONTH.get(region, STORAGE_ELSEWHERE)


def prefix(region: str) -> str:
    """The region as usage types spell it."""
    return PREFIXES.get(region, region.upper())
