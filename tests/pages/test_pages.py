"""Every page against an empty database, a full one, a failing collector and a failing read: words, never a traceback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from storage import migrate
from storage.engine import open_engine, reading
from storage.views import joblist
from tests.filled import DENIED, fill, settings_text
from ui import reads

ROOT = Path(__file__).parents[2]
PAGES = {
    "overview": "Are we all right?",
    "team_cost": "What did each team spend, on what?",
    "jobs": "Find any job",
    "job": "",
    "collectors": "Can I trust what I see?",
}
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Settings files of an empty database, a full one, and one whose last run failed."""
    folder = tmp_path_factory.mktemp("pages")
    files = {}
    for name in ("empty", "full", "failing"):
        url = f"sqlite:///{folder / name}.db"
        if name == "empty":
            migrate.upgrade(open_engine(url))
        else:
            fill(url, jobs=200, failing=name == "failing")
        files[name] = folder / f"{name}.toml"
        files[name].write_text(settings_text(url))
    return files


@pytest.fixture
def open_page(databases: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Runs a page on one of the databases."""

    def opened(page: str, database: str, /, **query: str) -> AppTest:
        monkeypatch.setenv("TRAINWATCH_CONFIG", str(databases[database]))
        st.cache_data.clear()
        st.cache_resource.clear()
        test = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=30)
        for name, value in query.items():
            test.query_params[name] = value
        return test.run()

    yield opened
    st.cache_data.clear()
    st.cache_resource.clear()


def words(test: AppTest) -> str:
    """All the text on the page."""
    return "\n".join(
        str(element.value) for kind in (test.title, test.markdown, test.caption, test.subheader, test.error) for element in kind
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("database", ["empty", "full", "failing"])
def test_a_page_shows_its_question_and_an_answer(open_page: Open, page: str, database: str) -> None:
    test = open_page(page, database)
    assert not test.exception
    assert PAGES[page] in words(test)
    assert "Traceback" not in words(test)
    assert "could not be read" not in words(test)
    assert any(str(element.value).startswith("#### ") for element in test.markdown)


@pytest.mark.parametrize("page", ["overview", "team_cost", "jobs", "collectors"])
def test_an_empty_database_says_what_would_be_here_and_the_next_step(open_page: Open, page: str) -> None:
    assert "trainwatch collect --once" in words(open_page(page, "empty"))


def test_overview_labels_money_as_billed_or_accruing(open_page: Open) -> None:
    test = open_page("overview", "full")
    labels = [metric.label for metric in test.metric]
    assert labels == ["Burn now", "Month to date", "Month-end forecast", "Saved by spot", "Running jobs"]
    assert "accruing" in str(test.metric[1].delta)


def test_a_team_in_the_address_changes_what_overview_adds_up(open_page: Open) -> None:
    all_teams, one = open_page("overview", "full"), open_page("overview", "full", team="rc")
    assert all_teams.metric[1].value != one.metric[1].value


def test_team_cost_lists_teams_and_the_treemap_adds_up(open_page: Open) -> None:
    test = open_page("team_cost", "full", period="14 days")
    assert not test.exception
    assert "billed 14 days" in words(test)
    assert len(test.dataframe[0].value) >= 5


def test_a_period_without_jobs_says_so(open_page: Open) -> None:
    test = open_page("team_cost", "full", period="Custom", **{"from": "2020-01-01", "to": "2020-01-05"})
    assert "No job ran in this period" in words(test)


def test_jobs_are_filtered_by_the_address(open_page: Open) -> None:
    test = open_page("jobs", "full", team="rc", name="fraud", created_in="All time")
    assert all("fraud" in name for name in test.dataframe[0].value["job"])
    assert "No job fits" in words(open_page("jobs", "full", name="no-such-thing"))


def test_a_page_number_beyond_the_last_shows_the_last(open_page: Open) -> None:
    assert len(open_page("jobs", "full", page="999", created_in="All time").dataframe[0].value) > 0
    assert not open_page("jobs", "full", page="x").exception


def test_every_kind_of_job_has_a_page(open_page: Open, databases: dict[str, Path]) -> None:
    open_page("jobs", "full")
    with reading(reads.engine()) as connection:
        details = list(joblist.each_job(connection, joblist.JobFilter()))
    kinds = {(one.row.capacity, one.row.basis, one.row.status, bool(one.oddities)): one.row for one in details}
    assert len(kinds) > 8
    for row in kinds.values():
        test = open_page(
            "job", "full", job=row.name, account=row.account, region=row.region, created=f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"
        )
        assert not test.exception, row.name
        assert "could not be read" not in words(test), row.name
        assert len(test.metric) == 4


def test_a_job_that_is_not_there_says_so(open_page: Open) -> None:
    assert "No such job" in words(open_page("job", "full", job="<b>nope</b>"))


def test_a_failing_collector_is_named_with_its_permission(open_page: Open) -> None:
    said = words(open_page("collectors", "failing"))
    assert "Not all of it" in said
    assert "sagemaker\\:Search" in said
    assert "failed" in DENIED or "denied" in DENIED


def test_a_panel_that_fails_takes_nothing_else_with_it(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("ui.figures.stacked_days_figure", broken)
    test = open_page("overview", "full")
    assert not test.exception
    assert "could not be read" in words(test)
    assert "disk is gone" not in words(test)
    assert len(test.metric) == 5
