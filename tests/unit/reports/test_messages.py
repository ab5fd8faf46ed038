"""What messages say, and that text from AWS or people stays text in them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.money import nusd
from reports.messages import (
    DigestItem,
    Message,
    digest_message,
    finding_message,
    job_link,
    late_message,
    policy_message,
    recovered_message,
    stop_message,
)
from storage.views.collection import CollectorState
from storage.views.findings import FindingRow
from storage.views.told import EndedStop
from tests.descriptions import at

BASE = "https://watch.example.com/trainwatch/"
CALLS = (  # of Slack, Discord, Teams, Matrix, Mattermost, Zulip, Google Chat, Telegram and Lark
    "@everyone @here @channel @all @room @team <!channel> <!here> <!subteam^S1> <@U123> <@&42> <#C1> <at>Olga</at> <at user_id=all> "
    "<users/all> @**all** @_**Olga** @olga [click](https://evil.example) <https://evil.example|click> www.evil.example"
)
HOSTILE = f"a\nb\r\x1b[31m\u202ec\u200b {CALLS} " + "x" * 2000


def _row(**facts: Any) -> FindingRow:
    given: dict[str, Any] = dict.fromkeys(FindingRow.__dataclass_fields__)
    given |= {
        "finding_id": 7, "job_id": 1, "job": "rc-fraud-gnn", "account": "123456789012", "region": "us-east-1", "created_at": at(-3),
        "team": "rc", "rule": "idle_gpu", "severity": "critical", "since": at(-1), "opened_at": at(0), "judged_at": at(0),
        "evidence": "all 2 hosts under 5 % for 61 min", "advice": "stop it", "accruing_nusd": nusd("310.12"),
        "burn_nusd_per_hour": nusd("38.77"), "wasted_nusd": nusd("30.2"), "projected_nusd": nusd("1514.12"), "status": "InProgress",
        "capacity": "on_demand", "instances": (),
    }  # fmt: skip
    return FindingRow(**given | facts)


def _state(**facts: Any) -> CollectorState:
    given = {
        "account": "123456789012", "region": "us-east-1", "account_name": "ml-prod", "scope_id": 1, "collector": "jobs",
        "outcome": "failed", "message": "sagemaker:Search is denied", "started_at": at(1), "finished_at": at(1), "succeeded_at": at(0),
        "rows": 0, "calls": 1,
    }  # fmt: skip
    return CollectorState(**given | facts)


STOP = EndedStop(
    1, "training_job", "rc-fraud-gnn", "123456789012", "us-east-1", at(-3), "rc", "olga@example.com", "idles", at(0), "stopped", nusd(40)
)


def test_a_finding_says_what_where_how_much_and_what_to_do() -> None:
    message = finding_message(_row(), "opened", BASE)
    assert message.title == "Critical: Idle GPU · rc-fraud-gnn · rc"
    assert message.body.splitlines() == [
        "all 2 hosts under 5 % for 61 min",
        "https://watch.example.com/trainwatch/job?job=rc-fraud-gnn&account=123456789012&region=us-east-1&created=2026-11-20T09%3A00%3A00Z",
        "Burning: $38.77/h at list price",
        "So far: $310.12 (estimate); for nothing: $30.20 (estimate)",
        "More until its time limit, at most: $1,204.00 (estimate)",
        "Advice: stop it",
        "Account 123456789012, us-east-1",
        "Since 20 Nov 2026 11:00 UTC, found 20 Nov 2026 12:00 UTC",
    ]


def test_a_finding_that_got_graver_says_so() -> None:
    assert finding_message(_row(), "escalated", BASE).title.startswith("Now critical: Idle GPU")


def test_money_that_is_not_known_is_not_zero() -> None:
    unknown = dict.fromkeys(("accruing_nusd", "burn_nusd_per_hour", "wasted_nusd", "projected_nusd"))
    body = finding_message(_row(**unknown), "opened", BASE).body
    assert "$" not in body
    assert "Burning: not known\nSo far: not known; for nothing: not known\nMore until its time limit, at most: not known" in body


def test_the_address_of_a_job_leads_to_that_job_whatever_it_is_called() -> None:
    name = "a&b=c d#e/é?%"
    link = urlsplit(job_link(BASE, name, "1", "us-east-1", at(0) + timedelta(milliseconds=7)))
    assert link.path == "/trainwatch/job"
    assert parse_qs(link.query) == {"job": [name], "account": ["1"], "region": ["us-east-1"], "created": ["2026-11-20T12:00:00Z"]}


def _hostile() -> dict[str, Message]:
    row = _row(job=HOSTILE, team=HOSTILE, rule=HOSTILE, evidence=HOSTILE, advice=HOSTILE)
    state = _state(account_name=HOSTILE, message=HOSTILE, collector=HOSTILE, outcome=HOSTILE)
    return {
        "finding": finding_message(row, "opened", BASE),
        "policy": policy_message("warned", HOSTILE, row, at(1), BASE),
        "stop": stop_message(STOP._replace(name=HOSTILE, by=HOSTILE, reason=HOSTILE, team=HOSTILE), BASE),
        "late": late_message(state, at(0), at(2), BASE),
        "recovered": recovered_message(state, BASE),
        "digest": digest_message([DigestItem("Stops", "info", HOSTILE)] * 20, "runaway", BASE),
    }


@pytest.mark.parametrize("kind", list(_hostile()))
def test_text_from_aws_cannot_add_lines_hide_call_people_or_run_on(kind: str) -> None:
    usual = {
        "finding": finding_message(_row(), "opened", BASE),
        "policy": policy_message("warned", "night", _row(), at(1), BASE),
        "stop": stop_message(STOP, BASE),
        "late": late_message(_state(), at(0), at(2), BASE),
        "recovered": recovered_message(_state(), BASE),
        "digest": digest_message([DigestItem("Stops", "info", "one")] * 20, "runaway", BASE),
    }
    message = _hostile()[kind]
    calls = [*(call for call in CALLS.split() if call[0] in "@<"), "](", "://evil", "www.evil"]
    assert len(message.body.splitlines()) == len(usual[kind].body.splitlines())
    assert message.title.isprintable()
    shown = [line for line in message.body.split("\n") if not line.startswith("https://")]
    assert all(line.isprintable() for line in shown)
    assert not any(call in line for line in (message.title, *shown) for call in calls)
    assert all(len(line) <= 600 for line in (message.title, *shown))


def test_a_stop_says_who_why_and_what_it_avoided() -> None:
    message = stop_message(STOP, BASE)
    assert (message.severity, message.title) == ("info", "Stopped: rc-fraud-gnn · rc")
    assert "olga@example.com asked for it at 20 Nov 2026 12:00 UTC: idles" in message.body
    assert "Avoided, had it run to its time limit, at most: $40.00 (estimate at list price)" in message.body


def test_a_stop_that_failed_is_critical() -> None:
    message = stop_message(STOP._replace(state="failed", avoided_nusd=None), BASE)
    assert (message.severity, message.title) == ("critical", "Stop failed: rc-fraud-gnn · rc")
    assert "runs on: stop it again" in message.body
    assert "Avoided" not in message.body


def test_a_stopped_tuning_job_leads_to_the_audit_log() -> None:
    assert "https://watch.example.com/trainwatch/audit" in stop_message(STOP._replace(kind="tuning_job"), BASE).body


def test_a_late_collector_says_since_when_and_why() -> None:
    message = late_message(_state(), at(0), at(0.75), BASE)
    assert (message.severity, message.title) == ("critical", "Collector failed: jobs of ml-prod (123456789012), us-east-1")
    assert "It has not gone well since 20 Nov 2026 12:00 UTC (45 min)." in message.body
    assert "failed: sagemaker:Search is denied" in message.body


@pytest.mark.parametrize(
    ("facts", "severity", "words"),
    [
        ({"collector": "metrics", "outcome": "ok", "account_name": None}, "warning", "Collector late: metrics of 123456789012, us-east-1"),
        ({"succeeded_at": None}, "critical", "It has never gone well, first tried 20 Nov 2026 12:00 UTC"),
    ],
)
def test_a_late_collector_says_how_it_is_late(facts: dict[str, Any], severity: str, words: str) -> None:
    message = late_message(_state(**facts), at(0), at(2), BASE)
    assert message.severity == severity
    assert words in f"{message.title}\n{message.body}"


@pytest.mark.parametrize(
    ("step", "dry_run", "severity", "title", "sentence"),
    [
        ("warned", False, "warning", "First warning", "Policy night stops this job at 20 Nov 2026 13:00 UTC unless it recovers"),
        ("warned_again", False, "critical", "Last warning", "Policy night stops this job at 20 Nov 2026 13:00 UTC unless it recovers"),
        ("stopped", False, "warning", "Stopped by policy", "Policy night stopped this job at 20 Nov 2026 13:00 UTC."),
        ("refused", False, "warning", "Not stopped by policy", "Policy night could not stop this job at 20 Nov 2026 13:00 UTC; the audit"),
        ("warned_again", True, "info", "Dry run, last warning", "would stop this job at 20 Nov 2026 13:00 UTC; it is a dry run"),
        ("stopped", True, "info", "Dry run, would have stopped", "would have stopped this job at 20 Nov 2026 13:00 UTC; it is a dry run"),
    ],
)
def test_a_policy_says_what_it_does_and_when(step: str, dry_run: bool, severity: str, title: str, sentence: str) -> None:
    message = policy_message(step, "night", _row(), at(1), BASE, dry_run=dry_run)
    assert (message.severity, message.title) == (severity, f"{title}: Idle GPU · rc-fraud-gnn · rc")
    assert sentence in message.body.splitlines()[0]
    assert "Burning: $38.77/h" in message.body


def test_a_digest_counts_kinds_and_lists_the_gravest_and_dearest_ten() -> None:
    items = [DigestItem("Idle GPU", "critical", f"idle {number}", nusd(number)) for number in range(9)]
    items += [DigestItem("Hung", "warning", f"hung {number}", nusd(100 + number)) for number in range(3)]
    items += [DigestItem("Collectors", "critical", "late"), DigestItem("Stuck", "critical", "over", nusd(500), is_over=True)]
    message = digest_message(items, "runaway", BASE)
    lines = message.body.splitlines()
    assert (message.severity, message.title) == ("critical", "14 messages: 11 critical, 3 warning")
    assert lines[:4] == [
        "Idle GPU: 9 critical, Hung: 3 warning, Collectors: 1 critical, Stuck: 1 critical",
        "https://watch.example.com/trainwatch/runaway",
        "- late",
        "- idle 8, $8.00/h at list price",
    ]
    assert lines[11:] == ["- idle 0, $0.00/h at list price", "and 4 more"]


def test_what_is_over_stands_below_what_is_not() -> None:
    items = [DigestItem("Stuck", "critical", "over", nusd(500), is_over=True), DigestItem("Stuck", "critical", "not", nusd(1))]
    assert digest_message(items, "runaway", BASE).body.splitlines()[2:] == ["- not, $1.00/h at list price", "- over (over by now)"]


def test_messages_fit_what_chats_take() -> None:
    row = replace(_row(), job="j" * 63, team="t" * 63, evidence="e" * 1000, advice="a" * 1000)
    assert len(finding_message(row, "opened", BASE).body) < 1300
    full = [DigestItem(f"Kind number {number}", "critical", "t" * 250, nusd(9999)) for number in range(30)]
    assert len(digest_message(full, "runaway", BASE).body) < 3000
