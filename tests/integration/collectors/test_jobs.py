"""Training jobs collected over HTTP from the simulated account."""

from typing import Any

import pytest
from sqlalchemy import func, select

import collectors.searching
from demo.plan import ABSENT, SERVERLESS, JobPlan, WarmPool, failed
from demo.workload import bulk
from storage.schema import jobs, oddities, training_jobs
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW, lasting, plan


def test_a_history_of_n_jobs_takes_no_more_than_n_over_a_hundred_and_ten_calls(watch: Watch) -> None:
    account = watch(bulk(1500, NOW, 300))
    report = account.run()
    assert (report.outcome, report.rows) == ("ok", 1500)
    assert account.sagemaker_calls() <= 1500 / 100 + 10
    assert len(account.names()) == 1500
    assert set(account.names().values()) == {1}


def test_once_the_history_is_there_a_run_takes_a_call_or_two(watch: Watch) -> None:
    account = watch(bulk(300, NOW, 30))
    account.run()
    account.aws.calls.clear()
    assert account.later(MINUTE).outcome == "ok"
    assert account.sagemaker_calls() <= 2


def test_queries_that_stop_at_their_limit_are_continued_without_losing_or_repeating_a_job(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collectors.searching, "QUERY_HITS", 300)
    together = [plan(f"same-second-{number:03}", created=40 * DAY) for number in range(150)]
    account = watch([*bulk(1000, NOW, 90), *together])
    assert account.run().outcome == "ok"
    assert account.sagemaker_calls() <= 1150 / 100 + 10
    assert len(account.names()) == 1150
    assert set(account.names().values()) == {1}


def test_changes_that_exceed_one_query_are_all_found(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.searching, "QUERY_HITS", 200)
    account = watch()
    account.run()
    for number in range(450):
        account.aws.add(plan(f"later-{number:03}", created=-MINUTE - number * MINUTE / 10))
    assert account.later(5 * HOUR).outcome == "ok"
    assert len(account.names()) == 450


def test_the_history_ends_where_the_settings_say_and_goes_deeper_when_they_do(watch: Watch) -> None:
    account = watch([plan("recent", created=5 * DAY), plan("old", created=50 * DAY)], collect={"history_days": 10})
    account.run()
    assert set(account.names()) == {"recent"}
    account.settings = account.settings.model_validate({"collect": {"history_days": 100}})
    account.run()
    assert set(account.names()) == {"recent", "old"}


def test_a_live_job_is_followed_to_its_end(watch: Watch) -> None:
    account = watch([plan("alive", created=HOUR, phases=lasting(2))])
    account.run()
    assert account.status("alive") == ["InProgress"]
    account.later(3 * HOUR)
    assert account.status("alive") == ["Completed"]
    account.aws.calls.clear()
    account.later(HOUR)
    assert account.aws.calls["DescribeTrainingJob"] == 0


def test_an_ended_job_is_looked_at_as_long_as_its_warm_pool_bills(watch: Watch) -> None:
    account = watch([plan("pooled", created=2 * HOUR, phases=lasting(1), warm_pool=WarmPool(7200, 7200))])
    account.run()
    statement = select(jobs.c.warm_pool_nusd)
    early = account.rows(statement)[0][0]
    account.later(30 * MINUTE)
    assert account.rows(statement)[0][0] > early
    account.later(3 * HOUR)
    account.aws.calls.clear()
    account.later(HOUR)
    assert account.aws.calls["DescribeTrainingJob"] == 0


def test_a_new_job_is_found_with_its_tags(watch: Watch) -> None:
    account = watch()
    account.run()
    account.aws.add(plan("fresh", created=-MINUTE, tags={"Team": "vision"}))
    account.later(2 * MINUTE)
    assert account.teams() == {"fresh": "vision"}


def test_a_deleted_live_job_stays_in_the_books_as_gone(watch: Watch) -> None:
    account = watch([plan("doomed", created=HOUR, phases=lasting(9), deleted_at=NOW + HOUR)])
    account.run()
    account.later(2 * HOUR)
    assert account.gone() == ["doomed"]
    account.aws.calls.clear()
    account.later(HOUR)
    assert account.aws.calls["DescribeTrainingJob"] == 0
    assert account.names() == {"doomed": 1}


