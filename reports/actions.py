"""Stops and the audit log as data: `trainwatch stop` and `trainwatch audit`, in the shapes that scripts build on."""

from typing import Any

from domain.stopping import StopPlan, StopTarget
from reports.figures import dollars, moment
from storage.views.audit import AuditRow

AUDIT_COLUMNS = ("id", "at", "by", "role", "action", "target", "team", "reason", "outcome", "account", "region", "via", "caller")
AUDIT_TABLE = ("id", "at", "by", "action", "target", "reason", "outcome")
STOP_COLUMNS = (
    "job", "account", "region", "arn", "before", "after", "outcome", "by", "reason", "audit_id", "work_lost_usd", "avoided_usd", "words",
)  # fmt: skip


def stop_data(target: StopTarget, plan: StopPlan, result: dict[str, Any]) -> dict[str, Any]:
    """One stop, planned or done: `result` has before, after, outcome, words and audit_id, null where nothing was done yet.

    `avoided_usd` is an upper bound: the rate times what is left of the time limit.
    """
    return {
        "job": target.name,
        "account": target.account,
        "region": target.region,
        "arn": target.arn,
        "created": moment(target.created_at),
        "team": target.team,
        "before": result.get("before"),
        "after": result.get("after"),
        "outcome": result.get("outcome"),
        "words": result.get("words"),
        "by": plan.person.name,
        "reason": plan.reason,
        "audit_id": result.get("audit_id"),
        "burn_usd_per_hour": dollars(target.burn_nusd),
        "accruing_usd": dollars(target.accruing_nusd),
        "work_lost_usd": dollars(target.work_lost_nusd),
        "avoided_usd": dollars(target.avoided_nusd),
        "consequences": [words for words in plan.consequences if target.name in words],
        "warnings": list(plan.warnings),
    }


def audit_data(row: AuditRow) -> dict[str, Any]:
    """One action with what came of it."""
    return {
        "id": row.audit_id,
        "at": moment(row.at),
        "by": row.by,
        "via": row.via,
        "role": row.role,
        "caller": row.caller,
        "action": row.action,
        "target": row.target,
        "account": row.account,
        "region": row.region,
        "team": row.team,
        "reason": row.reason,
        "outcome": row.outcome,
        "before": row.before,
        "after": row.after,
        "events": [{"at": moment(at), "outcome": outcome} for at, outcome in row.events],
    }
