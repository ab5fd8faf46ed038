"""Findings put aside by name, with a reason and until a time; refused where it must be, and written down either way."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from actions.quieting import LONGEST, put_aside
from domain.access import Person, Refusal
from domain.findings.finding import Finding, Severity
from storage.engine import reading, writing
from storage.findings import JudgedJob, Money, record_findings
from storage.views.audit import AuditRow, audit_rows
from storage.views.findings import FindingRow, findings_by_id
from storage.views.targets import job_targets
from tests.descriptions import description
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW
from tests.integration.derivations.test_keep import TEAMS, keep

OLGA = Person("olga@example.com", "operator", frozenset({"rc"}), "sign-in")
ADMIN = Person("ann@example.com", "admin", via="sign-in")
RC, NLP = "rc-fraud-gnn-20261120-090000", "nlp-llm-sft-20261120-090000"
IDLE = Finding("idle_gpu", "critical", NOW - HOUR, "under 5%", "look", None)


class Books:
    """Two jobs with findings, and what becomes of these."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        keep(engine, [description(name, created=-3, ran=None) for name in (RC, NLP)], TEAMS)
        with reading(engine) as connection:
            found = {name: job_targets(connection, name)[0] for name in (RC, NLP)}
        assert {target.team for target in found.values()} == {"rc", "nlp"}
        changes = self.judge()
        self.rc, self.nlp = (change.finding_id for change in changes)

    def judge(self, severity: Severity = "warning", *, holds: bool = True) -> list[Any]:
        """What rules say of both jobs now."""
        found = [replace(IDLE, severity=severity)] if holds else []
        money = Money(None, None, None)
        judged = [JudgedJob(job_id, team, found, [], money, NOW) for job_id, team in ((1, "rc"), (2, "nlp"))]
        with writing(self.engine) as connection:
            return record_findings(connection, 1, judged, NOW)

    def row(self, finding_id: int) -> FindingRow:
        """A finding as it is now."""
        with reading(self.engine) as connection:
            return findings_by_id(connection, [finding_id])[finding_id]

    def audit(self) -> list[AuditRow]:
        """The audit log, newest first."""
        with reading(self.engine) as connection:
            return audit_rows(connection)


@pytest.fixture
def books(engine: Engine) -> Books:
    """Findings of a job of rc and of one of nlp."""
    return Books(engine)


@pytest.mark.parametrize(("kind", "action"), [("acknowledged", "acknowledge"), ("snoozed", "snooze")])
def test_a_finding_is_put_aside_by_name_with_a_reason_and_until_a_time(kind: Any, action: str, books: Books) -> None:
    made = put_aside(books.engine, OLGA, [books.rc], kind, "  waits for\ndata ", NOW + 4 * HOUR, NOW)
    row, said = books.row(books.rc), books.audit()[0]
    assert made == said.audit_id
    assert (row.quiet_kind, row.quiet_by, row.quiet_at, row.quiet_until, row.quiet_reason) == (
        kind, "olga@example.com", NOW, NOW + 4 * HOUR, "waits for data",
    )  # fmt: skip
    assert (row.is_quiet(NOW), row.is_quiet(NOW + 4 * HOUR - MINUTE), row.is_quiet(NOW + 4 * HOUR)) == (True, True, False)
    assert (said.by, said.action, said.outcome) == ("olga@example.com", action, "until 2026-11-20 16:00 UTC")
    assert said.target == f"idle_gpu of {RC}"
    assert (said.team, said.account, said.region) == ("rc", "123456789012", "us-east-1")
    assert books.row(books.nlp).quiet_kind is None


def test_an_acknowledgement_without_a_time_holds_for_two_weeks(books: Books) -> None:
    put_aside(books.engine, OLGA, [books.rc], "acknowledged", "known", None, NOW)
    assert books.row(books.rc).quiet_until == NOW + LONGEST == NOW + 14 * DAY


@pytest.mark.parametrize("kind", ["acknowledged", "snoozed"])
def test_nothing_is_put_aside_for_longer_than_two_weeks(kind: Any, books: Books) -> None:
    put_aside(books.engine, OLGA, [books.rc], kind, "known", NOW + 400 * DAY, NOW)
    assert books.row(books.rc).quiet_until == NOW + 14 * DAY


def test_what_was_put_aside_is_brought_back_at_once_and_both_are_in_the_log(books: Books) -> None:
    put_aside(books.engine, OLGA, [books.rc], "snoozed", "known", NOW + HOUR, NOW)
    made = put_aside(books.engine, ADMIN, [books.rc], "unquieted", "", None, NOW + MINUTE)
    assert not isinstance(made, Refusal)
    assert not books.row(books.rc).is_quiet(NOW + MINUTE)
    assert [(said.by, said.action, said.outcome) for said in books.audit()] == [
        ("ann@example.com", "unquiet", "taken back"),
        ("olga@example.com", "snooze", "until 2026-11-20 13:00 UTC"),
    ]
    assert books.audit()[0].before == {"findings": [{"id": books.rc, "rule": "idle_gpu", "job": RC, "quiet": "snoozed"}]}


