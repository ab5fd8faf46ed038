"""In a real browser, against the real server: addresses, reloads, clicks and downloads."""

import csv
import io
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.databases import migrated
from tests.e2e.conftest import PATIENCE, serve
from tests.filled import fill

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a full database."""
    folder = tmp_path_factory.mktemp("full")
    fill(f"sqlite:///{folder / 'x.db'}", jobs=300)
    yield from serve(folder, f"sqlite:///{folder / 'x.db'}")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[str]:
    """A server that nobody has visited yet, on a full database."""
    fill(f"sqlite:///{tmp_path / 'x.db'}", jobs=100)
    yield from serve(tmp_path, f"sqlite:///{tmp_path / 'x.db'}")


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[str]:
    """A server on a database whose last run failed."""
    fill(f"sqlite:///{tmp_path / 'x.db'}", jobs=100, failing=True)
    yield from serve(tmp_path, f"sqlite:///{tmp_path / 'x.db'}")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[str]:
    """A server on an empty database."""
    migrated(f"sqlite:///{tmp_path / 'x.db'}").dispose()
    yield from serve(tmp_path, f"sqlite:///{tmp_path / 'x.db'}")


def test_the_first_deep_link_on_a_fresh_server_comes_with_the_frame(fresh: str, page: Page) -> None:
    page.goto(f"{fresh}/team-cost?period=Last+week")
    expect(page.get_by_role("heading", name="What did each team spend, on what?")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("Collectors")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("Simulated data").first).to_be_visible()


def test_period_and_team_in_the_address_survive_a_reload(full: str, page: Page) -> None:
    page.goto(f"{full}/team-cost")
    lead = page.locator("h4").first
    page.get_by_role("radiogroup", name="Period").get_by_role("radio", name="14 days").click()
    expect(lead).to_contain_text("14 days")
    of_all_teams = lead.inner_text()
    # By its toolbar: on days when rc explains the difference, the sentence above has its name too.
    page.get_by_role("toolbar", name="Teams").get_by_role("button", name="rc", exact=True).click()
    expect(page).to_have_url(re.compile(r"period=14(\+|%20)days"))
    expect(page).to_have_url(re.compile(r"team=rc"))
    expect(lead).not_to_have_text(of_all_teams)  # the address is set before the page is drawn anew
    expect(lead).to_contain_text("14 days")
    before = lead.inner_text()
    page.reload()
    expect(lead).to_have_text(before)
    assert "team=rc" in page.url


def test_a_click_in_the_table_opens_the_job_and_back_returns(full: str, page: Page) -> None:
    page.goto(f"{full}/jobs")
    expect(page.get_by_role("heading", name="Find any job")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    for _ in range(20):  # the table draws on a canvas, which has no element to wait for
        page.wait_for_timeout(1500)
        box = table.bounding_box()
        if "/job?job=" in page.url or box is None:
            break
        page.mouse.click(box["x"] + 60, box["y"] + 48)
    expect(page).to_have_url(re.compile(r"/job\?job="))
    expect(page.get_by_text("Where the money went")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Find any job")).to_be_visible()


def test_a_job_link_opens_the_job_on_a_new_visit(full: str, page: Page) -> None:
    page.goto(f"{full}/job?job=no-such-job")
    expect(page.get_by_text("No such job")).to_be_visible()


def test_the_csv_download_has_every_job_of_the_list(full: str, page: Page) -> None:
    page.goto(f"{full}/jobs?created_in=All+time&team=rc")
    expect(page.locator("h4").first).to_contain_text("of all time")
    shown = int(re.sub(r"\D", "", page.locator("h4").first.inner_text().split("job")[0]))
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == shown > 10
    assert {row["team"] for row in rows} == {"rc"}
    assert all(not row["name"].startswith(("=", "+", "@")) for row in rows)


def test_the_team_cost_download_adds_up_to_the_page(full: str, page: Page) -> None:
    page.goto(f"{full}/team-cost?period=Last+month")
    expect(page.locator("h4").first).to_contain_text("billed last month")
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert sum(float(row["billed_usd"] or 0) for row in rows) > 0


def test_an_empty_database_tells_the_next_step(empty: str, page: Page) -> None:
    page.goto(empty)
    expect(page.get_by_text("trainwatch collect --once")).to_be_visible()
    assert "Traceback" not in page.content()


def test_a_failing_collector_is_seen_on_every_page_with_its_reason(failing: str, page: Page) -> None:
    page.goto(f"{failing}/overview")
    expect(page.get_by_text(re.compile("Failed; data of")).first).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_text("Collectors").click()
    expect(page.get_by_text("add sagemaker:Search to").first).to_be_visible()


def test_a_phone_shows_the_page_without_scrolling_sideways(full: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{full}/team-cost")
    expect(page.get_by_role("heading", name="What did each team spend, on what?")).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    context.close()


def test_teams_that_came_with_the_address_go_along_to_other_pages(full: str, page: Page) -> None:
    page.goto(f"{full}/jobs?team=rc&team=nlp")
    expect(page.get_by_role("heading", name="Find any job")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_text("Team cost").click()
    expect(page.get_by_role("heading", name="What did each team spend, on what?")).to_be_visible()
    expect(page).to_have_url(re.compile(r"team-cost\?team=rc&team=nlp"))
    page.get_by_test_id("stSidebar").get_by_text("Overview").click()
    expect(page.get_by_role("heading", name="Are we all right?")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?team=rc&team=nlp"))


def test_a_filter_goes_back_to_the_first_page_of_the_list(full: str, page: Page) -> None:
    page.goto(f"{full}/jobs?created_in=All+time&page=3")
    expect(page.locator("h4").first).to_contain_text("of all time")
    page.get_by_label("Name").fill("fraud")
    page.get_by_label("Name").press("Enter")
    expect(page.locator("h4").first).to_contain_text("fraud")
    expect(page).not_to_have_url(re.compile("page="))
    expect(page).to_have_url(re.compile("name=fraud"))


def test_a_page_draws_itself_anew_when_there_is_newer_data(tmp_path: Path, page: Page) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    migrated(url).dispose()
    for served in serve(tmp_path, url):
        page.goto(served)
        expect(page.get_by_text("Nothing has been collected yet")).to_be_visible()
        fill(url, jobs=60)
        expect(page.get_by_text("Month-end forecast")).to_be_visible(timeout=60_000)


HOSTILE = (
    "<img src=x onerror=alert(1)> **bold** [link](javascript:alert(1)) :red[x] https://evil.example/x www.evil.example "
    "ftp://evil.example mallory@evil.example"
)


def test_hostile_text_is_shown_and_never_run(tmp_path: Path, page: Page) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    fill(url, jobs=60, text=HOSTILE)
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    for served in serve(tmp_path, url):
        for path, question in (
            ("", "Are we all right?"),
            ("/team-cost", "What did each team spend"),
            ("/jobs", "Find any job"),
            ("/runaway", "What do I stop?"),
        ):
            page.goto(f"{served}{path}")
            expect(page.get_by_role("heading", name=question)).to_be_visible()
            page.wait_for_timeout(1500)
            assert page.locator("img[src='x']").count() == 0
            assert page.locator("a[href^='javascript']").count() == 0
            assert page.locator("a[href*='evil']").count() == 0
    assert said == []


def test_nothing_is_asked_of_any_other_machine(full: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{full}/team-cost")
    expect(page.get_by_role("heading", name="What did each team spend, on what?")).to_be_visible()
    page.wait_for_timeout(1500)
    assert [url for url in asked if not url.startswith((full, full.replace("http", "ws"), "data:", "blob:"))] == []
    assert any("inter-tabular.woff2" in url for url in asked)


def test_metrics_are_served_as_prometheus_reads_them(full: str) -> None:
    with urllib.request.urlopen(f"{full}/metrics", timeout=5) as answer:  # noqa: S310 - our own server
        text = answer.read().decode()
    assert re.search(r'trainwatch_data_age_seconds\{account="123456789012",region="us-east-1",collector="jobs"\} \d+', text)
    assert re.search(r"^trainwatch_live_jobs \d+$", text, re.MULTILINE)
    assert re.search(r"^trainwatch_data_version \d+$", text, re.MULTILINE)
