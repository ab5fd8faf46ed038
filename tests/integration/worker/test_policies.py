"""Policies over HTTP, with a clock that moves: two warnings, then a stop, and everything that keeps one from it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select

from actions.quieting import put_aside
from demo.call import Call
from demo.errors import invalid
from demo.plan import DEFAULT_ACCOUNT, JobPlan
from settings import PolicySettings, Settings
from storage.engine import Connection, reading
from storage.facts import all_scopes
from storage.schema_operations import policy_steps
from storage.views.audit import AuditRow
from storage.views.findings import FindingRow, open_findings
from tests.integration.actions.conftest import ADMIN, OPERATOR, OTHER_ACCOUNT, TWO_ACCOUNTS, Desk, Sit, running, sit
from tests.integration.collectors.watching import HOUR, MINUTE, lasting
from worker.judging import judge_scope
from worker.policies import Policies

__all__ = ["sit"]

IDLE = "rc-fraud-gnn-20261120-070000"
WORKS = "rc-fraud-gnn-20261120-080000"
NIGHTS = {"name": "nights", "rules": ["idle_gpu"], "enabled": True, "dry_run": False}
ALL_STEPS = [("warned", IDLE), ("warned_again", IDLE), ("stopped", IDLE)]


def idle(name: str = IDLE, **members: Any) -> JobPlan:
    """A job that has done nothing for four hours."""
    return running(name, 5 * HOUR, behaviour="idle", **members)


def _settings(*policies: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"policies": list(policies), **sections}


class Night:
    """A desk at which nobody sits: collected, judged and acted upon as the worker does, in processes that know nothing of each other."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.engine, self.settings, self.clock = desk, desk.engine, desk.settings, desk.clock
        self.told: list[tuple[str, str]] = []
        self._known: set[tuple[int, str, bool]] = set()

    def tell(self, step: str, policy: PolicySettings, row: FindingRow, _connection: Connection) -> None:
        """Notes what was told: each step of a finding once, as messages are."""
        once = row.finding_id, step, policy.dry_run
        if once not in self._known:
            self._known.add(once)
            self.told.append((step, row.job))

    def judge(self) -> None:
        """Collects and judges, now."""
        self.desk.collect("jobs", "metrics")
        with reading(self.engine) as connection:
            rows = list(all_scopes(connection))
        for row in rows:
            judge_scope(self.engine, self.settings, row, self.clock.now())

    def apply(self, account: str = DEFAULT_ACCOUNT) -> None:
        """Lets the policies act on what was judged last."""
        Policies(self.engine, self.settings, self.desk.reach, self.clock.now, self.tell).apply((account, "us-east-1"))

    def after(self, minutes: float = 0) -> list[tuple[str, str]]:
        """One round, some time later: what was told in it."""
        before = len(self.told)
        self.clock.advance(minutes * MINUTE)
        self.judge()
        self.apply()
        return self.told[before:]

    def until_due(self) -> None:
        """Both warnings, and the grace period all but over."""
        for minutes in (0, 30, 29):
            self.after(minutes)
        assert {step for step, _ in self.told} == {"warned", "warned_again"}

    def audit(self) -> list[AuditRow]:
        """What was done, newest first; the warnings before it are apart."""
        return [row for row in self.desk.audit() if row.action != "warn"]

    def warnings(self) -> list[tuple[str, str]]:
        """Who was warned of what, in order, as the audit log has it."""
        return [(row.target, row.outcome) for row in reversed(self.desk.audit()) if row.action == "warn"]

    def findings(self) -> dict[str, FindingRow]:
        """The open findings by job."""
        with reading(self.engine) as connection:
            return {row.job: row for row in open_findings(connection)}

    def steps(self) -> list[tuple[str, bool]]:
        """The steps that are written down, and whether they were of a dry run."""
        rows = self.desk.account.rows(select(policy_steps).order_by(policy_steps.c.at, policy_steps.c.step))
        return [(row.step, row.dry_run) for row in rows if row.step != "asked"]

    @contextmanager
    def without(self, operation: str) -> Iterator[None]:
        """While AWS denies an operation."""
        self.desk.aws.faults.deny(operation)
        yield
        self.desk.aws.faults.clear()