def test_what_was_put_aside_stays_so_unless_it_gets_graver(books: Books) -> None:
    put_aside(books.engine, OLGA, [books.rc], "acknowledged", "known", None, NOW)
    books.judge("warning")
    assert books.row(books.rc).is_quiet(NOW)
    books.judge("critical")
    assert not books.row(books.rc).is_quiet(NOW)


VIEWER = Person("vera@example.com", "viewer", frozenset({"rc"}), "sign-in")
OTHER = Person("otto@example.com", "operator", frozenset({"nlp"}), "sign-in")
REFUSED: dict[str, tuple[str, Person, Any, str, datetime | None]] = {
    "a viewer": ("not_allowed", VIEWER, "acknowledged", "known", None),
    "a visitor": ("not_allowed", Person("visitor", "none"), "acknowledged", "known", None),
    "an operator of another team": ("other_team", OTHER, "snoozed", "known", NOW + HOUR),
    "a viewer who brings back": ("not_allowed", VIEWER, "unquieted", "", None),
    "another team that brings back": ("other_team", OTHER, "unquieted", "", None),
    "no reason": ("no_reason", OLGA, "acknowledged", "", None),
    "a blank reason": ("no_reason", ADMIN, "snoozed", " \n\t", NOW + HOUR),
    "a snooze without an end": ("no_time", OLGA, "snoozed", "known", None),
    "a snooze until now": ("no_time", OLGA, "snoozed", "known", NOW),
    "a snooze until yesterday": ("no_time", OLGA, "snoozed", "known", NOW - DAY),
    "an acknowledgement until yesterday": ("no_time", OLGA, "acknowledged", "known", NOW - DAY),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_is_refused_changes_nothing_and_is_written_down(how: str, books: Books) -> None:
    code, person, kind, reason, until = REFUSED[how]
    put_aside(books.engine, ADMIN, [books.rc], "snoozed", "known", NOW + HOUR, NOW)
    before = books.row(books.rc)
    refusal = put_aside(books.engine, person, [books.rc], kind, reason, until, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert books.row(books.rc) == before
    said = books.audit()[0]
    assert (said.by, said.role, said.outcome) == (person.name, person.role, f"refused: {refusal.why}")
    assert len(books.audit()) == 2


def test_a_finding_that_has_closed_is_not_put_aside(books: Books) -> None:
    books.judge(holds=False)
    refusal = put_aside(books.engine, ADMIN, [books.rc], "acknowledged", "known", None, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "closed"
    assert books.row(books.rc).quiet_kind is None
    assert books.audit()[0].outcome == f"refused: {refusal.why}"


def test_a_finding_that_never_was_is_not_put_aside(books: Books) -> None:
    refusal = put_aside(books.engine, ADMIN, [999], "acknowledged", "known", None, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "closed"


def test_one_of_several_that_is_another_teams_refuses_them_all(books: Books) -> None:
    refusal = put_aside(books.engine, OLGA, [books.rc, books.nlp], "acknowledged", "known", None, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "other_team"
    assert [books.row(one).quiet_kind for one in (books.rc, books.nlp)] == [None, None]


def test_several_are_put_aside_in_one_action(books: Books) -> None:
    put_aside(books.engine, ADMIN, [books.rc, books.nlp], "acknowledged", "known", None, NOW)
    (said,) = books.audit()
    assert said.target == f"idle_gpu of {NLP}, idle_gpu of {RC}"
    assert [books.row(one).quiet_kind for one in (books.rc, books.nlp)] == ["acknowledged", "acknowledged"]


@pytest.mark.parametrize(("reason", "kept"), [("a\0b\ud800", "a�b?"), ("x" * 900, "x" * 500), ("=1+1", "=1+1")])
def test_a_reason_that_no_database_takes_is_kept_as_near_as_may_be(reason: str, kept: str, books: Books) -> None:
    put_aside(books.engine, OLGA, [books.rc], "acknowledged", reason, None, NOW)
    assert books.row(books.rc).quiet_reason == kept


def test_a_log_that_cannot_be_written_puts_nothing_aside(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr("actions.quieting.append", broken)
    with pytest.raises(OSError, match="no space"):
        put_aside(books.engine, OLGA, [books.rc], "acknowledged", "known", None, NOW)
    assert books.row(books.rc).quiet_kind is None
