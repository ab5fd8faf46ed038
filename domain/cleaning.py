"""What may be thrown away, and what never: decided here, on facts alone, and again for each key right before it goes.

The rules stand in `cleaning_rules`, the facts in `cleaning_facts`. For many keys under the same facts make one `CleanIndex` of
them, and one `CleanRules` for each batch: `keep_reason` orders all facts anew for a single key.
"""

import re
from datetime import datetime
from decimal import Decimal

from domain.access import Refusal
from domain.cleaning_facts import CleanFacts, CleanItem, CleanJob, CleanPlan, Kept
from domain.cleaning_index import CleanIndex
from domain.cleaning_paths import folder
from domain.cleaning_rules import CleanRules, owners_in_words
from domain.leftovers import Leftover, Versioning

__all__ = [
    "CleanFacts", "CleanIndex", "CleanItem", "CleanJob", "CleanPlan", "CleanRules", "Kept", "keep_reason", "parse_bytes", "plan_clean",
    "within_limits",
]  # fmt: skip

_UNDO: dict[Versioning, str] = {
    "enabled": "can be undone while old versions are kept",
    "suspended": "cannot be undone: the bucket's versioning is suspended",
    "off": "cannot be undone: the bucket keeps no versions",
    "unknown": "nobody could tell whether it can be undone",
}
_SIZE = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*")
_UNITS = {"": 1, "b": 1} | {f"{letter}b": 1000**power for power, letter in enumerate("kmgtpe", 1)}
_UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgtpe", 1)}


def plan_clean(facts: CleanFacts, min_age_days: int, now: datetime, teams: frozenset[str] = frozenset()) -> CleanPlan:
    """What may go of what was left over, and everything that stays with the first reason why.

    With `teams` it is of their leftovers alone, and what belongs to others too stays. Raises ValueError for a least age below a day.
    """
    index = CleanIndex(facts)
    rules = CleanRules(index, min_age_days, now, teams)
    items, kept = [], []
    for leftover in facts.leftovers:
        if not rules.is_asked_for(leftover.team):
            continue
        reason = rules.leftover_reason(leftover)
        if reason is None:
            items.append(_item(leftover, index))
        else:
            kept.append(Kept(leftover.bucket, leftover.prefix, leftover.job, reason))
    return CleanPlan(tuple(items), tuple(kept))


def _item(leftover: Leftover, index: CleanIndex) -> CleanItem:
    """The prefix ends with a slash, so that no listing of it ever holds `job-10` beside `job-1`."""
    owners, versioning = index.owners(leftover), index.facts.buckets[leftover.bucket].versioning
    newest = f"; nothing newer than {leftover.newest_at:%Y-%m-%d}" if leftover.newest_at else ""
    undo = "an aborted upload cannot be undone" if leftover.kind == "uploads" else _UNDO[versioning]
    return CleanItem(
        bucket=leftover.bucket,
        prefix=folder(leftover.prefix),
        kind=leftover.kind,
        job=leftover.job or owners[-1].name,
        team=leftover.team,
        account=leftover.account,
        region=leftover.region,
        owners=tuple(job.identity for job in owners),
        objects=leftover.objects,
        bytes=leftover.bytes,
        why=f"{owners_in_words(owners)}{newest}; {undo}",
        versioning=versioning,
        teams=tuple(sorted({leftover.team, *(job.team for job in owners)})),
    )


def keep_reason(
    bucket: str, key: str, modified_at: datetime, facts: CleanFacts, min_age_days: int, now: datetime, item: CleanItem | None
) -> str | None:
    """Why an object (or the unfinished upload of one) must stay, in words; None when it may go.

    Everything is derived from the facts anew. With an item the object also has to be of that very item, and the item's owners
    exactly those that are certain now. Raises ValueError for a least age below a day.
    """
    return CleanRules(CleanIndex(facts), min_age_days, now).keep_reason(bucket, key, modified_at, item)


def within_limits(objects: int, bytes: int, max_objects: int, max_bytes: int) -> Refusal | None:
    """Why so much is not deleted at once; None when it may be."""
    if objects > max_objects:
        why = f"{objects:,} objects are more than the {max_objects:,} of one apply; plan for fewer teams, or raise [clean] max_objects"
        return Refusal("too_many_objects", why)
    if bytes > max_bytes:
        why = f"{_size(bytes)} are more than the {_size(max_bytes)} of one apply; plan for fewer teams, or raise [clean] max_bytes"
        return Refusal("too_many_bytes", why)
    return None


def _size(count: int) -> str:
    """Bytes in the largest unit of a thousand that leaves a whole one."""
    power = min(6, (len(str(count)) - 1) // 3)
    return f"{count:,} bytes" if power == 0 else f"{Decimal(count) / 1000**power:,.1f} {'kMGTPE'[power - 1]}B"


def parse_bytes(text: str) -> int:
    """Bytes of a size such as `50 TB`, `1.5 GiB` or `1_000_000`: thousands for kB and MB, 1 024s for KiB and MiB, any case of letters.

    Raises ValueError, in words, for anything else.
    """
    found = _SIZE.fullmatch(text)
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError("not a size: write a number and a unit, such as 50 TB, 1.5 GiB or 1000000")
    count = Decimal(found[1].replace("_", "")) * unit
    if count != int(count):
        raise ValueError("not a whole number of bytes")
    return int(count)
