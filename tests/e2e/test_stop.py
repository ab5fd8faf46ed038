"""A stop from the browser, all the way: clicked in Chromium, seen in the simulated account, followed to its end, in the audit log."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from storage.engine import reading
from storage.views.audit import audit_rows
from storage.views.findings import open_findings
from tests.e2e.live import Live, collected, live
from tests.e2e.proxy import forwarding

pytestmark = pytest.mark.browser
__all__ = ["collected", "live"]


def _dearest(live: Live, rule: str) -> str:
    with reading(live.engine) as connection:
        return next(row.job for row in open_findings(connection) if row.rule == rule)


def _open_dialog(page: Page, live: Live, name: str) -> None:
    page.goto(f"{live.url}/job?job={name}")
    page.get_by_role("button", name=re.compile("^.*Stop, ")).first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Burning now")


def test_one_confirmed_click_stops_exactly_that_job_and_it_is_followed_to_its_end(live: Live, page: Page) -> None:
    name = _dearest(live, "hung")
    before = {entry.plan.name: entry.status(live.clock.now()) for entry in live.aws._books.entries()}
    live.aws.calls.clear()
    page.goto(f"{live.url}/runaway")
    expect(page.get_by_test_id("stVerticalBlock").filter(has_text=name).last).to_contain_text("GPU flat at 100%")
    # The row of its link: a block that merely holds the name may, while the page is drawn, hold nothing but another job's button yet.
    row = page.get_by_test_id("stHorizontalBlock").filter(has=page.get_by_role("link", name=name)).last
    row.get_by_role("button", name=re.compile("Stop, ")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Stop {name}?")
    expect(dialog).to_contain_text("Work lost")
    expect(dialog).to_contain_text("Avoided, at most")
    dialog.get_by_label("Note for the owner").fill("GPUs spin since midnight")
    dialog.get_by_label("Note for the owner").press("Enter")
    dialog.get_by_role("button", name=re.compile("Stop job, end")).click()
    expect(dialog).to_contain_text("AWS was asked and stops it")
    assert live.status(name) == "Stopping"
    after = {entry.plan.name: entry.status(live.clock.now()) for entry in live.aws._books.entries()}
    assert {one for one in after if after[one] != before[one]} == {name}
    assert live.aws.calls["StopTrainingJob"] == 1
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.get_by_text(re.compile("Stopping, asked by")).first).to_be_visible()
    live.clock.advance(timedelta(minutes=5))
    live.collect()
    assert live.status(name) == "Stopped"
    page.goto(f"{live.url}/audit")
    expect(page.locator("h4").first).to_contain_text(f"stop {name}")
    with reading(live.engine) as connection:
        row = audit_rows(connection)[0]
    assert row.reason == "Hung: GPUs spin since midnight"
    assert row.outcome == "stopped: it is Stopped"
    assert [said.partition(":")[0] for _, said in row.events] == ["asked", "stopping", "stopped"]
    assert row.role == "admin"
    assert row.caller
    page.goto(f"{live.url}/runaway")
    expect(page.get_by_text("Findings", exact=True).first).to_be_visible()
    expect(page.get_by_text(name)).to_have_count(0)


def test_an_open_dialog_outlives_newer_data(live: Live, page: Page) -> None:
    name = _dearest(live, "idle_gpu")
    _open_dialog(page, live, name)
    page.get_by_role("dialog").get_by_label("Note for the owner").fill("half a sen")
    live.clock.advance(timedelta(minutes=1))
    live.collect()
    page.wait_for_timeout(4_000)  # four rounds in which the page looks for newer data
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.get_by_role("dialog").get_by_label("Note for the owner").input_value() == "half a sen"
    page.get_by_role("dialog").get_by_role("button", name="Keep running").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert live.status(name) == "InProgress"


def test_a_stop_that_aws_refuses_is_told_in_words_and_can_be_tried_again(live: Live, page: Page) -> None:
    name = _dearest(live, "idle_gpu")
    live.aws.faults.deny("StopTrainingJob")
    _open_dialog(page, live, name)
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Stop job")).click()
    expect(page.get_by_role("dialog")).to_contain_text("sagemaker:StopTrainingJob is denied")
    assert live.status(name) == "InProgress"
    live.aws.faults.clear()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    _open_dialog(page, live, name)
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Stop job")).click()
    expect(page.get_by_role("dialog")).to_contain_text("AWS was asked and stops it")
    assert live.status(name) == "Stopping"


def test_two_browsers_that_confirm_the_same_stop_ask_aws_once(live: Live, browser: Browser, page: Page) -> None:
    name = _dearest(live, "idle_gpu")
    other = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    live.aws.calls.clear()
    for one in (page, other):
        _open_dialog(one, live, name)
    for one in (page, other):
        one.get_by_role("dialog").get_by_role("button", name=re.compile("Stop job")).click()
    came_first, came_second = "AWS was asked and stops it", r"asked at \d\d:\d\d UTC already"
    for one in (page, other):  # either may be the first
        expect(one.get_by_role("dialog")).to_contain_text(re.compile(f"{came_first}|{came_second}"))
    said = [one.get_by_role("dialog").inner_text() for one in (page, other)]
    assert sum(came_first in words for words in said) == 1
    assert sum(re.search(came_second, words) is not None for words in said) == 1
    assert live.aws.calls["StopTrainingJob"] == 1
    assert live.status(name) == "Stopping"
    other.context.close()


def test_who_comes_through_a_proxy_without_sign_in_sees_and_cannot_stop(live: Live, page: Page) -> None:
    with forwarding(live.url) as proxied:
        page.goto(f"{proxied}/job?job={_dearest(live, 'idle_gpu')}")
        button = page.get_by_role("button", name=re.compile("Stop, ")).first
        expect(button).to_be_visible()
        expect(button).to_be_disabled()