def night(sit: Sit, *plans: JobPlan, engine: Engine | None = None, policy: dict[str, Any] | None = None, **sections: Any) -> Night:
    """A night with a policy over these jobs, or over one that idles and one that works."""
    jobs = plans or (idle(), running(WORKS, 4 * HOUR))
    return Night(sit(jobs, engine, **_settings(NIGHTS | (policy or {}), **sections)))


def _tag(one: Night, name: str, **tags: str) -> None:
    """Somebody tags a job in AWS, which makes it no newer."""
    entry = one.desk.entry(name)
    entry.retag(entry.tags | tags)


# The whole way


@pytest.mark.parametrize("policies", [[], [NIGHTS | {"enabled": False}], [{"name": "nights", "rules": ["idle_gpu"]}]])
def test_by_default_nothing_happens_however_long_it_idles(policies: list[dict[str, Any]], sit: Sit) -> None:
    one = Night(sit([idle()], **_settings(*policies)))
    for _ in range(8):
        assert one.after(30) == []
    assert set(one.findings()) == {IDLE}
    assert (one.steps(), one.desk.asked(), one.audit()) == ([], 0, [])
    assert one.desk.status(IDLE) == "InProgress"


def test_it_warns_warns_again_and_stops_each_once_and_that_job_alone(sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine)
    before = one.desk.statuses()
    assert one.after() == [("warned", IDLE)]
    assert [one.after(10), one.after(10), one.after(9)] == [[], [], []]
    assert one.after(1) == [("warned_again", IDLE)]
    assert [one.after(10), one.after(10), one.after(9)] == [[], [], []]
    assert one.desk.statuses() == before
    assert one.audit() == []
    assert one.warnings() == [(IDLE, "warned"), (IDLE, "warned again: the next step stops it")]
    assert one.after(1) == [("stopped", IDLE)]
    changed = {key[2] for key, status in one.desk.statuses().items() if status != before[key]}
    assert (changed, one.desk.asked(), one.desk.aws.calls["StopTrainingJob"]) == ({IDLE}, 1, 1)
    for minutes in (1, 9, 60, 60):
        assert one.after(minutes) == []
    assert one.told == ALL_STEPS
    assert one.desk.asked() == 1
    (row,) = one.audit()
    assert (row.by, row.via, row.action, row.team) == ("policy nights", "policy", "stop", "rc")
    assert row.reason.startswith("idle_gpu: Its GPU host under 5% GPU for 4 h 54")
    assert [said.partition(":")[0] for _, said in row.events] == ["asked", "stopping"]


def test_evidence_must_have_held_for_as_long_as_settings_say(sit: Sit) -> None:
    one = night(sit, policy={"evidence_minutes": 300})
    assert one.after() == []
    began = one.findings()[IDLE].since
    while one.clock.now() + 10 * MINUTE - began < 300 * MINUTE:
        assert one.after(10) == []
    assert one.after(10) == [("warned", IDLE)]


def test_a_dry_run_only_says_so_and_never_asks_aws_to_stop_anything(sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine, policy={"dry_run": True})
    for minutes in (0, 30, 30):
        one.after(minutes)
    assert one.told == ALL_STEPS
    one.desk.aws.calls.clear()
    for _ in range(3):
        one.apply()
    assert one.desk.aws.calls.total() == 0
    for minutes in (1, 30, 60):
        assert one.after(minutes) == []
    assert one.desk.asked() == 0
    assert one.desk.status(IDLE) == "InProgress"
    assert one.desk.open_stops() == []
    (row,) = one.audit()
    assert (row.by, row.target, row.outcome) == ("policy nights", IDLE, "dry run: it would have been stopped")


