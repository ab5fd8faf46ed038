"""Rates: what an instance hour and a gigabyte month cost, since when, and who says so."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

PriceSource = Literal["price_list", "shipped", "override"]

ML_STORAGE = "ml_storage"  # stands where an instance type would, for the region's GB-month rate
ANY_REGION = "*"  # the region of a shipped rate that stands in where a region has none of its own
# Which source is asked first; the Price List is the account's own view of the list price, an override is the owner's will.
_PRECEDENCE: tuple[PriceSource, ...] = ("override", "price_list", "shipped")


class Price(NamedTuple):
    """One rate as it was found: nano-dollars an instance hour (or a GB-month for `ML_STORAGE`), in force from an instant."""

    region: str
    instance_type: str
    effective_at: datetime
    rate_nusd: int
    source: PriceSource


class Rate(NamedTuple):
    """The rate for one job: `predates` says that the job is older than our oldest rate and took that one."""

    nusd: int
    source: PriceSource
    predates: bool


@dataclass(frozen=True)
class Discount:
    """What one account pays less than list price: percent off, for one instance family or for all (None)."""

    percent: float
    account: str | None = None
    family: str | None = None


@dataclass(frozen=True)
class PriceBook:
    """Every rate we know, asked by region, instance type and the job's start."""

    _history: Mapping[tuple[str, str], Mapping[PriceSource, tuple[list[datetime], list[int]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, prices: Iterable[Price]) -> "PriceBook":
        """A book of the prices, in whatever order they come; of two that start together the later one in line counts."""
        grouped: dict[tuple[str, str], dict[PriceSource, dict[datetime, int]]] = {}
        for price in prices:
            by_source = grouped.setdefault((price.region, price.instance_type), {})
            by_source.setdefault(price.source, {})[price.effective_at] = price.rate_nusd
        return cls({key: {source: _in_order(rates) for source, rates in by_source.items()} for key, by_source in grouped.items()})

    def rate(self, region: str, instance_type: str, at: datetime) -> Rate | None:
        """The rate in force at the instant, from the first source that knows the type; None when none does."""
        by_source = self._history.get((region, instance_type), {})
        for source in _PRECEDENCE:
            if source in by_source:
                starts, rates = by_source[source]
                index = bisect_right(starts, at) - 1
                return Rate(rates[max(index, 0)], source, predates=index < 0)
        return None

    def storage_rate(self, region: str, at: datetime) -> Rate | None:
        """The GB-month rate of training volumes in the region, else the shipped stand-in; None when nobody knows one."""
        return self.rate(region, ML_STORAGE, at) or self.rate(ANY_REGION, ML_STORAGE, at)


def _in_order(rates: Mapping[datetime, int]) -> tuple[list[datetime], list[int]]:
    starts = sorted(rates)
    return starts, [rates[start] for start in starts]


def discount_percent(discounts: Iterable[Discount], account: str, instance_family: str) -> float:
    """The percent off list price for an account and family: the most specific discount that fits, 0 without one."""
    fitting = [discount for discount in discounts if discount.account in (None, account) and discount.family in (None, instance_family)]
    best = max(fitting, key=lambda discount: (discount.account is not None, discount.family is not None), default=None)
    return best.percent if best else 0.0
