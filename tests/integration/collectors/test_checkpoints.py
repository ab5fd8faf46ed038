"""Checkpoints looked at over HTTP: state, rhythm, the last look, and buckets that cannot be listed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

import collectors.checkpoints as checkpoints_collector
from aws.errors import AccessDenied
from demo.plan import Checkpoints, Interruption, JobPlan, Limits
from reports.checkpoints import team_data
from storage.checkpoints import read_checkpoints
from storage.engine import reading
from storage.schema import training_jobs
from storage.schema_objects import checkpoints
from storage.views.coverage import coverage_days, live_coverage, team_coverage
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import HOUR, MINUTE, NOW, Watched, lasting, plan

BUCKET = "acme-sm-rc-fraud"


def spot(name: str, created: timedelta = 5 * HOUR, hours: float = 20.0, **saving: Any) -> JobPlan:
    """A live spot job that saves every twenty minutes."""
    made = plan(name, created, phases=lasting(hours), spot=True, billable_share=0.4, limits=Limits(172_800, 259_200))
    return replace(made, checkpoints=Checkpoints(f"s3://{BUCKET}/checkpoints/{name}/", **{"every_seconds": 1200.0} | saving))


def states(account: Watched) -> dict[str, str]:
    """The recorded state by job."""
    joined = select(training_jobs.c.name, checkpoints.c.state).join(checkpoints, checkpoints.c.job_id == training_jobs.c.id)
    return {row.name: row.state for row in account.rows(joined)}


def look(account: Watched, after: timedelta = timedelta(0)) -> None:
    """Jobs, then checkpoints."""
    account.clock.advance(after)
    assert account.run("jobs").outcome == "ok"
    account.run("checkpoints")


def test_a_job_that_saves_is_fresh_and_one_that_stopped_is_stale(watch: Watch) -> None:
    account = watch([spot("saves"), spot("stopped", stops_after_seconds=7200.0), spot("never", every_seconds=10**6)])
    look(account)
    assert states(account) == {"saves": "fresh", "stopped": "stale", "never": "never_written"}


def test_a_look_costs_one_call_a_job_and_a_job_without_checkpoints_none(watch: Watch) -> None:
    account = watch([spot(f"job-{number}") for number in range(6)] + [replace(spot("bare"), checkpoints=None)])
    account.run("jobs")
    account.aws.calls.clear()
    account.run("checkpoints")
    assert account.aws.calls["ListObjectsV2"] == 6
    assert states(account)["bare"] == "not_configured"


def test_saves_that_the_trainer_deleted_since_stay_known(watch: Watch) -> None:
    account = watch([spot("saves", keep=2)])
    for _ in range(4):
        look(account, 40 * MINUTE)
    with reading(account.engine) as connection:
        (found,) = read_checkpoints(connection, [1]).values()
    assert len(found.saves) >= 6
    assert found.objects == 6


def test_look_alike_prefixes_are_not_mistaken(watch: Watch) -> None:
    account = watch([spot("job-1", every_seconds=10**6), spot("job-10")])
    account.aws.add(replace(spot("other"), checkpoints=Checkpoints(f"s3://{BUCKET}/checkpoints/job-1", 10**6)))
    look(account)
    found = states(account)
    assert found["job-1"] == "never_written"
    assert found["other"] == "never_written"
    assert found["job-10"] == "fresh"


def test_a_job_that_has_ended_is_looked_at_once_more_and_never_again(watch: Watch) -> None:
    account = watch([spot("short", hours=5.0)])
    look(account)
    look(account, 2 * HOUR)
    assert account.status("short") == ["Completed"]
    assert account.rows(select(checkpoints.c.final)) == [(True,)]
    account.aws.calls.clear()
    look(account, HOUR)
    assert account.aws.calls["ListObjectsV2"] == 0
    assert states(account) == {"short": "fresh"}


def test_a_bucket_that_may_not_be_listed_leaves_its_jobs_unknown_in_words(watch: Watch) -> None:
    account = watch([spot("saves"), spot("stopped", stops_after_seconds=7200.0)])
    account.run("jobs")
    account.aws.faults.deny("ListObjectsV2")
    report = account.run("checkpoints")
    assert report.outcome == "partial"
    assert "s3:ListBucket" in report.message or "ListObjectsV2" in report.message
    assert set(states(account).values()) == {"unknown"}
    with reading(account.engine) as connection:
        jobs = live_coverage(connection)
        (team,) = team_coverage(connection, account.clock.now())
    assert all(job.risk_nusd is None for job in jobs)
    assert all(BUCKET in job.problem for job in jobs)
    assert (team.unknown_jobs, team.covered_jobs) == (2, 0)


def test_being_kept_out_of_one_prefix_says_nothing_of_the_next(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    account, real = watch([spot("closed"), *(spot(f"open-{number}") for number in range(3))]), checkpoints_collector._pages

    def pages(clients: Any, bucket: str, prefix: str) -> Any:
        if "closed" in prefix:
            raise AccessDenied(f"may not list {prefix}", "s3:ListBucket")
        return real(clients, bucket, prefix)

    monkeypatch.setattr(checkpoints_collector, "_pages", pages)
    look(account)
    assert states(account) == {"closed": "unknown"} | {f"open-{number}": "fresh" for number in range(3)}


def test_what_is_known_of_no_job_of_a_team_is_not_said_to_be_nothing(watch: Watch) -> None:
    account = watch([replace(spot("unpriced"), overrides={"ResourceConfig": {"InstanceType": "ml.zz9.4xlarge", "InstanceCount": 1}})])
    account.aws.faults.deny("ListObjectsV2")
    look(account)
    with reading(account.engine) as connection:
        (team,) = team_coverage(connection, account.clock.now())
    data = team_data(team)
    assert (data["spot_jobs"], data["unpriced_jobs"], data["unknown_risk_jobs"]) == (1, 1, 1)
    assert (data["spot_cost_usd"], data["work_at_risk_usd"]) == (None, None)
    assert data["covered_cost_usd"] == data["repeated_usd"] == 0.0  # nothing is covered, and nothing was interrupted


def test_who_saves_where_another_saves_is_seen_whichever_team_is_asked_for(watch: Watch) -> None:
    where = Checkpoints(f"s3://{BUCKET}/checkpoints/one/", 1200.0)
    inside = Checkpoints(f"s3://{BUCKET}/checkpoints/one/inside", 1200.0)
    account = watch([
        replace(spot("mine"), checkpoints=where, tags={"Team": "rc"}), replace(spot("theirs"), checkpoints=where, tags={"Team": "nlp"}),
        replace(spot("inside"), checkpoints=inside, tags={"Team": "nlp"}), replace(spot("apart"), tags={"Team": "nlp"}),
    ])  # fmt: skip
    look(account)
    with reading(account.engine) as connection:
        assert {job.job: job.shared_with for job in live_coverage(connection, ["rc"])} == {"mine": ("inside", "theirs")}
        assert {job.job: job.shared_with for job in live_coverage(connection)}["apart"] == ()


def test_a_last_look_that_fails_leaves_what_was_found_before(watch: Watch) -> None:
    account = watch([spot("short", hours=5.0)])
    look(account)
    account.aws.faults.deny("ListObjectsV2")
    look(account, 2 * HOUR)
    assert states(account) == {"short": "fresh"}


def test_a_last_look_that_was_throttled_keeps_what_was_found_and_is_due_again(watch: Watch) -> None:
    account = watch([spot("short", hours=5.0)])
    look(account)
    account.aws.faults.throttle("ListObjectsV2")
    look(account, 2 * HOUR)
    assert states(account) == {"short": "fresh"}
    assert account.rows(select(checkpoints.c.final)) == [(False,)]
    account.aws.faults.clear()
    look(account)
    assert states(account) == {"short": "fresh"}
    assert account.rows(select(checkpoints.c.final)) == [(True,)]


def test_an_ended_spot_job_without_checkpoints_is_known_to_have_none_and_asked_about_once(watch: Watch) -> None:
    account = watch([replace(spot("bare", hours=5.0), checkpoints=None)])
    account.clock.advance(2 * HOUR)
    look(account)
    assert states(account) == {"bare": "not_configured"}
    assert account.rows(select(checkpoints.c.final)) == [(True,)]
    assert account.aws.calls["ListObjectsV2"] == 0


def test_coverage_adds_up_by_jobs_by_money_and_by_day(watch: Watch) -> None:
    account = watch([spot("fresh-1"), spot("fresh-2"), spot("stale", stops_after_seconds=3600.0), replace(spot("bare"), checkpoints=None)])
    account.run("prices")
    look(account)
    with reading(account.engine) as connection:
        (team,) = team_coverage(connection, account.clock.now())
        days = coverage_days(connection, account.clock.now())
        jobs = {job.job: job for job in live_coverage(connection)}
    assert (team.spot_jobs, team.covered_jobs, team.percent) == (4, 2, 50.0)
    assert team.covered_nusd == pytest.approx(team.spot_nusd / 2, rel=0.01)
    assert days[NOW.date()] == (2, 4)
    assert sum(whole for _, whole in days.values()) >= 4
    assert jobs["bare"].risk_nusd == pytest.approx(jobs["bare"].risk_seconds / 3600 * (jobs["bare"].burn_nusd or 0), rel=0.01)
    assert team.risk_nusd == sum(job.risk_nusd or 0 for job in jobs.values())
    assert jobs["stale"].rhythm_seconds == pytest.approx(1200, abs=5)


def test_what_an_interruption_made_a_job_do_again_is_told_where_the_save_before_it_is_known(watch: Watch) -> None:
    made = replace(spot("thrashed", created=2 * HOUR, hours=20.0, keep=100), interruptions=(Interruption(6000.0, 600.0),))
    account = watch([made])
    account.run("prices")
    look(account)
    (row,) = account.rows(select(checkpoints.c.lost_seconds))
    assert row.lost_seconds == pytest.approx(6000 % 1200, abs=90)