def test_a_dry_run_that_ends_begins_again_with_the_first_warning(sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine, policy={"dry_run": True})
    for minutes in (0, 30, 30):
        one.after(minutes)
    one.settings = Settings.model_validate(_settings(NIGHTS))
    one.told.clear()
    assert one.after(1) == [("warned", IDLE)]
    assert one.after(29) == []
    assert one.after(1) == [("warned_again", IDLE)]
    assert one.after(29) == []
    assert one.desk.asked() == 0
    assert one.after(1) == [("stopped", IDLE)]
    assert one.desk.asked() == 1


# What keeps a policy from a job


@pytest.mark.parametrize("key", ["trainwatch:exempt", "Trainwatch:Exempt", "TRAINWATCH:EXEMPT"])
def test_a_job_that_is_exempt_by_its_tag_is_left_alone_in_any_case(key: str, sit: Sit) -> None:
    one = night(sit, idle(tags={"Team": "rc", key: ""}))
    for _ in range(5):
        assert one.after(30) == []
    assert set(one.findings()) == {IDLE}
    assert one.desk.asked() == 0


def test_a_job_that_its_owner_exempts_after_the_last_warning_is_not_stopped(sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine)
    one.until_due()
    _tag(one, IDLE, **{"Trainwatch:Exempt": "yes"})
    for minutes in (1, 1, 10, 10, 60):
        assert one.after(minutes) == []
    assert one.desk.asked() == 0
    assert one.desk.status(IDLE) == "InProgress"
    entry = one.desk.entry(IDLE)
    entry.retag({"Team": "rc"})
    assert one.after(11) == [("stopped", IDLE)]


def test_where_the_tags_cannot_be_told_the_job_is_left_alone_and_looked_at_again_later(sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine)
    one.until_due()
    with one.without("ListTags"):
        assert one.after(1) == [("failed", IDLE)]
        assert one.after(5) == []
    assert one.desk.asked() == 0
    (row,) = one.audit()
    assert row.outcome.startswith("refused: whether a tag exempts it could not be told: ")
    assert "add sagemaker:ListTags to" in row.outcome
    assert one.after(4) == []
    assert one.after(1) == [("stopped", IDLE)]


@pytest.mark.parametrize("kind", ["acknowledged", "snoozed"])
def test_a_finding_that_somebody_has_put_aside_is_left_alone_until_that_ends(kind: Any, sit: Sit) -> None:
    one = night(sit)
    one.until_due()
    finding = one.findings()[IDLE].finding_id
    assert isinstance(put_aside(one.engine, OPERATOR, [finding], kind, "waits for data", one.clock.now() + 2 * HOUR, one.clock.now()), int)
    for minutes in (1, 30, 30, 58):
        assert one.after(minutes) == []
    assert one.desk.asked() == 0
    assert one.after(1) == [("stopped", IDLE)]


def test_a_finding_that_is_put_aside_while_the_policy_is_at_work_is_left_alone(sit: Sit) -> None:
    names = sorted([IDLE, f"{IDLE}-2"])
    one = night(sit, *(idle(name) for name in names))
    one.until_due()

    def object_to_the_other(call: Call) -> None:
        other = next(found for name, found in one.findings().items() if name != call.text("TrainingJobName"))
        put_aside(one.engine, OPERATOR, [other.finding_id], "acknowledged", "not this one", None, one.clock.now())

    one.desk.before("StopTrainingJob", object_to_the_other)
    assert one.after(1) == [("stopped", names[0])]
    assert one.after(1) == []
    assert (one.desk.status(names[1]), one.desk.asked()) == ("InProgress", 1)


def test_a_policy_for_another_team_leaves_it_alone(sit: Sit) -> None:
    one = night(sit, idle(), idle("nlp-llm-sft-20261120-070000", tags={"Team": "NLP"}), policy={"teams": ["nlp"]})
    for _ in range(5):
        one.after(30)
    assert {job for _, job in one.told} == {"nlp-llm-sft-20261120-070000"}
    assert one.desk.status(IDLE) == "InProgress"


