"""The demo's jobs, collected over HTTP and judged, held against what its oracle says is true of them."""

import logging
import sqlite3
import tomllib
from collections.abc import Callable, Set
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

import collectors.metrics
import demo
import worker.watch
from demo.innocents import innocents
from demo.oracle import borderline_all, expected_all
from demo.plan import Cluster
from demo.troubles import TROUBLES
from demo.workload import workload
from storage.schema_operations import findings
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import HOUR, MINUTE, NOW, Watched, lasting, plan
from worker.run import RunReport
from worker.telling import Teller

AT = NOW + 20 * MINUTE
BY_SAMPLES = {"idle_gpu", "hung", "slow_gpu", "unused_gpus", "straggler", "idle_cpu", "diverged"}
SEEN_BY = ("prices", "jobs", "metrics", "logs", "tuning", "checkpoints")  # the collectors whose facts are judged
ALL_WELL = dict.fromkeys(SEEN_BY, "ok") | {"checkpoints": "partial"}  # there is a bucket that keeps us out
Rules = dict[str, set[str]]


def demo_account(watch: Watch, engine: Engine | None = None) -> Watched:
    """The demo's account at twenty past a full hour, none of it collected yet."""
    made = watch(workload(1, 300, AT), engine, **tomllib.loads(demo.settings_text()))
    made.clock.set(AT)
    return made


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs it puts the books of the demo's account, for the others."""
    return tmp_path_factory.mktemp("judging") / "collected.db"


@pytest.fixture
def account(watch: Watch, sqlite_engine: Engine, once: Path) -> Watched:
    """The demo's account, all of it collected and nothing judged yet."""
    made, own = demo_account(watch, sqlite_engine), Path(str(sqlite_engine.url.database))
    if once.exists():
        _copy(once, own)
    else:
        assert made.collect(*SEEN_BY) == ALL_WELL
        _copy(own, once)
    return made


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(target)) as copy:
        whole.backup(copy)


def truth(account: Watched) -> tuple[Rules, Rules]:
    """The rules that truly apply to each job of the watched scope now, and those of which it is a matter of minutes."""
    now, scope = account.clock.now(), (account.aws.account, account.aws.region)
    both = expected_all(account.aws.plans, now), borderline_all(account.aws.plans, now)
    said, close = ({key[2]: set(rules) for key, rules in one.items() if key[:2] == scope} for one in both)
    return said, close


def found(account: Watched) -> Rules:
    """The rules of the open findings, by job."""
    rules: Rules = {}
    for job, rule in account.open_findings():
        rules.setdefault(job, set()).add(rule)
    return rules


def assert_true(account: Watched, left_out: Set[str] = frozenset()) -> Rules:
    """Each job has the findings that it deserves, and no other; what they are."""
    said, close = truth(account)
    told = found(account)
    surplus = told.keys() - said.keys()
    assert not surplus
    expected = {job: rules - close[job] - left_out for job, rules in said.items()}
    assert {job: told.get(job, set()) - close[job] for job in said} == expected
    return expected


def test_every_job_of_the_demo_gets_the_findings_that_it_deserves_and_no_other(account: Watched) -> None:
    account.judge()
    expected = assert_true(account)
    assert set().union(*expected.values()) == set(TROUBLES)  # or the demo shows less than it says
    live = {one.name for one in innocents(NOW) if one.created_at <= AT} & account.job_ids().keys()
    assert len(live) > 15
    assert not [job for job in live if expected.get(job)]


def test_ten_minutes_and_three_hours_later_they_are_true_again(account: Watched) -> None:
    account.judge()
    before = assert_true(account)
    account.clock.advance(10 * MINUTE)
    assert account.collect(*SEEN_BY) == ALL_WELL
    assert account.judge() == []
    assert {job: rules for job, rules in assert_true(account).items() if rules} == {job: rules for job, rules in before.items() if rules}
    account.clock.advance(3 * HOUR)
    assert account.collect(*SEEN_BY) == ALL_WELL
    account.judge()
    assert_true(account)
    assert {row.opened_at for row in account.open_findings().values()} <= {AT, AT + 10 * MINUTE + 3 * HOUR}


def test_when_jobs_end_their_findings_close(account: Watched) -> None:
    opened = account.judge()
    account.clock.advance(9 * HOUR)
    assert account.collect(*SEEN_BY) == ALL_WELL
    account.judge()
    assert_true(account)
    closed = account.rows(select(findings).where(findings.c.closed_at.is_not(None)))
    assert len(closed) > len(opened) / 2
    assert {row.closed_because for row in closed} <= {"the job has ended", "it no longer holds"}
    live = truth(account)[0]
    names = {job_id: name for name, job_id in account.job_ids().items()}
    assert {row.closed_because for row in closed if names[row.job_id] not in live} == {"the job has ended"}
    assert {row.closed_at for row in closed} == {AT + 9 * HOUR}


