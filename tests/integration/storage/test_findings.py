"""Findings open, update and close as facts change, and their history stays; on each kind of database."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError

from derivations.keep import Keeper
from domain.findings.finding import Finding, NoVerdict, Severity
from domain.money import nusd
from domain.scope import Scope
from settings import Settings
from storage.engine import Connection, reading, writing
from storage.facts import scope_id, upsert_descriptions, watched_ids
from storage.findings import Change, JudgedJob, Money, close_of_ended, quiet, record_findings
from storage.schema import training_jobs
from storage.schema_operations import findings
from storage.state import data_version
from storage.views.findings import FindingRow, findings_of, open_findings, unjudged_counts, unjudged_of
from tests.descriptions import NOON, SCOPE, at, description

MONEY = Money(nusd(100), nusd(2), nusd(900))
ACKNOWLEDGED = {"quiet_kind": "acknowledged", "quiet_by": "olga", "quiet_at": at(0.5), "quiet_until": None, "quiet_reason": "known"}


class Books:
    """Live jobs of one scope, and what is judged of them."""

    def __init__(self, engine: Engine, jobs: int = 3) -> None:
        self.engine = engine
        keeper = Keeper(engine, Settings())
        keeper.refresh()
        with writing(engine) as connection:
            self.scope_row = scope_id(connection, SCOPE)
            made = [description(f"job-{number:05}", ran=None, tags={"Team": "rc"}) for number in range(jobs)]
            keeper.derive(connection, upsert_descriptions(connection, SCOPE, self.scope_row, made, NOON).changed)
            self.ids = list(connection.scalars(select(training_jobs.c.id).order_by(training_jobs.c.name)))
        keeper.finish()

    def judge(self, now: datetime, *judged: JudgedJob) -> list[Change]:
        """Records a judgement of jobs that were looked at right before."""
        with writing(self.engine) as connection:
            return record_findings(connection, self.scope_row, [one._replace(looked_at=now) for one in judged], now)

    def close(self, now: datetime, watched: Sequence[int]) -> list[Change]:
        """Closes what is left of jobs that are no longer watched."""
        with writing(self.engine) as connection:
            return close_of_ended(connection, self.scope_row, watched, now)

    def open(self) -> dict[tuple[int, str], FindingRow]:
        """The open findings by job and rule."""
        with reading(self.engine) as connection:
            return {(row.job_id, row.rule): row for row in open_findings(connection)}

    def history(self, job: int = 0) -> list[FindingRow]:
        """Every finding there has been on a job, oldest first."""
        with reading(self.engine) as connection:
            return sorted(findings_of(connection, self.ids[job]), key=lambda row: row.finding_id)

    def unjudged(self, job: int = 0) -> dict[str, str]:
        """What cannot be judged of a job."""
        with reading(self.engine) as connection:
            return unjudged_of(connection, self.ids[job])

    def rows(self) -> list[tuple[Any, ...]]:
        """All findings as they are in the database."""
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(select(findings).order_by(findings.c.id))]


@pytest.fixture
def books(engine: Engine) -> Iterator[Books]:
    """Books with three live jobs."""
    return Books(engine)


def finding(rule: str = "idle_gpu", severity: Severity = "critical", since: float = -1.0, evidence: str = "under 5 %") -> Finding:
    """A finding that has held since some hours from noon."""
    return Finding(rule, severity, at(since), evidence, "stop it", nusd("30.2"))


def of(job_id: int, *said: Finding | NoVerdict, money: Money = MONEY, team: str = "rc") -> JudgedJob:
    """What the rules said of a job."""
    return JudgedJob(
        job_id, team, [one for one in said if isinstance(one, Finding)], [one for one in said if isinstance(one, NoVerdict)], money, at(0)
    )


def kinds(changes: Sequence[Change]) -> Counter[str]:
    """How many changes of each kind."""
    return Counter(change.kind for change in changes)


def test_a_finding_opens_once_with_all_that_is_known_of_it(books: Books) -> None:
    job = books.ids[0]
    changes = books.judge(at(0), of(job, finding()))
    (row,) = books.history()
    assert changes == [Change("opened", row.finding_id)]
    assert (row.rule, row.severity, row.since, row.opened_at, row.judged_at, row.closed_at) == (
        "idle_gpu", "critical", at(-1), at(0), at(0), None,
    )  # fmt: skip
    assert (row.team, row.evidence, row.advice, row.quiet_kind) == ("rc", "under 5 %", "stop it", None)
    assert (row.accruing_nusd, row.burn_nusd_per_hour, row.projected_nusd, row.wasted_nusd) == (*MONEY, nusd("30.2"))
    assert books.judge(at(0.1), of(job, finding())) == []
    assert len(books.history()) == 1


def test_what_changes_of_an_open_finding_is_brought_up_to_date(books: Books) -> None:
    job = books.ids[0]
    books.judge(at(0), of(job, finding()))
    changed = of(job, finding(since=-2, evidence="under 3 %"), money=Money(None, nusd(3), None), team="vision")
    assert books.judge(at(1), changed) == []
    (row,) = books.history()
    assert (row.opened_at, row.judged_at, row.since, row.evidence, row.team) == (at(0), at(1), at(-2), "under 3 %", "vision")
    assert (row.accruing_nusd, row.burn_nusd_per_hour, row.projected_nusd) == (None, nusd(3), None)


def test_the_same_judgement_again_changes_nothing_but_when_it_was_judged(books: Books) -> None:
    judged = [
        of(books.ids[0], finding(), finding("no_limit", "warning"), NoVerdict("hung", "nobody looked")),
        of(books.ids[1], NoVerdict("idle_gpu", "no samples")),
        of(books.ids[2]),
    ]
    books.judge(at(0), *judged)
    before, unjudged = books.rows(), [books.unjudged(job) for job in range(3)]
    assert books.judge(at(1), *judged) == []
    when = list(findings.c.keys()).index("judged_at")
    after = books.rows()
    assert [row[:when] + row[when + 1 :] for row in after] == [row[:when] + row[when + 1 :] for row in before]
    assert {row[when] for row in after} == {at(1)}
    assert [books.unjudged(job) for job in range(3)] == unjudged


def test_what_no_longer_holds_closes_with_the_reason_and_stays_in_the_history(books: Books) -> None:
    job = books.ids[0]
    opened = books.judge(at(0), of(job, finding(), finding("stuck", "warning")))
    assert books.judge(at(1), of(job, finding("stuck", "warning"))) == [Change("closed", opened[0].finding_id)]
    closed, still = books.history()
    assert (closed.rule, closed.closed_at, closed.closed_because, closed.judged_at) == ("idle_gpu", at(1), "it no longer holds", at(0))
    assert (still.rule, still.closed_at, still.closed_because) == ("stuck", None, None)
    assert list(books.open()) == [(job, "stuck")]


def test_what_holds_anew_is_a_finding_of_its_own(books: Books) -> None:
    job = books.ids[0]
    first = books.judge(at(0), of(job, finding()))[0].finding_id
    with writing(books.engine) as connection:
        quiet(connection, [first], ACKNOWLEDGED)
    books.judge(at(1), of(job))
    again = books.judge(at(2), of(job, finding(since=1.5)))
    assert kinds(again) == {"opened": 1}
    before, now = books.history()
    assert (before.finding_id, before.closed_at, before.quiet_kind) == (first, at(1), "acknowledged")
    assert (now.finding_id, now.opened_at, now.since, now.closed_at, now.quiet_kind) == (again[0].finding_id, at(2), at(1.5), None, None)


def test_an_acknowledgement_holds_while_the_finding_gets_no_graver(books: Books) -> None:
    job = books.ids[0]
    found = books.judge(at(0), of(job, finding(severity="warning")))
    with writing(books.engine) as connection:
        quiet(connection, [found[0].finding_id], ACKNOWLEDGED)
    for severity in ("warning", "info", "info"):
        assert books.judge(at(1), of(job, finding(severity=severity))) == []
        row = books.open()[job, "idle_gpu"]
        assert (row.severity, row.quiet_kind, row.quiet_by, row.quiet_reason) == (severity, "acknowledged", "olga", "known")


@pytest.mark.parametrize(("before", "after"), [("warning", "critical"), ("info", "warning"), ("info", "critical")])
def test_a_finding_that_gets_graver_says_so_and_is_acknowledged_no_more(before: Severity, after: Severity, books: Books) -> None:
    job = books.ids[0]
    found = books.judge(at(0), of(job, finding(severity=before), finding("stuck", "warning")))
    with writing(books.engine) as connection:
        quiet(connection, [change.finding_id for change in found], ACKNOWLEDGED)
    changes = books.judge(at(1), of(job, finding(severity=after), finding("stuck", "warning")))
    assert changes == [Change("escalated", books.open()[job, "idle_gpu"].finding_id)]
    row, other = books.open()[job, "idle_gpu"], books.open()[job, "stuck"]
    assert (row.severity, row.opened_at) == (after, at(0))
    assert (row.quiet_kind, row.quiet_by, row.quiet_at, row.quiet_until, row.quiet_reason) == (None,) * 5
    assert other.quiet_kind == "acknowledged"
    assert books.judge(at(2), of(job, finding(severity=after), finding("stuck", "warning"))) == []


def test_what_cannot_be_judged_now_leaves_an_open_finding_as_it_is(books: Books) -> None:
    job = books.ids[0]
    books.judge(at(0), of(job, finding()))
    before = books.rows()
    for hour in (1, 2):
        assert books.judge(at(hour), of(job, NoVerdict("idle_gpu", "no samples"))) == []
        assert books.rows() == before
    assert books.unjudged() == {"idle_gpu": "no samples"}
    assert books.judge(at(3), of(job, finding())) == []
    assert books.unjudged() == {}
    assert books.open()[job, "idle_gpu"].judged_at == at(3)


def test_jobs_that_were_not_judged_this_time_keep_what_they_have(books: Books) -> None:
    first, second, _ = books.ids
    books.judge(at(0), of(first, finding(), NoVerdict("hung", "why")), of(second, finding()))
    before = books.rows()
    assert books.judge(at(1)) == []
    assert books.rows() == before
    assert books.judge(at(2), of(second)) != []
    assert books.rows()[0] == before[0]
    assert books.unjudged(0) == {"hung": "why"}


def test_why_a_rule_cannot_be_judged_is_replaced_when_it_changes_and_goes_when_it_can(books: Books) -> None:
    job, other = books.ids[0], books.ids[1]
    books.judge(at(0), of(job, NoVerdict("hung", "one"), NoVerdict("idle_gpu", "two")), of(other, NoVerdict("hung", "one")))
    books.judge(at(1), of(job, NoVerdict("hung", "three"), NoVerdict("slow_gpu", "four")), of(other, NoVerdict("hung", "one")))
    assert books.unjudged() == {"hung": "three", "slow_gpu": "four"}
    assert books.unjudged(1) == {"hung": "one"}
    books.judge(at(2), of(job), of(other, NoVerdict("hung", "one")))
    assert books.unjudged() == {}
    with reading(books.engine) as connection:
        assert [(one.rule, one.jobs, one.example) for one in unjudged_counts(connection)] == [("hung", 1, "job-00001")]


def test_the_findings_of_a_job_that_has_ended_close_and_nothing_of_it_counts_as_unjudged(books: Books) -> None:
    ends, without, stays = books.ids
    opened = books.judge(
        at(0),
        of(ends, finding(), NoVerdict("hung", "why")),
        of(without, NoVerdict("hung", "why")),
        of(stays, finding(), NoVerdict("hung", "why")),
    )
    assert books.close(at(1), books.ids) == []
    with writing(books.engine) as connection:
        connection.execute(update(training_jobs).where(training_jobs.c.id.in_([ends, without])).values(watched=False))
        watched = watched_ids(connection, books.scope_row)
    assert books.close(at(1), watched) == [Change("closed", opened[0].finding_id)]
    (row,) = books.history(0)
    assert (row.closed_at, row.closed_because, row.judged_at) == (at(1), "the job has ended", at(0))
    assert list(books.open()) == [(stays, "idle_gpu")]
    with reading(books.engine) as connection:
        assert [(one.rule, one.jobs) for one in unjudged_counts(connection)] == [("hung", 1)]
    assert books.close(at(2), watched) == []
    assert books.history(0)[0].closed_at == at(1)


def test_the_findings_of_another_scope_are_nobody_elses_to_close(books: Books) -> None:
    books.judge(at(0), of(books.ids[0], finding(), NoVerdict("hung", "why")))
    with writing(books.engine) as connection:
        other = scope_id(connection, Scope(SCOPE.account, "eu-west-1"))
        assert record_findings(connection, other, [], at(1)) == []
        assert close_of_ended(connection, other, [], at(1)) == []
    assert len(books.open()) == 1
    assert books.unjudged() == {"hung": "why"}


def test_there_is_never_more_than_one_open_finding_of_a_rule_on_a_job(books: Books) -> None:
    def twice(connection: Connection) -> None:
        row = connection.execute(select(findings)).one()._asdict()
        del row["id"]
        connection.execute(findings.insert().values(row))

    books.judge(at(0), of(books.ids[0], finding()))
    with pytest.raises(IntegrityError), writing(books.engine) as connection:
        twice(connection)
    books.judge(at(1), of(books.ids[0]))
    with writing(books.engine) as connection:
        twice(connection)  # a closed one as often as may be


def test_text_of_any_kind_and_length_is_kept(books: Books) -> None:
    odd = Finding("idle_gpu", "info", at(-1), "nul\0byte \ud800 " + "x" * 5000, "<b>" * 1000, None)
    books.judge(at(0), of(books.ids[0], odd, NoVerdict("hung", "y\0" * 3000)))
    (row,) = books.history()
    assert (len(row.evidence), len(row.advice), row.wasted_nusd) == (1000, 1000, None)
    assert len(books.unjudged()["hung"]) == 1000
    assert books.judge(at(1), of(books.ids[0], odd, NoVerdict("hung", "y\0" * 3000))) == []


def test_caches_learn_of_each_judgement(books: Books) -> None:
    def version() -> int:
        with reading(books.engine) as connection:
            return data_version(connection)

    before = version()
    books.judge(at(0), of(books.ids[0], finding()))
    assert version() > before


def test_what_is_recorded_in_a_transaction_that_fails_is_not_there(books: Books) -> None:
    with books.engine.connect() as connection, connection.begin() as transaction:
        judged = [of(job_id, finding(), NoVerdict("hung", "why")) for job_id in books.ids]
        assert kinds(record_findings(connection, books.scope_row, judged, at(0))) == {"opened": 3}
        transaction.rollback()
    assert (books.rows(), books.unjudged()) == ([], {})


def test_ten_thousand_findings_are_one_transaction_of_moments(engine: Engine) -> None:
    books = Books(engine, jobs=2500)
    rules = ("idle_gpu", "hung", "stuck", "no_limit")
    judged = [of(job_id, *(finding(rule) for rule in rules), NoVerdict("diverged", f"why {job_id}")) for job_id in books.ids]
    begun = time.process_time()
    assert kinds(books.judge(at(0), *judged)) == {"opened": 10_000}
    assert books.judge(at(1), *judged) == []
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(findings).where(findings.c.judged_at == at(1))) == 10_000
        assert sum(one.jobs for one in unjudged_counts(connection)) == 2500
    half = [one if number % 2 else of(one.job_id) for number, one in enumerate(judged)]
    assert kinds(books.judge(at(2), *half)) == {"closed": 5_000}
    assert kinds(books.close(at(3), books.ids[:1250])) == {"closed": 2_500}
    assert len(books.open()) == 2_500
    assert time.process_time() - begun < 10


def test_many_that_cannot_be_judged_take_no_longer_than_they_are_many(sqlite_engine: Engine) -> None:
    books = Books(sqlite_engine, jobs=1)
    job_ids = range(1, 20_001)  # SQLite asks for no such job
    begun = time.process_time()
    books.judge(at(0), *(of(job_id, NoVerdict("hung", "why")) for job_id in job_ids))
    books.judge(at(1), *(of(job_id, NoVerdict("hung", "another")) for job_id in job_ids))
    assert time.process_time() - begun < 5