def test_a_policy_on_another_rule_leaves_it_alone(sit: Sit) -> None:
    one = night(sit, policy={"rules": ["hung", "stuck"]})
    for _ in range(4):
        assert one.after(30) == []


def test_facts_that_have_grown_old_stop_nothing(sit: Sit) -> None:
    one = night(sit)
    one.until_due()
    one.clock.advance(16 * MINUTE)  # and the collectors stand still
    for _ in range(5):
        one.apply()
        one.clock.advance(HOUR)
    assert one.desk.asked() == 0
    assert one.after() == [("stopped", IDLE)]


def test_a_job_that_is_at_work_again_is_left_alone_and_begins_anew_when_it_idles_again(sit: Sit) -> None:
    one = night(sit)
    one.until_due()
    entry = one.desk.entry(IDLE)
    entry.plan = replace(entry.plan, behaviour="working")
    assert one.after(1) == []
    assert one.after(10) == []
    assert one.findings() == {}
    for minutes in (10, 60, 60):
        assert one.after(minutes) == []
    entry.plan = replace(entry.plan, behaviour="idle")
    one.told.clear()
    while not one.told:
        one.after(10)
    assert one.told == [("warned", IDLE)]
    assert one.clock.now() - one.findings()[IDLE].since >= HOUR
    assert one.after(29) == []
    assert one.after(1) == [("warned_again", IDLE)]
    assert one.desk.asked() == 0


def test_a_job_that_worked_while_nobody_judged_is_warned_of_anew(sit: Sit) -> None:
    one = night(sit)
    one.until_due()
    before, entry = one.findings()[IDLE], one.desk.entry(IDLE)
    for behaviour, rounds in (("working", 18), ("idle", 9)):
        entry.plan = replace(entry.plan, behaviour=behaviour)
        for _ in range(rounds):
            one.clock.advance(10 * MINUTE)
            one.desk.collect("jobs", "metrics")
    assert one.after() == [("warned", IDLE)]
    anew = one.findings()[IDLE]
    assert anew.finding_id != before.finding_id
    assert HOUR < one.clock.now() - anew.since < 2 * HOUR
    assert one.desk.asked() == 0


def test_a_snooze_lasts_until_the_time_that_was_chosen_though_the_job_worked_in_between(sit: Sit) -> None:
    one = night(sit)
    one.until_due()
    entry, until = one.desk.entry(IDLE), one.clock.now() + 12 * HOUR
    put_aside(one.engine, OPERATOR, [one.findings()[IDLE].finding_id], "snoozed", "waits for data", until, one.clock.now())
    one.told.clear()
    for behaviour, rounds in (("working", 12), ("idle", 54)):
        entry.plan = replace(entry.plan, behaviour=behaviour)
        for _ in range(rounds):
            one.after(10)
    with reading(one.engine) as connection:
        (row,) = [found for found in open_findings(connection) if (found.job, found.rule) == (IDLE, "idle_gpu")]
    assert row.opened_at > until - 10 * HOUR
    assert (row.quiet_kind, row.quiet_by, row.quiet_until) == ("snoozed", OPERATOR.name, until)
    assert (one.told, one.desk.asked()) == ([], 0)
    one.after(61)
    assert one.told == [("warned", IDLE)]


def test_judging_old_facts_again_makes_them_no_younger(sit: Sit) -> None:
    one = night(sit)
    one.until_due()
    for _ in range(5):  # the collector of jobs stands still, and that of metrics goes on
        one.clock.advance(4 * MINUTE)
        one.desk.collect("metrics")
        judge_scope(one.engine, one.settings, 1, one.clock.now())
    one.apply()
    assert one.desk.asked() == 0


