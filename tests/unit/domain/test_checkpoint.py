"""The state of a job's checkpoints, its rhythm, what is at risk and what interruptions have cost."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checkpoint import (
    CheckpointFacts,
    checkpoint_state,
    cost_of,
    losses,
    own_newest,
    ran_seconds,
    rhythm_seconds,
    risk_seconds,
    saves_of,
)
from domain.money import nusd
from domain.training_job import Interval, TrainingJob, training_job_from

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = NOW - 3 * HOUR
URI = {"S3Uri": "s3://acme-sm-rc-fraud/checkpoints/a/"}


def job(*, spot: bool = True, started: datetime = START, waits: tuple[tuple[datetime, datetime], ...] = (), **members: Any) -> TrainingJob:
    """A job that has been training since its start, but for its waits."""
    steps: list[dict[str, Any]] = [{"Status": "Training", "StartTime": started, "StatusMessage": ""}]
    for begin, end in waits:
        steps += [{"Status": "Interrupted", "StartTime": begin, "StatusMessage": ""}]
        if end < NOW:
            steps += [{"Status": "Training", "StartTime": end, "StatusMessage": ""}]
    return training_job_from(
        {
            "TrainingJobName": "a",
            "TrainingJobStatus": "InProgress",
            "CreationTime": started,
            "TrainingStartTime": started,
            "EnableManagedSpotTraining": spot,
            "ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 1},
            "SecondaryStatusTransitions": steps,
            "CheckpointConfig": URI,
        }
        | members
    )


def facts(*saves: datetime, looked: datetime = NOW, cut_off: bool = False, objects: int | None = 3, problem: str = "") -> CheckpointFacts:
    """What a look found: these saves, of which the last is the newest."""
    return CheckpointFacts(objects, 10, saves[-1] if saves else None, tuple(saves), cut_off, problem, looked)


def every(minutes: int, until: datetime = NOW, since: datetime = START) -> list[datetime]:
    """Saves at a steady rhythm."""
    count = (until - since) // (minutes * MINUTE)
    return [since + minutes * MINUTE * number for number in range(1, count + 1)]


def state(one: TrainingJob, found: CheckpointFacts | None) -> str:
    """The state as of the look."""
    return checkpoint_state(one, one.running_intervals(found.looked_at if found else NOW), found)


def test_on_demand_under_four_hours_needs_none_and_beyond_them_it_does() -> None:
    assert state(job(spot=False), facts()) == "not_needed"
    long = job(spot=False, started=NOW - 5 * HOUR)
    assert state(long, facts()) == "never_written"
    assert state(job(spot=False, started=NOW - 5 * HOUR, CheckpointConfig=None), None) == "not_configured"


def test_spot_without_a_checkpoint_config_is_not_configured() -> None:
    assert state(job(CheckpointConfig=None), None) == "not_configured"


def test_what_nobody_has_seen_is_unknown_and_never_taken_for_fresh() -> None:
    assert state(job(), None) == "unknown"
    assert state(job(), facts(objects=None, problem="denied")) == "unknown"


def test_nothing_written_is_not_yet_for_twenty_minutes_on_instances() -> None:
    assert state(job(started=NOW - 19 * MINUTE), facts()) == "not_yet"
    assert state(job(started=NOW - 21 * MINUTE), facts()) == "never_written"
    waited = job(started=NOW - 2 * HOUR, waits=((NOW - 2 * HOUR + 10 * MINUTE, NOW - 5 * MINUTE),))
    assert state(waited, facts()) == "not_yet"


def test_what_a_predecessor_wrote_is_not_this_jobs_work() -> None:
    before = facts(START - HOUR)
    assert own_newest(job(), before) is None
    assert state(job(), before) == "never_written"
    assert risk_seconds(job(), job().running_intervals(NOW), before) == 3 * 3600


@pytest.mark.parametrize(("age", "expected"), [(30, "fresh"), (31, "stale"), (90, "stale")])
def test_without_a_rhythm_a_save_is_fresh_for_half_an_hour(age: int, expected: str) -> None:
    assert state(job(), facts(NOW - age * MINUTE)) == expected


@pytest.mark.parametrize(("age", "expected"), [(79, "fresh"), (81, "stale")])
def test_a_slow_rhythm_makes_saves_fresh_for_twice_as_long(age: int, expected: str) -> None:
    last = NOW - age * MINUTE
    assert state(job(), facts(*every(40, last, last - 120 * MINUTE))) == expected


def test_a_listing_that_was_cut_off_says_nothing_unless_it_holds_a_fresh_save() -> None:
    assert state(job(), facts(NOW - 2 * HOUR, cut_off=True)) == "unknown"
    assert state(job(), facts(cut_off=True)) == "unknown"
    assert state(job(), facts(NOW - 5 * MINUTE, cut_off=True)) == "fresh"
    assert risk_seconds(job(), job().running_intervals(NOW), facts(NOW - 2 * HOUR, cut_off=True)) is None


def test_a_wait_for_capacity_makes_no_save_stale_and_puts_nothing_at_risk() -> None:
    waiting = job(waits=((NOW - 2 * HOUR, NOW + HOUR),))
    saved = facts(NOW - 2 * HOUR - 5 * MINUTE)
    assert state(waiting, saved) == "fresh"
    assert risk_seconds(waiting, waiting.running_intervals(NOW), saved) == 0


def test_after_the_end_the_state_found_last_is_kept() -> None:
    over = job(TrainingJobStatus="Completed", TrainingEndTime=NOW - HOUR)
    assert state(over, facts(NOW - HOUR - 10 * MINUTE, looked=NOW + 30 * 24 * HOUR)) == "fresh"
    assert state(over, facts(NOW - 2 * HOUR, looked=NOW + 30 * 24 * HOUR)) == "stale"


def test_many_files_written_within_minutes_are_one_save_done_with_its_last() -> None:
    writes = [NOW, NOW + MINUTE, NOW + 2 * MINUTE, NOW + 20 * MINUTE]
    assert saves_of(reversed(writes)) == (NOW + 2 * MINUTE, NOW + 20 * MINUTE)


def test_the_rhythm_is_the_middle_of_the_gaps_on_instances() -> None:
    ran = [Interval(START, NOW)]
    assert rhythm_seconds(every(20), ran) == 1200
    assert rhythm_seconds([NOW], ran) is None
    interrupted = [Interval(START, START + HOUR), Interval(START + 2 * HOUR, NOW)]
    saves = [START + 30 * MINUTE, START + 2 * HOUR, START + 150 * MINUTE]
    assert rhythm_seconds(saves, interrupted) == 1800


def test_work_at_risk_is_the_time_since_the_newest_save_at_the_jobs_rate() -> None:
    ran = job().running_intervals(NOW)
    seconds = risk_seconds(job(), ran, facts(NOW - 45 * MINUTE))
    assert seconds == 2700
    assert cost_of(seconds, nusd("2")) == nusd("1.5")
    assert cost_of(None, nusd("2")) is None
    assert cost_of(2700, None) is None


def test_an_interruption_costs_what_was_trained_since_the_save_before_it() -> None:
    interrupted = job(waits=((START + HOUR, START + 90 * MINUTE), (START + 150 * MINUTE, START + 160 * MINUTE)))
    found = losses(interrupted, interrupted.running_intervals(NOW), [START + 40 * MINUTE, START + 140 * MINUTE])
    assert [one.seconds for one in found] == [1200, 600]


def test_what_an_interruption_took_is_not_taken_again_by_the_next_one() -> None:
    start = NOW - 10 * HOUR
    interrupted = job(started=start, waits=tuple((start + hours * HOUR, start + (hours + 1) * HOUR) for hours in (2, 4, 6)))
    ran = interrupted.running_intervals(NOW)
    assert [one.seconds for one in losses(interrupted, ran, [start + HOUR])] == [3600, 3600, 3600]


def test_without_a_checkpoint_prefix_an_interruption_takes_everything_since_the_job_went_on() -> None:
    interrupted = job(CheckpointConfig=None, waits=((START + HOUR, START + 90 * MINUTE), (START + 150 * MINUTE, START + 160 * MINUTE)))
    assert interrupted.checkpoint_uri is None
    assert [one.seconds for one in losses(interrupted, interrupted.running_intervals(NOW), [])] == [3600, 3600]


@given(st.lists(st.tuples(st.integers(5, 100), st.integers(1, 50)), max_size=5), st.lists(st.integers(0, 900), max_size=10))
def test_interruptions_never_take_more_than_was_run(pieces: list[tuple[int, int]], saved: list[int]) -> None:
    waits, at = [], START
    for runs, rests in pieces:
        waits.append((at + runs * MINUTE, at + (runs + rests) * MINUTE))
        at = waits[-1][1]
    interrupted = job(waits=tuple(waits))
    ran = interrupted.running_intervals(NOW)
    found = losses(interrupted, ran, sorted(START + minute * MINUTE for minute in saved))
    assert sum(one.seconds for one in found) <= sum(60 * runs for runs, _ in pieces)


def test_an_interruption_before_which_no_save_is_known_is_left_out_rather_than_guessed() -> None:
    interrupted = job(waits=((START + HOUR, START + 90 * MINUTE),))
    assert losses(interrupted, interrupted.running_intervals(NOW), [START + 2 * HOUR]) == []


@given(st.lists(st.integers(0, 10_000), max_size=30), st.integers(0, 200))
def test_saves_are_in_order_apart_and_among_the_writes(minutes: list[int], gap: int) -> None:
    writes = [NOW + minute * MINUTE for minute in minutes]
    saves = saves_of(writes)
    assert list(saves) == sorted(saves)
    assert set(saves) <= set(writes)
    assert all(after - before > timedelta(minutes=3) for before, after in pairwise(saves))
    assert saves_of(saves) == saves


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), max_size=8), st.integers(0, 600))
def test_seconds_since_an_instant_never_exceed_the_seconds_that_have_passed(pieces: list[tuple[int, int]], since: int) -> None:
    begun, ran = START, []
    for wait, length in pieces:
        start = begun + wait * MINUTE
        ran.append(Interval(start, start + length * MINUTE))
        begun = start + length * MINUTE
    moment = START + since * MINUTE
    passed = ran_seconds(ran, moment)
    assert 0 <= passed <= sum((end - start).total_seconds() for start, end in ran)
    assert passed <= max(0.0, (begun - moment).total_seconds())
