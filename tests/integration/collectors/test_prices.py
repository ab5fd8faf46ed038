"""Rates collected over HTTP from the simulated Price List."""

from decimal import Decimal

from sqlalchemy import select

from demo.prices import changed, shipped
from domain.money import nusd
from domain.prices import ML_STORAGE
from storage.schema import jobs, prices
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, NOW, Watched, plan

TYPE = "ml.g5.2xlarge"


def _kept(account: Watched) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in account.rows(select(prices).order_by(prices.c.effective_at)):
        found.setdefault(row.instance_type, []).append(row.rate_nusd)
    return found


def test_the_rates_kept_are_the_training_rates_of_the_region_and_no_others(watch: Watch) -> None:
    account = watch()
    report = account.run("prices")
    expected = {one.instance_type: [nusd(one.usd_per_hour)] for one in shipped() if one.region == "us-east-1"}
    assert report.outcome == "ok"
    assert _kept(account) == expected | {ML_STORAGE: [nusd("0.14")]}


def test_seen_again_a_rate_is_kept_once(watch: Watch) -> None:
    account = watch()
    first = account.run("prices")
    again = account.later(DAY, "prices")
    assert (first.rows, again.rows) == (again.rows, first.rows)
    assert all(len(rates) == 1 for rates in _kept(account).values())


def test_a_price_cut_adds_a_rate_and_leaves_what_earlier_jobs_cost(watch: Watch) -> None:
    account = watch([plan("before"), plan("after", created=-HOUR)])
    account.run("prices")
    account.run()
    cost = account.rows(select(jobs.c.cost_nusd))[0][0]
    account.aws.prices = changed(account.aws.prices, TYPE, "us-east-1", Decimal("0.50"), NOW + HOUR / 2)
    account.later(HOUR * 4, "prices")
    account.run()
    assert _kept(account)[TYPE][-1] == nusd("0.5")
    assert len(_kept(account)[TYPE]) == 2
    by_cost = sorted(row[0] for row in account.rows(select(jobs.c.cost_nusd)))
    assert by_cost[-1] == cost
    assert by_cost[0] < cost


def test_a_type_with_two_prices_is_named_and_its_known_rate_stays(watch: Watch) -> None:
    account = watch()
    account.run("prices")
    before = _kept(account)
    second = [one for one in changed(account.aws.prices, TYPE, "us-east-1", Decimal("9"), NOW) if one.instance_type == TYPE]
    account.aws.prices = [*account.aws.prices, *second]
    report = account.later(DAY, "prices")
    assert report.outcome == "partial"
    assert f"{TYPE} has several prices" in report.message
    assert _kept(account) == before


def test_a_region_without_rates_is_said(watch: Watch) -> None:
    account = watch(aws={"regions": ["ap-northeast-3"]})
    report = account.run("prices")
    assert report.outcome == "partial"
    assert "no training rates for ap-northeast-3" in report.message


def test_where_the_price_list_is_denied_the_permission_is_named(watch: Watch) -> None:
    account = watch()
    account.aws.faults.deny("GetProducts")
    report = account.run("prices")
    assert report.outcome == "failed"
    assert "add pricing:GetProducts to" in report.message