def test_a_reused_name_is_another_job_and_the_first_is_gone(watch: Watch) -> None:
    first = plan("twice", created=HOUR, phases=lasting(9), deleted_at=NOW + 10 * MINUTE)
    second = plan("twice", created=-20 * MINUTE, tags={"Team": "vision"})
    account = watch([first, second])
    account.run()
    account.aws.search_lag = HOUR  # so that the direct look, and not Search, is what finds the second
    account.later(30 * MINUTE)
    assert account.names() == {"twice": 2}
    assert account.gone() == ["twice"]
    assert sorted(row.team for row in account.rows(select(jobs.c.team))) == ["rc", "vision"]


def test_a_late_search_index_does_not_take_a_job_back_in_time(watch: Watch) -> None:
    account = watch([plan("alive", created=HOUR, phases=lasting(1.5))])
    account.run()
    account.aws.search_lag = 14 * MINUTE
    account.clock.set(NOW + 40 * MINUTE)  # it has just ended, as Describe knows and Search does not
    account.run()
    assert account.status("alive") == ["Completed"]
    account.later(MINUTE)
    assert account.status("alive") == ["Completed"]


def test_tags_edited_after_the_end_are_found_by_the_daily_sweep(watch: Watch) -> None:
    account = watch([plan("tagged-later", created=5 * DAY)])
    account.run()
    client = account.clients().sagemaker
    client.add_tags(ResourceArn=plan("tagged-later").arn, Tags=[{"Key": "Team", "Value": "vision"}])
    account.later(HOUR)
    assert account.teams() == {"tagged-later": "rc"}
    account.later(DAY)
    assert account.teams() == {"tagged-later": "vision"}


def test_what_search_lacks_is_described(watch: Watch) -> None:
    account = watch([plan("tokens", created=DAY, cluster=SERVERLESS, serverless_tokens=5_000_000), plan("plain")])
    account.run()
    assert dict(account.rows(select(training_jobs.c.name, jobs.c.capacity).join(jobs, jobs.c.id == training_jobs.c.id))) == {
        "tokens": "serverless",
        "plain": "on_demand",
    }
    assert account.aws.calls["DescribeTrainingJob"] == 1


def test_without_describe_live_jobs_are_as_fresh_as_search(watch: Watch) -> None:
    account = watch([plan("alive", created=HOUR, phases=lasting(2))])
    account.run()
    account.aws.faults.deny("DescribeTrainingJob")
    report = account.later(MINUTE)
    assert report.outcome == "partial"
    assert "add sagemaker:DescribeTrainingJob to" in report.message
    account.later(3 * HOUR)
    assert account.status("alive") == ["Completed"]


