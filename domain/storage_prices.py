"""What a month of storage in S3 costs: list prices a GB and month by region and storage class, each with where it comes from.

Source: the Price List offer AmazonS3, first tier (50 TB a month), before discounts. Standard of every region here and all
classes of us-east-1 and the regions priced like it are `shipped` (as of 2026-07); the other classes of other regions, which
we have from nothing that quotes the Price List, are an `estimate`. A region or class that is not here has no price.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from domain.money import divided, nusd

Quality = Literal["shipped", "estimate", "override"]
GB = 2**30  # AWS bills a GB of 2**30 bytes. Source: the pricing page of S3


class StorageRate(NamedTuple):
    """Nano-dollars a GB and month, and how sure that is."""

    nusd: int
    quality: Quality


_STANDARD_USD = {
    "us-east-1": "0.023", "us-east-2": "0.023", "us-west-1": "0.026", "us-west-2": "0.023", "ca-central-1": "0.025",
    "eu-west-1": "0.023", "eu-west-2": "0.024", "eu-west-3": "0.024", "eu-central-1": "0.0245", "eu-north-1": "0.023",
    "ap-south-1": "0.025", "ap-southeast-1": "0.025", "ap-southeast-2": "0.025", "ap-southeast-3": "0.025",
    "ap-northeast-1": "0.025", "ap-northeast-2": "0.025", "sa-east-1": "0.0405", "me-south-1": "0.025", "af-south-1": "0.0274",
}  # fmt: skip
_LIKE_VIRGINIA = ("us-east-1", "us-east-2", "us-west-2")
_VIRGINIA_USD = {
    "STANDARD_IA": "0.0125", "ONEZONE_IA": "0.01", "GLACIER_IR": "0.004", "GLACIER": "0.0036", "DEEP_ARCHIVE": "0.00099",
}  # fmt: skip
# Standard-IA, One Zone-IA, Glacier Instant, Flexible and Deep Archive elsewhere, as remembered from the pricing page.
_CLASSES = tuple(_VIRGINIA_USD)
_ELSEWHERE_USD = {
    "us-west-1": ("0.0144", "0.0115", "0.005", "0.0044", "0.002"),
    "ca-central-1": ("0.0138", "0.011", "0.005", "0.0045", "0.002"),
    "eu-west-1": ("0.0125", "0.01", "0.004", "0.0036", "0.00099"),
    "eu-west-2": ("0.0131", "0.0105", "0.005", "0.00405", "0.0018"),
    "eu-west-3": ("0.0131", "0.0105", "0.005", "0.00405", "0.0018"),
    "eu-central-1": ("0.0135", "0.0108", "0.005", "0.00405", "0.0018"),
    "eu-north-1": ("0.0125", "0.01", "0.004", "0.0036", "0.00099"),
    "ap-south-1": ("0.0138", "0.011", "0.005", "0.0045", "0.002"),
    "ap-southeast-1": ("0.0138", "0.011", "0.005", "0.0045", "0.002"),
    "ap-southeast-2": ("0.0138", "0.011", "0.005", "0.0045", "0.002"),
    "ap-northeast-1": ("0.0138", "0.011", "0.005", "0.0045", "0.002"),
    "ap-northeast-2": ("0.0138", "0.011", "0.005", "0.0045", "0.002"),
    "sa-east-1": ("0.0221", "0.0177", "0.0083", "0.00765", "0.0032"),
}


def _table() -> dict[tuple[str, str], StorageRate]:
    rates = {(region, "STANDARD"): StorageRate(nusd(usd), "shipped") for region, usd in _STANDARD_USD.items()}
    for region in _LIKE_VIRGINIA:
        rates |= {(region, name): StorageRate(nusd(usd), "shipped") for name, usd in _VIRGINIA_USD.items()}
    for region, prices in _ELSEWHERE_USD.items():
        rates |= {(region, name): StorageRate(nusd(usd), "estimate") for name, usd in zip(_CLASSES, prices, strict=True)}
    # Which tier an object of Intelligent-Tiering is in, no listing says: the frequent one, which costs as Standard does, at most.
    rates |= {(region, "INTELLIGENT_TIERING"): StorageRate(nusd(usd), "estimate") for region, usd in _STANDARD_USD.items()}
    return rates


SHIPPED: Mapping[tuple[str, str], StorageRate] = MappingProxyType(_table())
_NONE: Mapping[tuple[str, str], StorageRate] = MappingProxyType({})


def storage_rate(region: str | None, storage_class: str, overrides: Mapping[tuple[str, str], StorageRate] = _NONE) -> StorageRate | None:
    """The rate of a region's storage class as ListObjectsV2 names it, from the overrides first; None where nobody knows one."""
    key = (region or "", storage_class)
    return overrides.get(key) or SHIPPED.get(key)


def month_nusd(
    size_bytes: int, region: str | None, storage_class: str, overrides: Mapping[tuple[str, str], StorageRate] = _NONE
) -> int | None:
    """What so many bytes cost in a month, in nano-dollars; None where there is no rate. Smallest billed sizes are left out."""
    rate = storage_rate(region, storage_class, overrides)
    return None if rate is None else divided(size_bytes * rate.nusd, GB)


def is_estimated(classes: Mapping[str, int], region: str | None) -> bool:
    """Whether the price of any of the storage classes is an estimate."""
    rates = (storage_rate(region, storage_class) for storage_class, size in classes.items() if size)
    return any(rate is not None and rate.quality == "estimate" for rate in rates)


def classes_nusd(classes: Mapping[str, int], region: str | None) -> tuple[int, int]:
    """What bytes by storage class cost in a month, in nano-dollars as far as rates are known, and the bytes without a known one."""
    amounts = [(size, month_nusd(size, region, storage_class)) for storage_class, size in classes.items()]
    return sum(cost or 0 for _, cost in amounts), sum(size for size, cost in amounts if cost is None)