def test_a_finding_that_has_closed_since_it_was_read_stops_nothing(sit: Sit) -> None:
    one = night(sit, idle(), idle(f"{IDLE}-2"))
    one.until_due()
    names = sorted(one.findings())
    entry = one.desk.entry(names[1])

    def recover(*_: Any) -> None:
        entry.plan = replace(entry.plan, behaviour="working")
        one.clock.advance(10 * MINUTE)
        one.judge()

    one.desk.before("StopTrainingJob", recover)
    assert one.after(1) == [("stopped", names[0])]
    assert one.desk.status(names[1]) == "InProgress"
    assert one.desk.asked() == 1


def test_a_job_that_somebody_stops_already_is_left_to_them(sit: Sit) -> None:
    one = night(sit, idle(stop_takes_seconds=3000))
    one.until_due()
    one.desk.stop(one.desk.target(IDLE), person=ADMIN)
    one.apply()
    assert one.after(1) == []
    assert one.desk.asked() == 1
    assert [row.by for row in one.audit()] == ["ann@example.com"]


def test_a_job_that_has_ended_by_itself_is_not_said_to_have_been_stopped(sit: Sit) -> None:
    one = night(sit, idle(phases=lasting(6)))
    one.until_due()
    one.clock.advance(MINUTE)
    one.judge()
    one.clock.advance(10 * MINUTE)
    assert one.desk.status(IDLE) == "Completed"
    one.apply()
    assert [step for step, _ in one.told] == ["warned", "warned_again"]
    assert one.desk.asked() == 0
    assert one.audit()[0].outcome.startswith("already_ended")


def test_a_child_of_a_tuning_job_that_lives_is_refused_once_and_not_each_minute(sit: Sit, engine: Engine) -> None:
    name = "rc-fraud-hpo-001-1a2b3c4d"
    one = night(sit, idle(name, tuning_job="rc-fraud-hpo"), engine=engine)
    one.until_due()
    assert one.after(1) == [("refused", name)]
    for minutes in (1, 1, 30, 60):
        assert one.after(minutes) == []
    assert one.desk.asked() == 0
    assert one.desk.status(name) == "InProgress"
    (row,) = one.audit()
    assert (row.by, row.after) == ("policy nights", {"refused": "tuning_child"})


def test_two_findings_of_one_job_stop_it_once_and_say_so_once(sit: Sit) -> None:
    teams = [{"id": "rc", "projects": ["fraud"], "max_job_usd": 0.5}]
    one = night(sit, policy={"rules": ["idle_gpu", "over_budget"], "evidence_minutes": 1}, teams=teams)
    for minutes in (0, 30, 30, 1, 1):
        one.after(minutes)
    assert sorted(one.told) == sorted([("warned", IDLE), ("warned_again", IDLE)] * 2 + [("warned", WORKS), ("warned_again", WORKS)] + [
        ("stopped", IDLE), ("stopped", WORKS),
    ])  # fmt: skip
    assert one.desk.asked() == len(one.audit()) == 2


# No more than so many


def _names(count: int) -> list[str]:
    return [f"{IDLE}-{number}" for number in range(count)]


def test_no_more_are_stopped_within_an_hour_than_settings_allow(sit: Sit, engine: Engine) -> None:
    one = night(sit, *(idle(name) for name in _names(5)), engine=engine)
    one.until_due()
    one.after(1)
    stopped = [job for step, job in one.told if step == "stopped"]
    assert len(stopped) == one.desk.asked() == 2
    assert sum(one.desk.status(name) == "InProgress" for name in _names(5)) == 3
    for minutes in (10, 20, 29):
        assert one.after(minutes) == []
    assert one.desk.asked() == 2
    one.after(2)
    assert len([job for step, job in one.told if step == "stopped"]) == one.desk.asked() == 4
    assert one.after(30) == []
    assert len(one.after(31)) == 1
    assert one.desk.asked() == 5
    assert len(set(one.told)) == len(one.told) == 15