def test_the_same_facts_judged_again_change_nothing(account: Watched) -> None:
    assert {change.kind for change in account.judge()} == {"opened"}
    before = account.rows(select(findings).order_by(findings.c.id))
    account.clock.advance(2 * MINUTE)
    assert account.judge() == []
    assert account.rows(select(findings).order_by(findings.c.id)) == before


def test_a_judgement_is_as_old_as_the_facts_that_it_rests_on(account: Watched) -> None:
    """However late it is judged: policies hold that against the age of facts on which they may still act."""
    account.clock.advance(2 * MINUTE)
    account.judge()
    ages = {(rule in BY_SAMPLES, AT - row.judged_at) for (_, rule), row in account.open_findings().items() if rule != "checkpoint_stopped"}
    assert {age for sampled, age in ages if not sampled} == {timedelta(0)}
    assert all(timedelta(0) < age <= 15 * MINUTE for sampled, age in ages if sampled)


@pytest.mark.parametrize("minutes", [3, -3])
def test_a_clock_that_is_wrong_by_minutes_changes_no_finding(minutes: int, watch: Watch) -> None:
    account = demo_account(watch)
    account.ahead = minutes * MINUTE
    for _ in range(2):
        assert account.collect(*SEEN_BY) == ALL_WELL
        account.judge()
        assert_true(account)
        account.clock.advance(5 * MINUTE)


def test_without_cloudwatch_no_rule_about_samples_speaks_and_each_says_why_while_the_others_speak(watch: Watch) -> None:
    account = demo_account(watch)
    account.aws.faults.deny("GetMetricData")
    assert account.collect(*SEEN_BY) == ALL_WELL | {"metrics": "failed"}
    account.judge()
    assert_true(account, left_out=BY_SAMPLES)
    idle = next(job for job, rules in truth(account)[0].items() if "idle_gpu" in rules)
    assert account.unjudged(idle).keys() >= {"idle_gpu", "hung", "slow_gpu"}
    for rule in ("idle_gpu", "hung", "slow_gpu"):
        assert "cloudwatch:GetMetricData is denied: add cloudwatch:GetMetricData to" in account.unjudged(idle)[rule]
        assert "samples" not in account.unjudged(idle)[rule]
    account.aws.faults.clear()
    account.collect("metrics")
    account.judge()
    assert_true(account)
    assert not account.unjudged(idle).keys() & BY_SAMPLES


def test_where_samples_stop_coming_what_was_found_by_them_stays_open(account: Watched) -> None:
    account.judge()
    before = found(account)
    account.aws.faults.deny("GetMetricData")
    for _ in range(3):
        account.clock.advance(20 * MINUTE)
        assert account.collect("jobs", "metrics", "logs") == {"jobs": "ok", "metrics": "failed", "logs": "ok"}
        account.judge()
    still = found(account)
    assert {job: rules & BY_SAMPLES for job, rules in before.items() if job in still} == {
        job: rules & BY_SAMPLES for job, rules in still.items() if job in before
    }
    idle = next(job for job, rules in before.items() if "idle_gpu" in rules)
    row = account.open_findings()[idle, "idle_gpu"]
    assert "idle_gpu" in account.unjudged(idle)
    assert row.closed_at is None
    assert AT - 15 * MINUTE <= row.judged_at <= AT


def test_facts_that_have_grown_old_are_not_judged_and_their_findings_stay(account: Watched) -> None:
    account.judge()
    idle = next(job for job, rules in found(account).items() if "idle_gpu" in rules)
    client: Any = account.clients().sagemaker
    client.stop_training_job(TrainingJobName=idle)
    account.aws.faults.fail("Search", 500)
    others = [collector for collector in SEEN_BY if collector != "jobs"]
    before = account.rows(select(findings).order_by(findings.c.id))
    for _ in range(3):
        account.clock.advance(20 * MINUTE)
        assert account.run("jobs").outcome == "failed"
        assert account.collect(*others) == {name: ALL_WELL[name] for name in others}
        assert account.judge() == []
        assert account.rows(select(findings).order_by(findings.c.id)) == before
    assert "idle_gpu" in found(account)[idle]
    account.aws.faults.clear()
    account.collect(*SEEN_BY)
    account.judge()
    assert idle not in found(account)
    (row,) = account.rows(select(findings).where(findings.c.job_id == account.job_ids()[idle], findings.c.rule == "idle_gpu"))
    assert (row.closed_at, row.closed_because) == (AT + HOUR, "the job has ended")


def test_a_job_that_nobody_has_looked_at_says_so(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.metrics, "QUERIES", 4)
    idle = [plan(f"idle-{number}", cluster=Cluster.of("ml.g5.2xlarge"), phases=lasting(40), behaviour="silent") for number in range(2)]
    account = watch(idle, collect={"metric_calls": 1})
    account.collect("jobs")
    account.judge()
    said = [account.unjudged(one.name)["idle_gpu"] for one in idle]
    assert said == ["nobody has looked at its metrics yet"] * 2
    account.collect("metrics")
    account.judge()
    said = sorted(account.unjudged(one.name)["idle_gpu"] for one in idle)
    assert said == ["CloudWatch has no samples of it", "nobody has looked at its metrics yet"]


