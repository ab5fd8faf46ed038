"""The Price List and Cost Explorer of the simulated account."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from demo.lifecycle import ended
from demo.plan import Phases, WarmPool
from demo.prices import changed, rates
from demo.workload import workload
from tests.integration.demo.account import NOW, Account, job

Open = Callable[..., Account]
MONTH = {"Start": "2026-10-01", "End": "2026-11-01"}


def listed(account: Account, **fields: str) -> list[dict[str, Any]]:
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in fields.items()]
    pages = account.client("pricing").get_paginator("get_products").paginate(ServiceCode="AmazonSageMaker", Filters=filters)
    return [json.loads(one) for page in pages for one in page["PriceList"]]


def hourly(rows: list[dict[str, Any]], usage_type: str) -> set[Decimal]:
    found = [row for row in rows if row["product"]["attributes"]["usagetype"] == usage_type]
    dimensions = [
        dimension for row in found for term in row["terms"]["OnDemand"].values() for dimension in term["priceDimensions"].values()
    ]
    assert {dimension["unit"] for dimension in dimensions} <= {"Hrs"}
    return {Decimal(dimension["pricePerUnit"]["USD"]) for dimension in dimensions}


def test_the_training_price_is_among_rows_that_look_like_it(open_account: Open) -> None:
    rows = listed(open_account(), regionCode="us-east-1", component="Training")
    assert hourly(rows, "USE1-Train:ml.p4d.24xlarge") == {Decimal("25.251286"), Decimal(0)}
    assert hourly(rows, "USE1-TrSpt:ml.p4d.24xlarge") != hourly(rows, "USE1-Train:ml.p4d.24xlarge")
    assert {row["product"]["attributes"]["component"] for row in rows} == {"Training"}
    assert any(not row["product"]["attributes"].get("instanceType") for row in rows)
    assert any("Train:VolumeUsage" in row["product"]["attributes"]["usagetype"] for row in rows)


def test_a_changed_price_is_listed_with_its_date(open_account: Open) -> None:
    account = open_account()
    prices = account.server.prices
    account.server.prices = changed(prices, "ml.g5.2xlarge", "us-east-1", Decimal("1.2"), NOW - timedelta(days=2))
    rows = listed(account, regionCode="us-east-1", instanceName="ml.g5.2xlarge", component="Training")
    assert Decimal("1.2") in hourly(rows, "USE1-Train:ml.g5.2xlarge")
    dates = {term["effectiveDate"] for row in rows for term in row["terms"]["OnDemand"].values()}
    assert "2026-11-18T14:32:00Z" in dates


def billed(account: Account, group: dict[str, str] | None = None, credentials: Any = None, **more: Any) -> dict[str, float]:
    asked = {"TimePeriod": MONTH, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"], **more}
    said = account.client("ce", credentials).get_cost_and_usage(**asked, **({"GroupBy": [group]} if group else {}))
    total: dict[str, float] = {}
    for period in said["ResultsByTime"]:
        for one in period["Groups"]:
            total[one["Keys"][0]] = total.get(one["Keys"][0], 0.0) + float(one["Metrics"]["UnblendedCost"]["Amount"])
    return total


def test_the_bill_of_a_job_is_its_billable_seconds_at_the_rate(open_account: Open) -> None:
    hours_ago = 24 * 30
    plans = [
        job("rc-fraud-a", hours_ago, phases=Phases(training_seconds=90_000)),
        job("rc-fraud-spot", hours_ago, spot=True, billable_share=0.3, tags={"Team": "vision"}),
        job("rc-fraud-warm", hours_ago, warm_pool=WarmPool(3600, 1800)),
    ]
    account = open_account(plans)
    rate = rates(account.server.prices)["ml.g5.2xlarge", "us-east-1"]
    by_usage = billed(account, {"Type": "DIMENSION", "Key": "USAGE_TYPE"})
    on_demand = sum(ended(plan).billable_seconds or 0 for plan in plans if not plan.spot)
    assert round(by_usage["USE1-Train:ml.g5.2xlarge"], 6) == round(float(on_demand * rate / 3600), 6)
    assert round(by_usage["USE1-TrSpt:ml.g5.2xlarge"], 6) == round(float((ended(plans[1]).billable_seconds or 0) * rate / 3600), 6)
    assert round(by_usage["USE1-TrainWarmPool:ml.g5.2xlarge"], 6) == round(float(1800 * rate / 3600), 6)
    assert set(billed(account, {"Type": "TAG", "Key": "Team"})) == {"Team$rc", "Team$vision"}


def test_a_long_job_is_billed_on_each_of_its_days(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", 24 * 30, phases=Phases(training_seconds=170_000))])
    said = account.client("ce").get_cost_and_usage(TimePeriod=MONTH, Granularity="DAILY", Metrics=["UnblendedCost", "UsageQuantity"])
    days = [one for one in said["ResultsByTime"] if float(one["Total"]["UnblendedCost"]["Amount"])]
    assert [one["TimePeriod"]["Start"] for one in days] == ["2026-10-21", "2026-10-22"] or len(days) == 3


def test_the_last_day_is_not_on_the_bill_yet(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", 5.0)])
    period = {"Start": "2026-11-01", "End": "2026-11-21"}
    assert billed(account, {"Type": "DIMENSION", "Key": "SERVICE"}, TimePeriod=period) == {}
    account.clock.advance(timedelta(days=2))
    assert billed(account, {"Type": "DIMENSION", "Key": "SERVICE"}, TimePeriod=period)["Amazon SageMaker"] > 0


def test_the_payer_sees_every_account_and_the_others_themselves(open_account: Open) -> None:
    account = open_account([job("rc-fraud-a", 24 * 30), job("rc-fraud-b", 24 * 30, account="222222222222")])
    group = {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}
    assert set(billed(account, group)) == {"123456789012", "222222222222"}
    assert set(billed(account, group, account.assume("222222222222"))) == {"222222222222"}
    only = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["222222222222"]}}
    assert set(billed(account, group, Filter=only)) == {"222222222222"}


def test_the_demo_bill_is_plausible(open_account: Open) -> None:
    account = open_account(workload(1, 1500, NOW))
    total = sum(billed(account, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}).values())
    assert 34_000 < total < 48_000