def test_the_most_holds_for_all_accounts_together_when_they_are_looked_after_at_once(sit: Sit, engine: Engine) -> None:
    plans = [idle(), idle(account=OTHER_ACCOUNT), idle(f"{IDLE}-2"), idle(f"{IDLE}-2", account=OTHER_ACCOUNT)]
    one = night(sit, *plans, engine=engine, policy={"max_stops_per_hour": 1}, aws=TWO_ACCOUNTS)
    accounts = (DEFAULT_ACCOUNT, OTHER_ACCOUNT)
    for minutes in (0, 30):
        one.clock.advance(minutes * MINUTE)
        one.judge()
        for account in accounts:
            one.apply(account)
    assert len(one.told) == 8
    one.clock.advance(30 * MINUTE)
    one.judge()
    one.desk.aws.faults.slow("StopTrainingJob", 0.3)
    one.desk.aws.faults.slow("ListTags", 0.2)
    _together([lambda account=account: one.apply(account) for account in accounts])  # type: ignore[misc] # bound early
    assert one.desk.asked() == 1
    assert [step for step, _ in one.told].count("stopped") == 1


def test_two_processes_over_the_same_account_stop_and_tell_once(sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine)
    one.until_due()
    one.clock.advance(MINUTE)
    one.judge()
    one.desk.aws.faults.slow("StopTrainingJob", 0.3)
    _together([one.apply] * 3)
    assert one.desk.asked() == 1
    assert one.told == ALL_STEPS


def _together(acts: Sequence[Callable[[], None]]) -> None:
    barrier = Barrier(len(acts))
    problems: list[Exception] = []

    def run(act: Callable[[], None]) -> None:
        barrier.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says so
            problems.append(error)

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


# When AWS fails


@pytest.mark.parametrize("operation", ["StopTrainingJob", "DescribeTrainingJob"])
def test_what_aws_refuses_is_tried_again_after_ten_minutes_and_not_sooner_and_told_once(operation: str, sit: Sit, engine: Engine) -> None:
    one = night(sit, engine=engine)
    one.until_due()

    def round_after(minutes: float) -> None:
        one.clock.advance(minutes * MINUTE)
        one.judge()
        with one.without(operation):
            one.apply()

    round_after(1)
    assert one.desk.status(IDLE) == "InProgress"
    assert f"sagemaker:{operation} is denied: add sagemaker:{operation} to" in one.audit()[0].outcome
    tries, asked = len(one.audit()), one.desk.asked()
    for minutes in (1, 4, 4.9):
        round_after(minutes)
    assert (len(one.audit()), one.desk.asked(), tries) == (1, asked, 1)
    round_after(0.1)
    assert len(one.audit()) == 2
    assert [step for step, _ in one.told] == ["warned", "warned_again", "failed"]
    assert one.after(9.9) == []
    assert one.after(0.1) == [("stopped", IDLE)]
    assert one.desk.status(IDLE) == "Stopping"


def test_a_stop_that_failed_takes_no_turn_from_another(sit: Sit) -> None:
    one = night(sit, idle(), idle(f"{IDLE}-2"), policy={"max_stops_per_hour": 1})
    one.until_due()
    first = sorted(one.findings())[0]

    def not_the_first(call: Call) -> None:
        if call.text("TrainingJobName") == first:
            raise invalid("not this one")

    one.desk.before("StopTrainingJob", not_the_first)
    assert one.after(1) == [("failed", first), ("stopped", next(name for name in one.findings() if name != first))]
    assert one.desk.status(first) == "InProgress"


def test_the_turn_of_a_process_that_died_over_a_stop_is_taken_up_for_the_same_job_and_no_other(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = night(sit, idle(), idle(f"{IDLE}-2"), policy={"max_stops_per_hour": 1})
    one.until_due()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    one.clock.advance(MINUTE)
    one.judge()
    with monkeypatch.context() as patch:
        patch.setattr("worker.policies.execute", dies)
        with pytest.raises(KeyboardInterrupt):
            one.apply()
    for minutes in (1, 4):
        assert one.after(minutes) == []
    assert one.desk.asked() == 0
    assert one.after(1) == [("stopped", min(one.findings()))]
    for minutes in (1, 30, 28):
        assert one.after(minutes) == []
    assert one.desk.asked() == 1