def test_a_job_that_aws_knows_no_more_has_no_findings(watch: Watch) -> None:
    doomed = plan("doomed", phases=lasting(40), behaviour="idle", turns_bad_after_seconds=60.0, deleted_at=NOW + HOUR)
    account = watch([doomed])
    account.collect("jobs", "metrics")
    account.judge()
    assert found(account) == {"doomed": {"idle_gpu"}}
    account.clock.advance(2 * HOUR)
    account.collect("jobs")
    account.judge()
    assert found(account) == {}


def test_a_finding_that_holds_for_longer_than_samples_are_looked_at_keeps_its_beginning(watch: Watch) -> None:
    account = watch([plan("idle", created=2 * HOUR, phases=lasting(60), behaviour="idle", turns_bad_after_seconds=3600.0)])
    since = set()
    for _ in range(4):
        assert set(account.collect("jobs", "metrics").values()) == {"ok"}
        account.judge()
        since.add(account.open_findings()["idle", "idle_gpu"].since)
        account.clock.advance(7 * HOUR)
    (begun,) = since
    assert abs(begun - (NOW - HOUR)) <= 5 * MINUTE
    assert account.rows(select(func.count()).where(findings.c.rule == "idle_gpu")) == [(1,)]


# Several at once.


def watches(account: Watched, count: int) -> list[worker.watch.Watch]:
    """So many processes' watches over one scope."""
    target, teller = account.clients().target, Teller(account.settings, account.engine, account.now)
    return [worker.watch.Watch(account.engine, account.settings, target, account.now, teller) for _ in range(count)]


def report_of(account: Watched, collector: str = "jobs", outcome: Any = "ok") -> RunReport:
    """A run that has just ended."""
    return RunReport(account.clients().target.scope, collector, outcome, "", 0, 0, 0.0)


def counted(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object] = lambda: None) -> list[int]:
    """A list that grows with each judgement from now on; `before` happens at the start of each."""
    real, seen = worker.watch.judge_scope, []

    def judging(*arguments: Any, **named: Any) -> Any:
        seen.append(1)
        before()
        return real(*arguments, **named)

    monkeypatch.setattr(worker.watch, "judge_scope", judging)
    return seen


def test_while_one_process_judges_another_leaves_it_to_it(
    account: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, released = Event(), Event()
    seen = counted(monkeypatch, lambda: (begun.set(), released.wait(20)))
    one, other = watches(account, 2)
    thread = Thread(target=one.after, args=[report_of(account)])
    thread.start()
    try:
        assert begun.wait(20)
        other.after(report_of(account))
        assert len(seen) == 1
        assert found(account) == {}
    finally:
        released.set()
        thread.join(20)
    assert_true(account)
    other.after(report_of(account))
    assert len(seen) == 2
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_however_many_judge_at_once_each_finding_is_there_once(watch: Watch, engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    account = demo_account(watch, engine)
    account.collect(*SEEN_BY)
    line = Barrier(4)

    def go(one: worker.watch.Watch) -> None:
        for _ in range(3):
            line.wait(30)
            one.after(report_of(account))

    threads = [Thread(target=go, args=[one]) for one in watches(account, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert_true(account)
    rules = func.count(findings.c.id).label("rows")
    doubled = account.rows(select(findings.c.job_id, findings.c.rule, rules).group_by(findings.c.job_id, findings.c.rule).having(rules > 1))
    assert doubled == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_judgement_that_fails_is_logged_and_the_next_one_is_made(
    account: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (one,) = watches(account, 1)

    def explode() -> None:
        raise ZeroDivisionError("a surprise")

    with monkeypatch.context() as patch:
        counted(patch, explode)
        one.after(report_of(account))
    assert "findings could not be brought up to date" in caplog.text
    assert found(account) == {}
    one.after(report_of(account))
    assert_true(account)


def test_a_process_that_died_while_it_judged_is_followed_by_another(account: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    one, other = watches(account, 2)

    def die() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        counted(patch, die)
        patch.setattr("storage.leases.Lease.release", lambda *_: None)  # the dead give nothing back
        with pytest.raises(Killed):
            one.after(report_of(account))
    seen = counted(monkeypatch)
    other.after(report_of(account))
    assert seen == []  # this very process held the lease, and lives
    account.clock.advance(timedelta(seconds=91))
    other.after(report_of(account))
    assert seen == [1]
    assert found(account)


@pytest.mark.parametrize(("collector", "outcome"), [("prices", "ok"), ("jobs", "held"), ("metrics", "lost")])
def test_after_a_run_that_brought_nothing_to_judge_nothing_is_judged(
    collector: str, outcome: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = watch()
    seen = counted(monkeypatch)
    (one,) = watches(account, 1)
    one.after(report_of(account, collector, outcome))
    assert seen == []
    one.after(report_of(account, "metrics", "failed"))  # what is there may be judged all the same
    assert seen == [1]
