"""On-demand training rates of one region from the Price List."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from aws.errors import translated
from aws.session import Clients
from collectors.batch import Batch, Batches
from domain.instants import instant_from
from domain.money import nusd
from domain.prices import ML_STORAGE, Price

NAME = "prices"
REQUIRED_PERMISSIONS = ("pricing:GetProducts",)
SERVICE = "AmazonSageMaker"
HOURS, GB_MONTHS = "Hrs", "GB-Mo"
# The usage type is never blank and says what is billed; `instanceType` is often blank. TrainWarmPool, TrSpt and Host rows of
# the same instance are other prices, and so are unused hours of a training plan.
_INSTANCE = re.compile(r"(?:^|-)Train:(ml\.[a-z0-9\-]+\.[a-z0-9]+)$")
_STORAGE = re.compile(r"(?:^|-)Train:VolumeUsage(?:\.|$)")


class Offer(NamedTuple):
    """One rate of a product: an instance type, or `ML_STORAGE`; nano-dollars an hour, or a GB-month; in force from an instant."""

    instance_type: str
    rate_nusd: int
    effective_at: datetime


def collect_prices(clients: Clients, now: datetime) -> Batches:
    """One batch with every training rate of the scope's region; a type with two rates is left out and named as a problem.

    Raises AwsError. Source: GetProducts, ServiceCode AmazonSageMaker.
    """
    region = clients.target.scope.region
    found: dict[str, list[Offer]] = defaultdict(list)
    malformed = 0
    for text in _products(clients, region):
        try:
            for offer in offers_from(text, now):
                found[offer.instance_type].append(offer)
        except (ValueError, TypeError, AttributeError, KeyError, InvalidOperation):  # whatever else the text is, it is no product
            malformed += 1
    agreed = {kind: offers for kind, offers in sorted(found.items()) if _agree(offers)}
    prices = [Price(region, kind, *_rate(offers), "price_list") for kind, offers in agreed.items()]
    problems = [
        f"{kind} has several prices, so that the one known stays: {_listed(offers)}"
        for kind, offers in sorted(found.items())
        if kind not in agreed
    ]
    if malformed:
        problems.append(f"{malformed} products of the Price List could not be read and were left out")
    if not prices:
        problems.append(f"the Price List has no training rates for {region}; the shipped ones serve")
    yield Batch(prices=prices, problems=problems)


def _products(clients: Clients, region: str) -> Iterator[str]:
    filters = [("regionCode", region), ("component", "Training")]
    request: dict[str, Any] = {
        "ServiceCode": SERVICE,
        "Filters": [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters],
        "MaxResults": 100,
    }
    while True:
        with translated(clients.where):
            answer = clients.pricing.get_products(**request)
        yield from answer.get("PriceList", [])
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def offers_from(text: str, now: datetime) -> Iterator[Offer]:
    """The on-demand training rates above 0 in one PriceList string; none for a product of another kind.

    An offer without a readable effective date counts from `now`. Raises ValueError, TypeError, AttributeError, KeyError or
    InvalidOperation for text that is no product. Source: the PriceList member of GetProducts.
    """
    product = json.loads(text)
    kind, unit = _kind(str(product["product"]["attributes"]["usagetype"]))
    if kind is None:
        return
    for term in (product.get("terms", {}).get("OnDemand") or {}).values():
        effective_at = instant_from(term.get("effectiveDate")) or now
        for dimension in term["priceDimensions"].values():
            rate = _usd(dimension)
            if dimension.get("unit") == unit and rate > 0:
                yield Offer(kind, nusd(rate), effective_at)


def _kind(usage_type: str) -> tuple[str | None, str]:
    instance = _INSTANCE.search(usage_type)
    if instance:
        return instance[1], HOURS
    return (ML_STORAGE, GB_MONTHS) if _STORAGE.search(usage_type) else (None, "")


def _usd(dimension: Mapping[str, Any]) -> Decimal:
    amount = Decimal(dimension["pricePerUnit"].get("USD", "0"))
    if not amount.is_finite():
        raise ValueError(f"a price of {amount}")
    return amount


def _agree(offers: list[Offer]) -> bool:
    return len({offer.rate_nusd for offer in offers}) == 1


def _rate(offers: list[Offer]) -> tuple[datetime, int]:
    """The effective instant and the rate of offers that agree: the earliest, since it is in force from then."""
    first = min(offers, key=lambda offer: offer.effective_at)
    return first.effective_at, first.rate_nusd


def _listed(offers: list[Offer]) -> str:
    return ", ".join(f"${Decimal(rate) / 10**9:f}" for rate in sorted({offer.rate_nusd for offer in offers}))
