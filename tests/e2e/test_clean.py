"""A clean from the browser, all the way: planned, reviewed, applied, S3 changed exactly so, and in the audit log."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from storage.cleaning import PlanHead, PlannedItem, plan_heads, plan_items, plan_objects
from storage.engine import reading
from storage.views.audit import audit_rows
from tests.e2e.live import Live, collected, live

pytestmark = pytest.mark.browser
__all__ = ["collected", "live"]


def _keys(_: Live) -> dict[tuple[str, str], str]:
    """Every object of every bucket that can be listed, with its ETag."""
    from moto.s3.models import FakeDeleteMarker, s3_backends

    accounts = [account["global"] if "global" in account else account["aws"] for account in s3_backends.values()]
    stored = [(name, key, one) for backend in accounts for name, bucket in backend.buckets.items() for key, one in bucket.keys.items()]
    return {(name, key): one.etag for name, key, one in stored if not isinstance(one, FakeDeleteMarker)}


def _planned(page: Page, live: Live, team: str) -> tuple[PlanHead, list[PlannedItem]]:
    """A plan of a team's leftovers, made in the browser."""
    page.goto(f"{live.url}/clean?team={team}")
    page.get_by_role("button", name=re.compile("Make a plan")).click()
    page.get_by_role("button", name="Make it", exact=True).click()
    expect(page.get_by_text(re.compile("would delete"))).to_be_visible(timeout=90_000)
    with reading(live.engine) as connection:
        head = plan_heads(connection)[0]
        return head, plan_items(connection, head.plan_id)


def _keys_of(live: Live, head: PlanHead, items: Sequence[PlannedItem]) -> set[tuple[str, str]]:
    """The objects of items of a plan."""
    with reading(live.engine) as connection:
        return {
            (one.item.bucket, row.stored.key)
            for one in items
            if one.item.kind != "uploads"
            for row in plan_objects(connection, head.plan_id, one.number, None, limit=1_000_000)
        }


def test_a_plan_is_made_reviewed_and_applied_and_takes_exactly_what_it_said(live: Live, page: Page) -> None:
    head, items = _planned(page, live, "nlp")
    planned = _keys_of(live, head, items)
    assert {one.item.team for one in items} == {"nlp"}
    assert planned
    before = _keys(live)
    assert planned <= set(before)
    expect(page.get_by_text("Kept", exact=True).first).to_be_visible()
    page.get_by_role("button", name=re.compile("Delete .* objects")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Every rule is checked again")
    dialog.get_by_label("Why", exact=True).fill("the quarter ends")
    sure = dialog.get_by_label(f"Type {head.plan_id} to confirm")
    expect(dialog.get_by_role("button", name=re.compile("Apply the plan"))).to_be_disabled()
    sure.fill(str(head.plan_id))
    sure.press("Enter")
    dialog.get_by_role("button", name=re.compile("Apply the plan")).click()
    expect(dialog).to_contain_text(re.compile("[0-9] deleted, "), timeout=90_000)
    expect(dialog).to_contain_text("0 skipped, 0 failed")
    after = _keys(live)
    assert set(before) - set(after) == planned
    assert all(after[one] == before[one] for one in after if one in before)
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    with reading(live.engine) as connection:
        row = audit_rows(connection)[0]
    assert (row.reason, [said.partition(":")[0] for _, said in row.events]) == ("the quarter ends", ["asked", "applied"])
    page.goto(f"{live.url}/audit")
    expect(page.locator("h4").first).to_contain_text(f"clean plan {head.plan_id}")


def test_a_plan_is_undone_in_the_browser_as_far_as_buckets_keep_versions(live: Live, page: Page) -> None:
    head, items = _planned(page, live, "vision")
    before = _keys(live)
    kept_versions = _keys_of(live, head, [one for one in items if one.item.versioning == "enabled"])
    assert kept_versions
    page.get_by_role("button", name=re.compile("Delete .* objects")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why", exact=True).fill("the quarter ends")
    sure = dialog.get_by_label(f"Type {head.plan_id} to confirm")
    sure.fill(str(head.plan_id))
    sure.press("Enter")
    dialog.get_by_role("button", name=re.compile("Apply the plan")).click()
    expect(dialog).to_contain_text(re.compile("[0-9] deleted, "), timeout=90_000)
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    gone = set(before) - set(_keys(live))
    assert gone >= kept_versions
    page.get_by_role("button", name="Undo", exact=True).click()
    why = dialog.get_by_label("Why", exact=True)
    why.fill("it was the wrong team")
    why.press("Enter")
    dialog.get_by_role("button", name="Undo the plan").click()
    expect(dialog).to_contain_text(f"{len(kept_versions):,} objects are back", timeout=90_000)
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    assert set(before) - set(_keys(live)) == gone - kept_versions
    expect(page.get_by_text(re.compile(f"{len(kept_versions):,} undone"))).to_be_visible()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_have_count(0)
    with reading(live.engine) as connection:
        row = audit_rows(connection)[0]
    assert (row.action, [said.partition(":")[0] for _, said in row.events]) == ("undo", ["asked", "undone"])
