"""Plans to clean as data: `trainwatch clean`, in the shapes that scripts build on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from domain.cleaning_diff import ItemChange
from domain.leftovers import StoredObject
from domain.money import known_sum
from reports.figures import dollars, moment
from storage.cleaning import PlanHead, PlannedItem, PlannedObject, Tally

ITEM_COLUMNS = ("bucket", "prefix", "job", "team", "kind", "objects", "bytes", "usd_per_month", "why", "versioning", "account", "region")
ITEM_TABLE = ("team", "kind", "bucket", "prefix", "objects", "bytes", "usd_per_month")
CHANGE_COLUMNS = ("what", "team", "kind", "bucket", "prefix", "objects", "bytes", "why")
OBJECT_COLUMNS = ("bucket", "key", "bytes", "modified", "etag", "state", "why")


Since = tuple[PlanHead, list[ItemChange]] | None


def plan_data(head: PlanHead, items: Sequence[PlannedItem], found: Mapping[str, Tally], since: Since) -> dict[str, Any]:
    """A plan with its items and everything that is kept, with the reason; `states` says how many objects are in which state.

    `since` is what is different from the plan before for the same teams, null for the first: what is gone counts as negative.
    """
    return {
        "plan_id": head.plan_id,
        "created": moment(head.created_at),
        "by": head.by,
        "teams": list(head.teams),
        "min_age_days": head.min_age_days,
        "mode": head.mode,
        "state": head.state,
        "objects_forgotten": moment(head.forgotten_at),
        "items": [item_data(one) for one in items],
        "kept": [{"bucket": one.bucket, "prefix": one.prefix, "job": one.job, "why": one.why} for one in head.kept],
        "total": {
            "objects": sum(one.item.objects for one in items),
            "bytes": sum(one.item.bytes for one in items),
            "usd_per_month": dollars(known_sum(one.nusd_per_month for one in items)),
        },
        "states": {state: tally.objects for state, tally in found.items()},
        "since": None if since is None else {"plan_id": since[0].plan_id, "changes": [asdict(one) for one in since[1]]},
    }


def item_data(planned: PlannedItem) -> dict[str, Any]:
    """One prefix that may go; `usd_per_month` is what keeping it costs, null where no price is known.

    In a versioned bucket the saving starts when noncurrent versions expire.
    """
    item = planned.item
    return {
        "bucket": item.bucket,
        "prefix": item.prefix,
        "job": item.job,
        "team": item.team,
        "account": item.account,
        "region": item.region,
        "kind": item.kind,
        "objects": item.objects,
        "bytes": item.bytes,
        "usd_per_month": dollars(planned.nusd_per_month),
        "why": item.why,
        "versioning": item.versioning,
    }


def object_data(bucket: str, one: PlannedObject) -> dict[str, Any]:
    """One object of a plan with what became of it."""
    stored: StoredObject = one.stored
    return {
        "bucket": bucket,
        "key": stored.key,
        "bytes": stored.bytes,
        "modified": moment(stored.modified_at),
        "etag": stored.etag,
        "state": one.state,
        "why": one.why,
    }
