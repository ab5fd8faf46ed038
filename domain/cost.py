"""What a job costs, part by part, exactly as AWS bills it at list price.

Every amount is whole nano-dollars. A part that is not known is None, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from domain.instances import family, has_nvme
from domain.instants import whole_seconds_between
from domain.money import HOURS_PER_MONTH, SECONDS_PER_HOUR, divided
from domain.prices import Discount, PriceBook, PriceSource, Rate, discount_percent
from domain.scope import Scope
from domain.training_job import TrainingJob

Basis = Literal["final", "derived", "accruing", "unpriced"]
SpotBilling = Literal["billable_seconds", "training_seconds"]


@dataclass(frozen=True)
class CostRules:
    """The settings a cost depends on besides prices.

    `spot_billing` is how spot seconds are billed: `billable_seconds` is AWS's own formula, `training_seconds` takes no
    discount at all. `token_nusd_per_million` prices serverless jobs; None leaves them unpriced.
    """

    spot_billing: SpotBilling = "billable_seconds"
    token_nusd_per_million: int | None = None
    discounts: tuple[Discount, ...] = field(default=())


class GroupCost(NamedTuple):
    """One instance type of a job: its rate (None: no price) and what its instances cost."""

    instance_type: str
    instances: int
    rate_nusd: int | None
    compute_nusd: int | None
    storage_nusd: int | None
    spot_savings_nusd: int | None
    plan_covered_nusd: int | None
    effective_nusd: int | None


class CostBreakdown(NamedTuple):
    """A job's cost. `cost_nusd` is compute + warm pool + storage and None while the job lives or when it has no price.

    `seconds` are the training seconds of one instance, `billed_seconds` the billed ones; `price_source` is None when
    nothing was priced, `predates_prices` says that an older job took our oldest rate.
    """

    basis: Basis
    seconds: int
    billed_seconds: int | None
    groups: tuple[GroupCost, ...]
    compute_nusd: int | None
    warm_pool_nusd: int | None
    storage_nusd: int | None
    cost_nusd: int | None
    spot_savings_nusd: int | None
    plan_covered_nusd: int | None
    effective_nusd: int | None
    list_rate_nusd: int | None
    price_source: PriceSource | None
    storage_price_source: PriceSource | None
    predates_prices: bool


def time_cost(seconds: int, count: int, rate_nusd: int) -> int:
    """What instances cost for a time: seconds × count × the hourly rate. Source: DescribeTrainingJob$BillableTimeInSeconds."""
    return divided(seconds * count * rate_nusd, SECONDS_PER_HOUR)


def storage_cost(volume_gb: int, count: int, seconds: int, gb_month_nusd: int) -> int:
    """What ML storage volumes cost for a time: GB × instances × the GB-month rate × seconds ÷ 730 h."""
    return divided(volume_gb * count * seconds * gb_month_nusd, SECONDS_PER_HOUR * HOURS_PER_MONTH)


def cost_breakdown(job: TrainingJob, scope: Scope, prices: PriceBook, rules: CostRules) -> CostBreakdown:
    """What the job cost. A live job has rates but no amounts; see `domain.running` for what it accrues."""
    at = job.started_at or job.created_at
    assert at is not None  # noqa: S101 - `training_job_from` always finds a creation time
    rates = [prices.rate(scope.region, group.instance_type, at) for group in job.cluster]
    storage_rate = prices.storage_rate(scope.region, at)
    if job.is_live:
        return _without_amounts(job, rates, "accruing" if _is_priced(job, rates) else "unpriced")
    seconds, billed, derived = billed_time(job, rules)
    basis: Basis = "derived" if derived else "final"
    if job.capacity == "serverless":
        return _serverless(job, rules, basis)
    if billed == 0 and not job.warm_pool_billable_seconds:
        return _free(job, rates, basis)
    if not job.cluster or (any(rate is None for rate in rates) and job.capacity != "plan"):
        return _without_amounts(job, rates, "unpriced", seconds, billed)
    return _priced(job, scope, rates, storage_rate, rules, basis, seconds, billed)


def billed_time(job: TrainingJob, rules: CostRules) -> tuple[int, int, bool]:
    """An ended job's training seconds, its billed seconds, and whether we derived the latter from its stamps.

    Where AWS sent no billable time, whole seconds of the end less whole seconds of the start stand in: for spot that is
    an upper bound. A job that never started has 0 of both.
    """
    stamped = whole_seconds_between(job.started_at, job.ended_at) if job.started_at and job.ended_at else 0
    training = job.training_seconds if job.training_seconds is not None else stamped
    if job.capacity == "spot" and rules.spot_billing == "training_seconds" and training:
        return training, training, job.training_seconds is None
    if job.billable_seconds is not None:
        return training or job.billable_seconds, job.billable_seconds, False
    return training, training, stamped > 0


def _priced(
    job: TrainingJob,
    scope: Scope,
    rates: Sequence[Rate | None],
    storage_rate: Rate | None,
    rules: CostRules,
    basis: Basis,
    seconds: int,
    billed: int,
) -> CostBreakdown:
    groups, needs_storage, warm = [], False, 0
    for group, rate in zip(job.cluster, rates, strict=True):
        volume = 0 if has_nvme(group.instance_type) else job.volume_gb
        needs_storage = needs_storage or volume > 0
        stored = storage_cost(volume, group.count, seconds, storage_rate.nusd) if volume and storage_rate else 0
        groups.append(_group_cost(job, scope, group.instance_type, group.count, rate, rules, seconds, billed, stored))
        warm += time_cost(job.warm_pool_billable_seconds, group.count, rate.nusd) if rate else 0
    if needs_storage and storage_rate is None:
        return _without_amounts(job, rates, "unpriced", seconds, billed)
    compute = sum(group.compute_nusd or 0 for group in groups)
    storage = sum(group.storage_nusd or 0 for group in groups)
    covered = [group.plan_covered_nusd for group in groups]
    known = [rate for rate in rates if rate]
    return CostBreakdown(
        basis=basis,
        seconds=seconds,
        billed_seconds=billed,
        groups=tuple(groups),
        compute_nusd=compute,
        warm_pool_nusd=warm,
        storage_nusd=storage,
        cost_nusd=compute + warm + storage,
        spot_savings_nusd=sum(group.spot_savings_nusd or 0 for group in groups) if job.capacity == "spot" else None,
        plan_covered_nusd=None if None in covered else sum(amount or 0 for amount in covered),
        effective_nusd=sum(group.effective_nusd or 0 for group in groups) + _discounted_warm(job, scope, rates, rules),
        list_rate_nusd=_list_rate(job, rates),
        price_source=_source(known),
        storage_price_source=storage_rate.source if needs_storage and storage_rate else None,
        predates_prices=any(rate.predates for rate in known),
    )


def _group_cost(
    job: TrainingJob,
    scope: Scope,
    instance_type: str,
    count: int,
    rate: Rate | None,
    rules: CostRules,
    seconds: int,
    billed: int,
    storage_nusd: int,
) -> GroupCost:
    if job.capacity == "plan":
        covered = time_cost(billed, count, rate.nusd) if rate else None
        return GroupCost(instance_type, count, rate and rate.nusd, 0, storage_nusd, None, covered, storage_nusd)
    assert rate is not None  # noqa: S101 - a job with a rate missing was called unpriced before
    compute = time_cost(billed, count, rate.nusd)
    savings = time_cost(seconds, count, rate.nusd) - compute if job.capacity == "spot" and job.billable_seconds is not None else None
    effective = _after_discount(compute, rules, scope, instance_type) + storage_nusd
    return GroupCost(instance_type, count, rate.nusd, compute, storage_nusd, savings, 0, effective)


def _after_discount(amount: int, rules: CostRules, scope: Scope, instance_type: str) -> int:
    percent = discount_percent(rules.discounts, scope.account, family(instance_type)) if rules.discounts else 0.0
    return amount if not percent else divided(amount * round((100 - percent) * 1000), 100_000)


def _discounted_warm(job: TrainingJob, scope: Scope, rates: Sequence[Rate | None], rules: CostRules) -> int:
    if not job.warm_pool_billable_seconds:
        return 0
    return sum(
        _after_discount(time_cost(job.warm_pool_billable_seconds, group.count, rate.nusd), rules, scope, group.instance_type)
        for group, rate in zip(job.cluster, rates, strict=True)
        if rate
    )


def _free(job: TrainingJob, rates: Sequence[Rate | None], basis: Basis) -> CostBreakdown:
    """A job that never started, or billed nothing: 0 is what it cost, with or without a price."""
    groups = tuple(
        GroupCost(group.instance_type, group.count, rate and rate.nusd, 0, 0, 0 if job.capacity == "spot" else None, 0, 0)
        for group, rate in zip(job.cluster, rates, strict=True)
    )
    known = [rate for rate in rates if rate]
    saved = 0 if job.capacity == "spot" else None
    return CostBreakdown(basis, 0, 0, groups, 0, 0, 0, 0, saved, 0, 0, _list_rate(job, rates), _source(known), None, predates_prices=False)


def _serverless(job: TrainingJob, rules: CostRules, basis: Basis) -> CostBreakdown:
    """Billed by tokens; unpriced until a token price is set. Source: DescribeTrainingJob$BillableTokenCount."""
    if rules.token_nusd_per_million is None or job.billable_tokens is None:
        return _without_amounts(job, [], "unpriced", job.training_seconds or 0, job.billable_seconds)
    cost = divided(job.billable_tokens * rules.token_nusd_per_million, 1_000_000)
    return CostBreakdown(
        basis, job.training_seconds or 0, job.billable_seconds, (), cost, 0, 0, cost, None, 0, cost, None, "override", None,
        predates_prices=False,
    )  # fmt: skip


def _without_amounts(
    job: TrainingJob, rates: Sequence[Rate | None], basis: Basis, seconds: int = 0, billed: int | None = None
) -> CostBreakdown:
    """A job whose money is not known, or not yet: its rates where we have them, and no amounts."""
    groups = (
        tuple(
            GroupCost(group.instance_type, group.count, rate and rate.nusd, None, None, None, None, None)
            for group, rate in zip(job.cluster, rates, strict=True)
        )
        if rates
        else ()
    )
    known = [rate for rate in rates if rate]
    return CostBreakdown(
        basis, seconds, billed, groups, None, None, None, None, None, None, None, _list_rate(job, rates), _source(known), None,
        predates_prices=any(rate.predates for rate in known),
    )  # fmt: skip


def _is_priced(job: TrainingJob, rates: Sequence[Rate | None]) -> bool:
    return job.capacity == "plan" or (bool(rates) and all(rate is not None for rate in rates))


def _list_rate(job: TrainingJob, rates: Sequence[Rate | None]) -> int | None:
    """The whole cluster's list price per hour; None when any part of it has none."""
    if not rates or any(rate is None for rate in rates):
        return None
    return sum(rate.nusd * group.count for group, rate in zip(job.cluster, rates, strict=True) if rate)


def _source(rates: Sequence[Rate]) -> PriceSource | None:
    """The weakest source that any part of the figure rests on, since that is what the reader must know."""
    for source in ("shipped", "override", "price_list"):
        for rate in rates:
            if rate.source == source:
                return rate.source
    return None
