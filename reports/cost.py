"""The cost report: `trainwatch cost`, in the shape that scripts build on."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.period import Period
from reports.figures import dollars, hours, moment
from storage.engine import Connection
from storage.views.collection import data_as_of
from storage.views.spend import Spend, spend_by, total_spend

SPEND_COLUMNS = (
    "jobs", "instance_hours", "compute_usd", "warm_pool_usd", "storage_usd", "cost_usd", "accruing_usd", "spot_savings_usd",
    "plan_covered_usd", "effective_usd", "unpriced_jobs",
)  # fmt: skip


def cost_report(connection: Connection, by: Sequence[str], period: Period, teams: Sequence[str] | None = None) -> dict[str, Any]:
    """Spending by the dimensions, dearest row first (in order of days or months where asked by those), and in total."""
    found = spend_by(connection, by, period, teams)
    rows = [dict(zip(by, map(_named, key), strict=True)) | spend_figures(spend) for key, spend in found.items()]
    by_time = [name for name in by if name in ("day", "month")]
    rows.sort(key=lambda row: (*(row[name] for name in by_time), -_worth(row), *(str(row[name]) for name in by)))
    return {
        "from": period.start.isoformat(),
        "to": period.end.isoformat(),
        "by": list(by),
        "currency": "USD",
        "as_of": moment(data_as_of(connection)),
        "rows": rows,
        "total": spend_figures(total_spend(connection, period, teams)),
    }


def spend_figures(spend: Spend) -> dict[str, Any]:
    """The figures of one row. Where no job of it has a price, its money is not known and null."""
    known = spend.jobs == 0 or spend.unpriced_jobs < spend.jobs
    money = {
        "compute_usd": spend.compute_nusd,
        "warm_pool_usd": spend.warm_pool_nusd,
        "storage_usd": spend.storage_nusd,
        "cost_usd": spend.cost_nusd,
        "accruing_usd": spend.accruing_nusd,
        "spot_savings_usd": spend.spot_savings_nusd,
        "plan_covered_usd": spend.plan_covered_nusd,
        "effective_usd": spend.effective_nusd,
    }
    figures: dict[str, Any] = {"jobs": spend.jobs, "instance_hours": hours(spend.instance_seconds)}
    figures |= {name: dollars(amount) if known else None for name, amount in money.items()}
    return figures | {"unpriced_jobs": spend.unpriced_jobs}


def _named(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value or None


def _worth(row: dict[str, Any]) -> float:
    return (row["cost_usd"] or 0) + (row["accruing_usd"] or 0)
