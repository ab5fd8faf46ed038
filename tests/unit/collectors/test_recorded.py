"""What AWS really answered, as recorded in public: see tests/fixtures/recorded/README.md."""

import json
from datetime import UTC, datetime
from decimal import InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from aws.answers import with_times
from collectors.prices import Offer, offers_from
from domain.money import nusd
from domain.prices import ML_STORAGE
from domain.training_job import training_job_from

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded"
DESCRIPTIONS = sorted(RECORDED.glob("*/*DescribeTrainingJob*.json"))
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def _answer(path: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return answer.get("data", answer)  # some are wrapped with their status code


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: path.stem)
def test_a_recorded_description_is_a_job(path: Path) -> None:
    answer = _answer(path)
    if not answer.get("TrainingJobName"):
        pytest.skip("an answer that is an error")
    job = training_job_from(with_times(answer))
    assert job.name == answer["TrainingJobName"]
    assert job.created_at is not None
    assert job.cluster
    assert not [oddity for oddity in job.oddities if oddity.kind in ("absurd time", "unexpected type")]


def test_there_are_recorded_descriptions() -> None:
    assert len(DESCRIPTIONS) >= 10


def test_recorded_products_of_another_service_are_no_offers() -> None:
    for text in _answer(RECORDED / "aws-cli-examples" / "pricing__get-products.json")["PriceList"]:
        assert list(offers_from(text, NOW)) == []


def _product(usage_type: str, usd: object = "1.5150000000", unit: str = "Hrs", effective: object = "2025-07-01T00:00:00Z") -> str:
    dimension = {"unit": unit, "pricePerUnit": {"USD": usd}}
    term = {"effectiveDate": effective, "priceDimensions": {"a.b.c": dimension}}
    return json.dumps({"product": {"attributes": {"usagetype": usage_type}}, "terms": {"OnDemand": {"a.b": term}}})


@pytest.mark.parametrize("usage_type", ["USE1-Train:ml.g5.2xlarge", "Train:ml.g5.2xlarge", "EU-Train:ml.g5.2xlarge"])
def test_a_training_hour_is_an_offer(usage_type: str) -> None:
    expected = Offer("ml.g5.2xlarge", nusd("1.515"), datetime(2025, 7, 1, tzinfo=UTC))
    assert list(offers_from(_product(usage_type), NOW)) == [expected]


def test_types_with_hyphens_keep_them() -> None:
    assert [offer.instance_type for offer in offers_from(_product("USE1-Train:ml.p6-b200.48xlarge"), NOW)] == ["ml.p6-b200.48xlarge"]


@pytest.mark.parametrize(
    "usage_type",
    [
        "USE1-TrainWarmPool:ml.g5.2xlarge", "USE1-TrSpt:ml.g5.2xlarge", "USE1-Host:ml.g5.2xlarge", "USE1-Notebk:ml.g5.2xlarge",
        "USE1-Cluster:ml.g5.2xlarge", "USE1-Train:ml.g5.2xlarge-trainingplanunused", "USE1-Train:VolumeUsage.gp2",
    ],
)  # fmt: skip
def test_other_prices_of_an_instance_are_no_offers(usage_type: str) -> None:
    assert list(offers_from(_product(usage_type), NOW)) == []


def test_a_price_of_nothing_is_no_offer() -> None:
    assert list(offers_from(_product("USE1-Train:ml.m5.large", "0.0000000000"), NOW)) == []


def test_training_volumes_have_a_rate_by_the_gigabyte_month() -> None:
    text = _product("EU-Train:VolumeUsage.gp2", "0.154", "GB-Mo")
    assert [(offer.instance_type, offer.rate_nusd) for offer in offers_from(text, NOW)] == [(ML_STORAGE, nusd("0.154"))]


def test_an_offer_without_a_date_counts_from_now() -> None:
    assert [offer.effective_at for offer in offers_from(_product("Train:ml.m5.large", effective=None), NOW)] == [NOW]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"product": null}',
        _product("Train:ml.m5.large", "much"),
        _product("Train:ml.m5.large", "NaN"),
        _product("Train:ml.m5.large", [1]),
    ],
)
def test_text_that_is_no_product_says_so(text: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError, KeyError, InvalidOperation)):
        list(offers_from(text, NOW))
