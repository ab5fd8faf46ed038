"""Findings as data: `trainwatch runaway`, in the shape that scripts build on."""

from datetime import datetime
from typing import Any

from reports.figures import dollars, moment
from storage.views.findings import FindingRow

RUNAWAY_COLUMNS = (
    "severity", "rule", "job", "team", "since", "burn_usd_per_hour", "wasted_usd", "accruing_usd", "projected_usd", "evidence", "advice",
    "acknowledged_until", "account", "region", "created",
)  # fmt: skip
RUNAWAY_TABLE = ("severity", "rule", "job", "team", "since", "burn_usd_per_hour", "wasted_usd", "projected_usd", "evidence")


def finding_data(row: FindingRow, now: datetime) -> dict[str, Any]:
    """One open finding; `acknowledged_until` is null unless somebody has put it aside and that still holds."""
    quiet = row.is_quiet(now)
    return {
        "job": row.job,
        "account": row.account,
        "region": row.region,
        "created": moment(row.created_at),
        "team": row.team,
        "rule": row.rule,
        "severity": row.severity,
        "since": moment(row.since),
        "evidence": row.evidence,
        "accruing_usd": dollars(row.accruing_nusd),
        "burn_usd_per_hour": dollars(row.burn_nusd_per_hour),
        "wasted_usd": dollars(row.wasted_nusd),
        "projected_usd": dollars(row.projected_nusd),
        "advice": row.advice,
        "acknowledged_until": moment(row.quiet_until) if quiet else None,
        "acknowledged_by": row.quiet_by if quiet else None,
        "acknowledged_because": row.quiet_reason if quiet else None,
        "judged": moment(row.judged_at),
    }
