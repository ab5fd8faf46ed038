"""Every page against an empty database, a full one, a failing collector and a failing read: words, never a traceback."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from actions.quieting import put_aside
from actions.stopping import refuse
from domain.access import Person, Refusal
from storage.engine import reading
from storage.views import findings, joblist
from tests.databases import migrated
from tests.filled import DENIED, fill, settings_text
from ui import reads

ROOT = Path(__file__).parents[2]
PAGES = {
    "overview": "Are we all right?",
    "team_cost": "What did each team spend, on what?",
    "jobs": "Find any job",
    "job": "",
    "collectors": "Can I trust what I see?",
    "runaway": "What do I stop?",
    "tuning": "Was the search worth it?",
    "audit": "Who did what?",
    "checkpoints": "What would an interruption cost us?",
    "clean": "What can go?",
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
            migrated(url).dispose()
        else:
            fill(url, jobs=120, failing=name == "failing")
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


@pytest.mark.parametrize("page", ["overview", "team_cost", "jobs", "collectors", "runaway", "tuning", "checkpoints"])
def test_an_empty_database_says_what_would_be_here_and_the_next_step(open_page: Open, page: str) -> None:
    assert "trainwatch collect --once" in words(open_page(page, "empty"))


def test_overview_labels_money_as_billed_or_accruing(open_page: Open) -> None:
    test = open_page("overview", "full")
    labels = [metric.label for metric in test.metric]
    assert labels == ["Burn now", "Month to date", "Month-end forecast", "Saved by spot", "Critical findings"]
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
        assert len(test.metric) in (4, 5)


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


READS = {
    "overview": ["watching.open_findings", "live_jobs", "burn_history", "total", "spend_by", "team_ids", "has_jobs", "collector_states"],
    "team_cost": ["total", "spend_by", "dearest_jobs", "job_rows", "live_jobs", "team_ids", "has_jobs", "collector_states"],
    "jobs": ["job_page", "filter_values", "team_ids", "has_jobs", "collector_states"],
    "job": ["jobs_named", "collector_states"],
    "runaway": [
        "live_jobs",
        "burn_history",
        "team_ids",
        "has_jobs",
        "collector_states",
        "watching.open_findings",
        "watching.stop_targets",
        "watching.waste_history",
        "watching.unjudged",
        "watching.stops_this_week",
        "watching.stops_under_way",
    ],
    "tuning": ["team_ids", "has_jobs", "collector_states", "watching.tuning_rows", "watching.tuning_target"],
    "audit": ["collector_states", "watching.audit_rows"],
    "clean": [
        "team_ids",
        "has_jobs",
        "collector_states",
        "watching.leftover_costs",
        "watching.leftovers_before",
        "watching.buckets",
        "watching.clean_plans",
        "watching.clean_plan",
    ],
    "checkpoints": [
        "team_ids",
        "has_jobs",
        "collector_states",
        "watching.team_coverage",
        "watching.live_coverage",
        "watching.coverage_days",
    ],
    "collectors": ["collector_states", "recent_runs", "oddity_counts", "calls_since", "total", "spend_by", "watching.untold_messages"],
}


@pytest.mark.parametrize(("page", "read"), [(page, named[at]) for at in range(20) for page, named in READS.items() if at < len(named)])
def test_a_read_that_fails_is_said_in_its_place_and_the_question_stays(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, page: str, read: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(f"ui.{read}" if "." in read else f"ui.reads.{read}", broken)
    test = open_page(page, "full", **({"job": "any"} if page == "job" else {}))
    said = words(test)
    assert not test.exception
    assert (PAGES[page] or "What is this one?") in said
    assert "could not be read" in said
    assert "disk is gone" not in said
    assert "Traceback" not in said


def test_a_failing_read_leaves_the_other_panels(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("ui.reads.dearest_jobs", broken)
    test = open_page("team_cost", "full")
    assert len(test.metric) == 4
    assert len(test.dataframe) == 1
    assert "billed this month" in words(test)


HOSTILE = "<script>alert(1)</script> **bold** :red[x] $a$ =cmd|x"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a database in which every text that people can choose is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'x.db'}"
    fill(url, jobs=40, text=HOSTILE)
    (folder / "x.toml").write_text(f'[database]\nurl = "{url}"\n')
    return folder / "x.toml"


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_means_nothing_on_any_page(
    open_page: Open, databases: dict[str, Path], hostile: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(databases, "hostile", hostile)
    query = {"created_in": "All time"}
    if page == "job":
        open_page("jobs", "hostile")
        with reading(reads.engine()) as connection:
            query = {"job": next(one.row.name for one in joblist.each_job(connection, joblist.JobFilter()) if one.job.failure_reason)}
    test = open_page(page, "hostile", **query)
    said = words(test)
    assert not test.exception
    assert "could not be read" not in said
    for means_something in (" **bold**", " :red[x]", " <script>", " $a$"):
        assert means_something not in said
    for frame in test.dataframe:
        cells = [str(cell) for column in frame.value for cell in frame.value[column]]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_long_reasons_for_a_failure_are_shown_whole(open_page: Open, databases: dict[str, Path], hostile: Path) -> None:
    databases["hostile"] = hostile
    open_page("jobs", "hostile")
    with reading(reads.engine()) as connection:
        name = next(one.row.name for one in joblist.each_job(connection, joblist.JobFilter()) if one.job.failure_reason)
    test = open_page("job", "hostile", job=name)
    assert any("line two" in str(code.value) for code in test.code)


def test_jobs_without_a_price_can_be_listed(open_page: Open) -> None:
    test = open_page("jobs", "full", created_in="All time", price="Unpriced")
    assert set(test.dataframe[0].value["note"]) == {"unpriced"}
    assert test.dataframe[0].value["billed"].isna().all()


def test_runaway_jobs_lists_each_job_once_with_its_evidence_and_what_stopping_means(open_page: Open) -> None:
    test = open_page("runaway", "full")
    said = words(test)
    assert "Both hosts under 5% GPU" in said.replace("\\", "")
    assert said.count("Stopping loses") >= 10
    assert [metric.label for metric in test.metric] == [
        "Burning for nothing",
        "Wasted so far",
        "If left to their limits",
        "Stopped, 7 days",
    ]
    stops = [button for button in test.button if "Stop," in button.label]
    assert len(stops) >= 10
    assert all(button.disabled for button in stops), "whoever is not known to be local may look, not act"


def test_clean_says_what_it_costs_what_may_go_and_what_stays(open_page: Open) -> None:
    test = open_page("clean", "full")
    said = words(test).replace("\\", "")
    assert "a plan says what of it may go" in said
    assert "would delete **2 objects**" in said
    buckets = next(frame.value for frame in test.dataframe if "Bucket" in str(frame.proto.columns))
    assert list(buckets["state"]) == ["s3:ListBucket is denied", "open; versioning is suspended, so that nothing can be brought back"]
    apply = next(button for button in test.button if button.label.startswith("Delete 2 objects"))
    assert apply.disabled, "whoever is not known to be local may look, not act"
    kept = next(frame.value for frame in test.dataframe if "Why it stays" in str(frame.proto.columns))
    assert list(kept["why"]) == ["rc-fraud-old is live"]


@pytest.mark.parametrize("page", ["overview", "team_cost"])
def test_pages_about_money_say_in_a_line_what_leftovers_cost(open_page: Open, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    said: list[str] = []
    monkeypatch.setattr(st, "page_link", lambda *_, label="", **__: said.append(label))
    open_page(page, "full")
    assert any(r"S3\: 5\.6 GiB, \$0\.13 a month" in " ".join(label.split()) for label in said)


def test_runaway_jobs_shows_only_the_severities_of_the_address(open_page: Open) -> None:
    all_of_them, critical = words(open_page("runaway", "full")), words(open_page("runaway", "full", severity="critical"))
    assert "No limit" in all_of_them
    assert "No limit" not in critical


def test_what_was_put_aside_is_listed_by_itself_with_by_whom_and_why(open_page: Open, databases: dict[str, Path]) -> None:
    open_page("runaway", "full")
    now = reads.now()
    with reading(reads.engine()) as connection:
        row = findings.open_findings(connection)[0]
    ana = Person("ana@acme.example", "admin", via="sign-in")
    put_aside(reads.engine(), ana, [row.finding_id], "snoozed", "waits for data", now + timedelta(hours=1), now)
    assert row.job not in words(open_page("runaway", "full", severity="critical")).replace("\\", "")
    aside = words(open_page("runaway", "full", quiet="true")).replace("\\", "")
    assert "Snoozed by ana@\u2060acme.example" in aside
    assert "waits for data" in aside
    put_aside(reads.engine(), ana, [row.finding_id], "unquieted", "", None, now)


def test_tuning_jobs_shows_the_search_under_way_and_its_best(open_page: Open) -> None:
    test = open_page("tuning", "full")
    said = words(test).replace("\\", "")
    assert "1 tuning job** searching" in said
    assert len(test.dataframe[0].value) >= 1
    assert len(test.dataframe[1].value) >= 2


def test_the_audit_log_lists_what_was_done_and_what_was_refused(open_page: Open) -> None:
    open_page("audit", "full")
    visitor = Person("visitor", "viewer")
    refuse(reads.engine(), visitor, "a-job", "no reason", Refusal("not_allowed", "may look but not act"), reads.now())
    test = open_page("audit", "full", find="a-job")
    assert "1 action" in words(test)
    assert list(test.dataframe[0].value["outcome"]) == ["refused: may look but not act"]


def test_the_page_of_a_live_job_shows_its_findings_and_its_use(open_page: Open) -> None:
    open_page("runaway", "full")
    with reading(reads.engine()) as connection:
        row = next(one for one in findings.open_findings(connection) if one.rule == "idle_gpu")
    test = open_page("job", "full", job=row.job)
    said = words(test).replace("\\", "")
    assert row.evidence in said
    assert "GPU use per host" in said
