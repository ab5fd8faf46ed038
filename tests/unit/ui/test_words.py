"""Numbers, times and hostile text as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.money import NANO, nusd
from storage.views.collection import CollectorState
from ui import console, words
from ui.figures import spread
from ui.freshness import freshness

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("38.77", "$38.77"),
        ("99.994", "$99.99"),
        ("99.996", "$100"),
        ("4226.4", "$4,226"),
        ("42100", "$42.1k"),
        ("152000", "$152k"),
        ("-12.5", "−$12.50"),
    ],
)
def test_dollars_are_short(amount: str, text: str) -> None:
    assert words.usd(nusd(amount)) == text


def test_unknown_is_a_dash_and_never_zero() -> None:
    assert (
        words.usd(None),
        words.usd_exact(None),
        words.duration(None),
        words.percent(None),
        words.clock(None, words.zone_named("UTC")),
    ) == ("—",) * 5


def test_signs_are_true_minus_and_plus() -> None:
    assert (words.usd(-5 * NANO, sign=True), words.usd(5 * NANO, sign=True), words.percent(-3, sign=True)) == ("−$5.00", "+$5.00", "−3%")


@pytest.mark.parametrize(("seconds", "text"), [(41, "41 s"), (47 * 60, "47 min"), (11 * 3600 + 17 * 60, "11 h 17"), (51 * 3600, "2 d 3 h")])
def test_durations_do_not_break(seconds: int, text: str) -> None:
    assert words.duration(seconds).replace("\u00a0", " ") == text


def test_an_unknown_zone_is_utc() -> None:
    assert str(words.zone_named("Mars/Olympus")) == "UTC"
    assert words.clock(NOW, words.zone_named("Europe/Berlin")).replace("\u00a0", " ") == "22 Nov 2026 13:00"


def test_text_from_aws_means_nothing_in_markdown() -> None:
    assert words.plain("**b** [x](http://e) :red[y] $1$ `c` <script>") == (
        "\\*\\*b\\*\\* \\[x\\]\\(http\\:\u2060//e\\) \\:red\\[y\\] \\$1\\$ \\`c\\` \\<script\\>"
    )


def test_characters_that_hide_or_turn_text_are_made_visible() -> None:
    assert words.shown("a\u202egnp.exe\x00\x07") == "a�gnp.exe��"
    assert len(words.shown("x" * 1000)) == 400


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    assert spread([5.0, 1.0, 1.5], 1.0) == [5.0, 1.0, 2.0]


def test_console_addresses_are_of_the_regions_own_partition_and_quoted() -> None:
    assert console.job_url("us-east-1", "a b/<c>").endswith("#/jobs/a%20b%2F%3Cc%3E")
    assert console.job_url("cn-north-1", "x").startswith("https://cn-north-1.console.amazonaws.cn/")
    assert "log-group/$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Dx$252F" in console.logs_url("us-east-1", "x")


def state(outcome: str, good: timedelta | None, message: str = "", collector: str = "jobs") -> CollectorState:
    succeeded = None if good is None else NOW - good
    return CollectorState("123456789012", "us-east-1", None, 1, collector, outcome, message, NOW, NOW, succeeded, 1, 1)


@pytest.mark.parametrize(
    ("collector", "outcome", "good", "words"),
    [
        ("metrics", "ok", timedelta(hours=1), "Metrics of 1 h 00 ago; jobs 40 s ago"),
        ("checkpoints", "running", timedelta(hours=1), "Checkpoints of 1 h 00 ago; jobs 40 s ago"),
        ("metrics", "ok", timedelta(minutes=10), "Updated 40 s ago"),
        ("models", "ok", timedelta(hours=9), "Updated 40 s ago"),
        ("metrics", "failed", timedelta(hours=1), "Metrics failed; jobs 40 s ago"),
    ],
)
def test_what_findings_rest_on_may_be_old_too(collector: str, outcome: str, good: timedelta, words: str) -> None:
    states = [state("ok", timedelta(seconds=40)), state(outcome, good, collector=collector)]
    found = freshness(states, NOW, lambda name: 60 if name == "jobs" else 300)
    assert (found.words.replace("\xa0", " "), found.level) == (words, "fresh" if words.startswith("Updated") else "late")


@pytest.mark.parametrize(
    ("states", "level"),
    [
        ([], "never"),
        ([state("ok", timedelta(seconds=50))], "fresh"),
        ([state("ok", timedelta(minutes=9))], "late"),
        ([state("running", None, "300 of 900 jobs")], "collecting"),
        ([state("ok", timedelta(seconds=5)), state("failed", timedelta(minutes=2), "sagemaker:Search is denied")], "failed"),
    ],
)
def test_the_worst_scope_speaks_for_freshness(states: list[CollectorState], level: str) -> None:
    assert freshness(states, NOW, lambda _: 60).level == level


def test_a_failure_says_why() -> None:
    assert "Search is denied" in freshness([state("failed", None, "sagemaker:Search is denied")], NOW, 60).details