HOSTILE: dict[str, dict[str, Any]] = {
    "an unknown status": {"TrainingJobStatus": "Paused"},
    "an unknown secondary status": {"SecondaryStatus": "Meditating"},
    "an unknown instance type": {"ResourceConfig.InstanceType": "ml.p9.48xlarge"},
    "an unknown member": {"QuantumConfig": {"Qubits": 12}},
    "a missing member": {"RoleArn": ABSENT, "OutputDataConfig": ABSENT},
    "a null member": {"ResourceConfig": None, "FailureReason": None, "SecondaryStatusTransitions": None},
    "an absurd time": {"TrainingEndTime": 99999999999999},
    "a time that is text": {"TrainingStartTime": "yesterday"},
    "a structure that is text": {"ResourceConfig": "much", "StoppingCondition": [1, 2]},
    "a list that is text": {"SecondaryStatusTransitions": "none"},
    "a negative number": {"BillableTimeInSeconds": -5},
    "a huge number": {"BillableTimeInSeconds": 2**63 - 1, "TrainingTimeInSeconds": 1e300},
    "NUL and control characters": {"FailureReason": "a\0b\x1b[31m\u202egnp.exe"},
    "huge text": {"FailureReason": "x" * 300_000},
    "hostile text": {"FailureReason": "<script>alert(1)</script>", "HyperParameters": {"=cmd|' /C calc'!A0": "<b>"}},
    "tags of another shape": {"Algorithm": 1},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_a_description_holds_the_job_is_kept_and_the_others_too(what: str, watch: Watch) -> None:
    account = watch([plan("odd", created=2 * HOUR, overrides=HOSTILE[what]), plan("plain"), plan("alive", phases=lasting(9))])
    assert account.run().outcome == "ok"
    assert account.later(MINUTE).outcome == "ok"
    assert set(account.names()) == {"odd", "plain", "alive"}
    assert account.names().total() == 3


def test_an_oddity_is_noted(watch: Watch) -> None:
    account = watch([plan("odd", overrides={"TrainingJobStatus": "Paused", "TrainingStartTime": -1e15})])
    account.run()
    found = {(row.kind, row.member) for row in account.rows(select(oddities))}
    assert found >= {("unknown value", "TrainingJobStatus"), ("absurd time", "TrainingStartTime")}


def _some() -> list[JobPlan]:
    ended = [plan(f"job-{number:03}", created=number * 8 * HOUR + 3 * HOUR) for number in range(120)]
    return [*ended, plan("alive", created=HOUR, phases=lasting(9)), plan("never", ending=failed("Capacity", started=False))]


def test_where_search_is_denied_list_serves_and_says_so(watch: Watch) -> None:
    account = watch(_some())
    account.aws.faults.deny("Search")
    report = account.run()
    assert report.outcome == "ok"
    assert "sagemaker:Search is denied" in report.message
    assert len(account.names()) == 122
    assert set(account.teams().values()) == {"rc"}


def test_list_gives_the_same_books_as_search(watch: Watch, sqlite_engine: Any) -> None:
    account = watch(_some())
    account.aws.faults.deny("Search")
    account.run()
    by_list = account.totals()
    account.aws.faults.clear()
    changed = account.run()
    assert account.totals() == by_list
    assert "Search is denied" not in changed.message


def test_list_does_not_describe_again_what_ended_and_is_unchanged(watch: Watch) -> None:
    account = watch(_some())
    account.aws.faults.deny("Search")
    account.run()
    account.aws.calls.clear()
    account.aws.add(plan("fresh", created=-MINUTE))
    account.later(5 * MINUTE)
    assert account.names()["fresh"] == 1
    assert account.aws.calls["DescribeTrainingJob"] <= 3  # the live one, and the fresh one
    account.aws.calls.clear()
    account.later(DAY)  # the daily sweep looks for tags edited since
    assert account.aws.calls["ListTags"] > 100


def test_without_tags_permission_list_keeps_the_jobs_and_names_what_is_missing(watch: Watch) -> None:
    account = watch(_some())
    account.aws.faults.deny("Search")
    account.aws.faults.deny("ListTags")
    report = account.run()
    assert report.outcome == "partial"
    assert "add sagemaker:ListTags to" in report.message
    assert len(account.names()) == 122


def test_tags_that_can_no_longer_be_told_stay_as_they_were(watch: Watch) -> None:
    account = watch(_some())
    account.run()
    tagged = select(func.count()).select_from(jobs).where(jobs.c.team_rule == "tag")
    before = account.rows(tagged)
    assert before[0][0] > 0
    account.aws.faults.deny("Search")
    account.aws.faults.deny("ListTags")
    account.later(DAY)  # the daily sweep describes all of them again
    assert account.rows(tagged) == before


def test_where_both_are_denied_the_run_fails_and_names_both(watch: Watch) -> None:
    account = watch(_some())
    account.aws.faults.deny("Search")
    account.aws.faults.deny("ListTrainingJobs")
    report = account.run()
    assert report.outcome == "failed"
    assert "add sagemaker:Search to" in report.message
    assert "sagemaker:ListTrainingJobs" in report.message
