"""What storage costs a month: AWS's gigabyte, list prices, and nothing invented for what is not known."""

import pytest

from domain.money import nusd
from domain.storage_prices import GB, SHIPPED, StorageRate, month_nusd, storage_rate


def test_a_gigabyte_month_of_standard_in_virginia_is_2_3_cents() -> None:
    assert month_nusd(GB, "us-east-1", "STANDARD") == nusd("0.023")
    assert month_nusd(1024 * GB, "us-east-1", "STANDARD") == nusd("23.552")
    assert month_nusd(0, "us-east-1", "STANDARD") == 0


@pytest.mark.parametrize(("region", "storage_class"), [("mars-north-1", "STANDARD"), ("us-east-1", "EXPRESS_ONEZONE"), (None, "STANDARD")])
def test_what_has_no_known_price_has_none(region: str | None, storage_class: str) -> None:
    assert month_nusd(GB, region, storage_class) is None


def test_what_is_only_remembered_says_so() -> None:
    assert storage_rate("eu-central-1", "STANDARD") == StorageRate(nusd("0.0245"), "shipped")
    glacier, tiered = storage_rate("eu-central-1", "GLACIER"), storage_rate("us-east-1", "INTELLIGENT_TIERING")
    assert glacier is not None
    assert tiered is not None
    assert (glacier.quality, tiered.quality) == ("estimate", "estimate")


def test_an_override_counts_first_and_may_name_what_is_not_shipped() -> None:
    own = {("us-east-1", "STANDARD"): StorageRate(nusd("0.02"), "override"), ("mars-north-1", "STANDARD"): StorageRate(7, "override")}
    assert month_nusd(GB, "us-east-1", "STANDARD", own) == nusd("0.02")
    assert month_nusd(GB, "mars-north-1", "STANDARD", own) == 7


def test_colder_classes_cost_less_in_every_region() -> None:
    for region in {region for region, _ in SHIPPED}:
        rates = [storage_rate(region, name) for name in ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")]
        known = [rate.nusd for rate in rates if rate is not None]
        assert known == sorted(known, reverse=True), region
