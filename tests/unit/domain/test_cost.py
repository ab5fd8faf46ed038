"""What a job costs, against figures worked out by hand and from public bills."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cost import CostBreakdown, CostRules, billed_time, cost_breakdown, storage_cost, time_cost
from domain.job_days import job_days
from domain.money import divided, nusd, shares
from domain.prices import ANY_REGION, ML_STORAGE, Discount, Price, PriceBook
from domain.training_job import training_job_from
from tests.descriptions import SCOPE, at, description

EARLY, RULES = datetime(2020, 1, 1, tzinfo=UTC), CostRules()
BOOK = PriceBook.of(
    [
        Price("us-east-1", "ml.g5.2xlarge", EARLY, nusd("1.515"), "price_list"),
        Price("us-east-1", "ml.m5.xlarge", EARLY, nusd("0.23"), "price_list"),
        Price("us-east-1", "ml.p3.2xlarge", EARLY, nusd("3.825"), "price_list"),
        Price(ANY_REGION, ML_STORAGE, EARLY, nusd("0.14"), "shipped"),
    ]
)


def cost_of(rules: CostRules = RULES, book: PriceBook = BOOK, **given: object) -> CostBreakdown:
    return cost_breakdown(training_job_from(description(**given)), SCOPE, book, rules)  # type: ignore[arg-type]


def test_a_public_benchmark_of_4372_seconds_on_p3_costs_4_65() -> None:
    assert round(time_cost(4372, 1, nusd("3.825")) / 1e9, 2) == 4.65


def test_spot_is_billed_by_its_billable_seconds_at_the_on_demand_rate() -> None:
    cost = cost_of(ran=874 / 3600, BillableTimeInSeconds=262, EnableManagedSpotTraining=True)
    assert cost.compute_nusd == divided(262 * nusd("1.515"), 3600)
    assert cost.spot_savings_nusd is not None
    assert cost.compute_nusd is not None
    assert round(cost.spot_savings_nusd / (cost.spot_savings_nusd + cost.compute_nusd), 3) == 0.7


def test_an_on_demand_job_has_no_spot_savings_not_even_zero() -> None:
    assert cost_of().spot_savings_nusd is None


def test_several_instances_each_bill_their_wall_clock() -> None:
    assert cost_of(count=3).compute_nusd == 3 * nusd("1.515")


def test_the_selected_instance_counts_before_groups_and_the_plain_pair() -> None:
    resources = {
        "SelectedInstanceType": "ml.p3.2xlarge",
        "SelectedInstanceCount": 2,
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 9,
    }
    assert cost_of(ResourceConfig=resources).compute_nusd == 2 * nusd("3.825")


def test_each_group_of_a_heterogeneous_cluster_has_its_own_rate() -> None:
    groups = [
        {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2, "InstanceGroupName": "gpu"},
        {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "InstanceGroupName": "data"},
    ]
    cost = cost_of(ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 50})
    assert cost.compute_nusd == 2 * nusd("1.515") + nusd("0.23")
    assert cost.storage_nusd == storage_cost(50, 1, 3600, nusd("0.14"))  # g5 has storage of its own


def test_a_job_that_never_started_costs_nothing_even_without_a_price() -> None:
    never = {"TrainingStartTime": None, "TrainingEndTime": None, "TrainingTimeInSeconds": None, "BillableTimeInSeconds": None}
    cost = cost_of(instance_type="ml.unheard.of", status="Failed", **never)
    assert (cost.cost_nusd, cost.basis) == (0, "final")


def test_a_failed_job_costs_what_it_billed() -> None:
    assert cost_of(status="Failed").compute_nusd == nusd("1.515")


def test_without_billable_time_the_stamps_count_and_say_so() -> None:
    cost = cost_of(BillableTimeInSeconds=None, TrainingTimeInSeconds=None)
    assert (cost.compute_nusd, cost.basis) == (nusd("1.515"), "derived")


def test_a_derived_spot_job_claims_no_savings_since_its_cost_is_an_upper_bound() -> None:
    cost = cost_of(BillableTimeInSeconds=None, EnableManagedSpotTraining=True)
    assert (cost.basis, cost.spot_savings_nusd) == ("derived", 0)


def test_an_instance_type_without_a_price_makes_the_job_unpriced_and_never_zero() -> None:
    cost = cost_of(instance_type="ml.p9.48xlarge")
    assert (cost.basis, cost.cost_nusd, cost.compute_nusd, cost.seconds) == ("unpriced", None, None, 3600)


def test_a_warm_pool_is_billed_at_the_training_rate_beside_the_job() -> None:
    pool = {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 1800}
    cost = cost_of(count=2, WarmPoolStatus=pool)
    assert cost.warm_pool_nusd == nusd("1.515")
    assert cost.cost_nusd == 3 * nusd("1.515")


def test_hours_under_a_training_plan_were_paid_for_before() -> None:
    plan = {
        "InstanceType": "ml.p3.2xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 0,
        "TrainingPlanArn": "arn:aws:sagemaker:::training-plan/x",
    }
    cost = cost_of(ResourceConfig=plan)
    assert (cost.compute_nusd, cost.plan_covered_nusd) == (0, nusd("3.825"))


def test_a_serverless_job_is_unpriced_until_a_token_price_is_set() -> None:
    job = {"ResourceConfig": None, "ServerlessJobConfig": {"JobType": "FineTuning"}, "BillableTokenCount": 2_000_000}
    assert cost_of(**job).basis == "unpriced"
    assert cost_of(CostRules(token_nusd_per_million=nusd("3")), **job).cost_nusd == nusd("6")


def test_a_live_job_has_rates_and_no_amounts() -> None:
    cost = cost_of(ran=None)
    assert (cost.basis, cost.cost_nusd, cost.list_rate_nusd) == ("accruing", None, nusd("1.515"))


def test_a_price_cut_never_rewrites_the_past() -> None:
    book = PriceBook.of(
        [
            Price("us-east-1", "ml.g5.2xlarge", EARLY, nusd("2"), "price_list"),
            Price("us-east-1", "ml.g5.2xlarge", at(10), nusd("1"), "price_list"),
        ]
    )
    assert cost_of(book=book, created=9).compute_nusd == nusd("2")
    assert cost_of(book=book, created=10).compute_nusd == nusd("1")


def test_a_job_older_than_the_oldest_rate_takes_that_one_and_says_so() -> None:
    book = PriceBook.of([Price("us-east-1", "ml.g5.2xlarge", at(10), nusd("1"), "price_list")])
    cost = cost_of(book=book, created=0)
    assert (cost.compute_nusd, cost.predates_prices) == (nusd("1"), True)


def test_the_price_list_speaks_before_the_shipped_table_and_an_override_before_both() -> None:
    rates = [("shipped", "3"), ("price_list", "2"), ("override", "1")]
    for count, expected in ((1, "shipped"), (2, "price_list"), (3, "override")):
        prices = [Price("us-east-1", "ml.g5.2xlarge", EARLY, nusd(usd), source) for source, usd in rates[:count]]  # type: ignore[arg-type]
        assert cost_of(book=PriceBook.of(prices)).price_source == expected


def test_discounts_change_the_effective_cost_and_nothing_else() -> None:
    rules = CostRules(discounts=(Discount(10.0), Discount(50.0, account=SCOPE.account, family="g5")))
    cost = cost_of(rules)
    assert (cost.cost_nusd, cost.effective_nusd) == (nusd("1.515"), nusd("0.7575"))


def test_billing_training_seconds_takes_no_spot_discount() -> None:
    job = training_job_from(description(spot_share=0.3))
    assert billed_time(job, CostRules(spot_billing="training_seconds"))[1] == 3600
    assert billed_time(job, RULES)[1] == 1080


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any))
def test_shares_add_up_to_the_nano_dollar(amount: int, weights: list[int]) -> None:
    parts = shares(amount, weights)
    assert sum(parts) == amount
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**9))
def test_division_rounds_half_to_even(numerator: int, denominator: int) -> None:
    assert divided(numerator, denominator) == int((Decimal(numerator) / Decimal(denominator)).to_integral_value())


@given(
    created=st.floats(-500, 500),
    ran=st.floats(0.001, 300),
    share=st.none() | st.floats(0.05, 1),
    count=st.integers(1, 20),
    pool=st.integers(0, 9000),
)
def test_the_days_of_a_job_add_up_to_the_job(created: float, ran: float, share: float | None, count: int, pool: int) -> None:
    job = training_job_from(
        description(
            created=created, ran=ran, spot_share=share, count=count, instance_type="ml.m5.xlarge",
            WarmPoolStatus={"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": pool},
        )
    )  # fmt: skip
    cost = cost_breakdown(job, SCOPE, BOOK, RULES)
    days = job_days(job, cost)
    assert sum(day.compute_nusd + day.warm_pool_nusd + day.storage_nusd for day in days) == cost.cost_nusd
    assert sum(day.spot_savings_nusd for day in days) == (cost.spot_savings_nusd or 0)
    assert sum(day.effective_nusd for day in days) == cost.effective_nusd
    assert sum(day.instance_seconds for day in days) == cost.seconds * count
    assert [day.started for day in days] == [True] + [False] * (len(days) - 1)


@pytest.mark.parametrize("resources", [{}, {"InstanceType": "ml.g5.2xlarge"}, {"InstanceCount": 3}, {"InstanceGroups": [None, {}]}])
def test_a_job_whose_instances_are_not_told_is_unpriced(resources: dict[str, object]) -> None:
    assert cost_of(ResourceConfig=resources).basis == "unpriced"
