"""When live jobs last logged, collected over HTTP from the simulated account."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

import collectors.logs
import worker.run
from demo.books import Entry
from demo.logs import streams
from demo.plan import Cluster, Interruption, JobPlan, Phases
from storage.schema_operations import signals
from tests.integration.collectors.conftest import Watch
from tests.integration.collectors.watching import DAY, HOUR, MINUTE, NOW, Watched, lasting, plan


def training(name: str, hours: float = 2.0, **members: Any) -> JobPlan:
    """A job that has trained for about so many hours, and goes on for two days."""
    return plan(name, created=hours * HOUR, **({"phases": lasting(hours + 48)} | members))


def ready(watch: Watch, *plans: JobPlan) -> Watched:
    """An account whose jobs are in the books."""
    account = watch(plans)
    assert account.run().outcome == "ok"
    return account


def newest_of(one: JobPlan, now: datetime) -> datetime:
    """The newest event or ingestion over all streams of a job."""
    stamps = [stream[key] for stream in streams(Entry(one), now) for key in ("lastEventTimestamp", "lastIngestionTime")]
    return datetime.fromtimestamp(max(int(str(stamp)) for stamp in stamps) / 1000, NOW.tzinfo)


def looked(account: Watched) -> dict[str, datetime]:
    """When we last looked at the log of each job that was looked at."""
    names = {job_id: name for name, job_id in account.job_ids().items()}
    found = account.rows(select(signals.c.job_id, signals.c.checked_at).where(signals.c.signal == "logs"))
    return {names[row.job_id]: row.checked_at for row in found}


def test_the_newest_of_all_streams_counts(watch: Watch) -> None:
    taken = (Interruption(1200.0, 600.0), Interruption(2400.0, 600.0))
    job = training("wide", cluster=Cluster.of("ml.g5.2xlarge", 4), spot=True, interruptions=taken)
    account = ready(watch, job)
    now = NOW + timedelta(seconds=30)  # between two lines, the last of which took a while to arrive
    account.clock.set(now)
    report = account.run("logs")
    assert (report.outcome, report.rows) == ("ok", 1)
    assert account.signal("wide", "logs") == (newest_of(job, now), now)


def test_of_more_streams_than_a_page_holds_the_newest_counts_too(watch: Watch) -> None:
    taken = tuple(Interruption(120.0 * number, 60.0) for number in range(1, 71))
    job = training("restless", hours=6.0, spot=True, interruptions=taken)
    assert len(list(streams(Entry(job), NOW))) > 60
    account = ready(watch, job)
    account.run("logs")
    assert account.signal("restless", "logs") == (newest_of(job, NOW), NOW)


def test_what_hangs_last_logged_when_it_began_to(watch: Watch) -> None:
    job = training("hangs", hours=3.0, behaviour="hung", turns_bad_after_seconds=3600.0)
    account = ready(watch, job)
    account.run("logs")
    found = account.signal("hangs", "logs")
    account.later(HOUR, "logs")
    assert found is not None
    assert found[0] is not None
    assert abs(found[0] - (NOW - 2 * HOUR + 2 * MINUTE)) <= 2 * MINUTE
    assert account.signal("hangs", "logs") == (found[0], NOW + HOUR)


def test_without_a_log_group_yet_nothing_has_ever_moved_and_that_is_no_error(watch: Watch) -> None:
    account = ready(watch, training("silent", behaviour="silent"))
    report = account.run("logs")
    assert (report.outcome, account.counted()["logs:DescribeLogStreams"]) == ("ok", (1, 1))
    assert account.signal("silent", "logs") == (None, NOW)


def test_a_job_that_never_logged_beside_one_that_does_has_no_last_line(watch: Watch) -> None:
    account = ready(watch, training("silent", behaviour="silent"), training("works"), training("silent-not-the-same"))
    account.run("logs")
    assert account.signal("silent", "logs") == (None, NOW)
    assert (account.signal("works", "logs") or (None,))[0] == newest_of(training("works"), NOW)


def test_lines_of_an_earlier_job_of_the_name_are_not_this_ones(watch: Watch) -> None:
    two = Cluster.of("ml.g5.2xlarge", 2)
    over: dict[str, Any] = {"hours": 9.0, "cluster": two, "phases": lasting(2), "deleted_at": NOW - 5 * HOUR}
    earlier = [training(name, **over) for name in ("silent", "works")]
    again = training("works")
    account = ready(watch, *earlier, training("silent", behaviour="silent"), again)
    account.run("logs")
    assert account.signal("silent", "logs") == (None, NOW)
    assert account.signal("works", "logs") == (newest_of(again, NOW), NOW)


def test_denied_the_run_fails_in_words_and_the_next_goes_on(watch: Watch) -> None:
    account = ready(watch, training("job"))
    account.aws.faults.deny("DescribeLogStreams")
    report = account.run("logs")
    assert report.outcome == "failed"
    assert "logs:DescribeLogStreams is denied: add logs:DescribeLogStreams to arn:aws:iam::123456789012:user/demo" in report.message
    assert account.signal("job", "logs") is None
    account.aws.faults.clear()
    assert account.later(MINUTE, "logs").outcome == "ok"
    assert account.signal("job", "logs") is not None


def test_a_job_that_is_gone_by_the_time_we_look_holds_up_nobody(watch: Watch) -> None:
    account = ready(watch, training("doomed", deleted_at=NOW + MINUTE), training("works", hours=1.0))
    report = account.later(2 * MINUTE, "logs")
    assert (report.outcome, report.rows) == ("ok", 2)
    assert account.signal("works", "logs") == (newest_of(training("works", hours=1.0), NOW + 2 * MINUTE), NOW + 2 * MINUTE)


def test_only_jobs_that_train_are_looked_at(watch: Watch) -> None:
    account = ready(
        watch,
        plan("ended"),
        training("starting", phases=Phases(starting_seconds=9 * 3600.0)),
        training("downloading", phases=Phases(downloading_seconds=9 * 3600.0)),
        training("waiting", spot=True, interruptions=(Interruption(600.0, 9 * 3600.0),)),
        training("uploading", phases=Phases(training_seconds=3600.0, uploading_seconds=9 * 3600.0)),
        training("stopping", stop_requested_at=NOW - MINUTE, stop_takes_seconds=3600.0),
        training("trains"),
    )
    account.run("logs")
    assert set(looked(account)) == {"trains"}


def test_a_run_looks_at_so_many_jobs_and_the_next_at_those_unlooked_at_for_longest(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.logs, "LOOKS", 2)
    account = ready(watch, *(training(f"job-{number}") for number in range(6)))
    times: dict[str, list[datetime]] = {}
    for number in range(6):
        account.aws.calls.clear()
        report = account.later(10 * MINUTE, "logs")
        assert (report.outcome, account.aws.calls["DescribeLogStreams"]) == ("ok", 2)
        for name, at in looked(account).items():
            if at == NOW + (number + 1) * 10 * MINUTE:
                times.setdefault(name, []).append(at)
    assert {name: len(found) for name, found in times.items()} == {f"job-{number}": 2 for number in range(6)}


def test_gpu_jobs_are_looked_at_before_others(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collectors.logs, "LOOKS", 2)
    older = [training(f"cpu-{number}", hours=3.0, cluster=Cluster.of("ml.m5.xlarge")) for number in range(2)]
    account = ready(watch, *older, training("gpu-1"), training("gpu-2"))
    account.run("logs")
    assert set(looked(account)) == {"gpu-1", "gpu-2"}


def test_what_was_looked_at_before_a_failure_stays_and_the_next_run_begins_with_the_rest(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collectors.logs, "LOOKS", 4)
    monkeypatch.setattr(collectors.logs, "PER_BATCH", 2)
    account = ready(watch, *(training(f"job-{number}") for number in range(6)))
    real = worker.run.note_progress

    def then_throttle(*arguments: Any) -> None:
        real(*arguments)
        account.aws.faults.throttle("DescribeLogStreams")

    with monkeypatch.context() as patch:
        patch.setattr(worker.run, "note_progress", then_throttle)
        report = account.run("logs")
    assert report.outcome == "failed"
    assert "DescribeLogStreams was throttled even after retries" in report.message
    first = looked(account)
    assert set(first.values()) == {NOW}
    assert len(first) == 2
    account.aws.faults.clear()
    assert account.later(10 * MINUTE, "logs").outcome == "ok"
    assert len(looked(account)) == 6
    assert {name for name, at in looked(account).items() if at == NOW} == set(first)


def test_jobs_that_trained_once_are_no_longer_kept_in_mind(watch: Watch) -> None:
    account = ready(watch, training("ends", phases=lasting(2.5)), training("stays"))
    account.run("logs")
    account.later(2 * HOUR)
    account.run("logs")
    assert list(account.watermark("logs")["looked"]) == [str(account.job_ids()["stays"])]


def test_no_line_is_ever_read(watch: Watch) -> None:
    account = ready(watch, training("job"))
    account.later(timedelta(minutes=10), "logs")
    account.later(DAY, "logs")
    assert {name for name in account.aws.calls if "Log" in name} == {"DescribeLogStreams"}
