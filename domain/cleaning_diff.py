"""What is different between two plans to clean, prefix by prefix, and why what is no longer in the plan is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.cleaning_facts import CleanItem, Kept

Change = Literal["new", "grown", "shrunk", "gone"]


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A prefix that another plan had otherwise: `objects` and `bytes` are what there is more of now, less where negative."""

    what: Change
    bucket: str
    prefix: str
    kind: str
    team: str
    objects: int
    bytes: int
    why: str


def plan_changes(now: Sequence[CleanItem], before: Sequence[CleanItem], kept: Sequence[Kept], applied: Sequence[int]) -> list[ItemChange]:
    """What is new, grown, shrunk and gone since the plan before, the largest change first. `kept` is what the plan of now keeps.

    `applied` are the plans that were carried out since, so that what is gone may be gone by them.
    """
    earlier = {_place(item): item for item in before}
    later = {_place(item): item for item in now}
    reasons = {(one.bucket, one.prefix): one.why for one in kept}
    found = [_changed(item, earlier.get(place)) for place, item in later.items()]
    unless_kept = _in_words(applied)
    found += [_gone(item, reasons, unless_kept) for place, item in earlier.items() if place not in later]
    return sorted((one for one in found if one is not None), key=lambda one: (-abs(one.bytes), one.bucket, one.prefix))


def _place(item: CleanItem) -> tuple[str, str, str]:
    return item.bucket, item.prefix, item.kind


def _changed(item: CleanItem, before: CleanItem | None) -> ItemChange | None:
    if before is None:
        return _of(item, "new", item.objects, item.bytes, item.why)
    objects, size = item.objects - before.objects, item.bytes - before.bytes
    if not objects and not size:
        return None
    return _of(item, "grown" if (size, objects) > (0, 0) else "shrunk", objects, size, "")


def _gone(item: CleanItem, reasons: dict[tuple[str, str], str], unless_kept: str) -> ItemChange:
    why = reasons.get((item.bucket, item.prefix)) or unless_kept
    return _of(item, "gone", -item.objects, -item.bytes, why)


def _in_words(applied: Sequence[int]) -> str:
    if not applied:
        return "it was not found again"
    return f"plan {applied[0]} was applied" if len(applied) == 1 else f"plans {', '.join(map(str, applied))} were applied"


def _of(item: CleanItem, what: Change, objects: int, size: int, why: str) -> ItemChange:
    return ItemChange(what, item.bucket, item.prefix, item.kind, item.team, objects, size, why)
