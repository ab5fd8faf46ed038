"""Series of samples as they are kept and thinned, on each kind of database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from domain.findings.situation import CPU, GPU, Signal, epoch, instant
from storage.engine import reading, writing
from storage.facts import scope_id, upsert_descriptions
from storage.samples import (
    CHUNK_SECONDS,
    COARSE,
    MEAN,
    MIDDLE,
    OWN,
    WORST,
    SampleRow,
    pack,
    read_series,
    thin_samples,
    unpack,
    upsert_samples,
)
from storage.schema import training_jobs
from storage.schema_operations import samples
from storage.signals import SignalRow, read_signals, record_signals
from tests.descriptions import NOON, SCOPE, at, description
from tests.effort import examples

LOSS = "validation:loss"
START = epoch(NOON) // CHUNK_SECONDS * CHUNK_SECONDS  # noon is a border of chunks
FIRST = instant(0)
Points = dict[int, float]


def jobs_of(connection: Connection, count: int) -> list[int]:
    """The rows of so many jobs."""
    row = scope_id(connection, SCOPE)
    upsert_descriptions(connection, SCOPE, row, [description(f"job-{number}", ran=None) for number in range(count)], NOON)
    return list(connection.scalars(select(training_jobs.c.id).order_by(training_jobs.c.id)))


@contextmanager
def one_job(engine: Engine) -> Iterator[tuple[Connection, int]]:
    """A transaction with one job in it, which is rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection, jobs_of(connection, 1)[0]
        transaction.rollback()


def keep(connection: Connection, job_id: int, host: int, metric: str, points: Mapping[int, float]) -> int:
    """Keeps the points of one series."""
    return upsert_samples(connection, [SampleRow(job_id, host, metric, list(points), list(points.values()))])


def whole(connection: Connection, job_ids: Sequence[int], since: datetime = FIRST) -> dict[tuple[int, int, str], Points]:
    """Every series of these jobs since an instant, by job, host and metric; in order, each instant once."""
    found: dict[tuple[int, int, str], Points] = {}
    for own in (True, False):
        for job_id, series in read_series(connection, job_ids, since, own=own).items():
            for (host, metric), one in series.items():
                assert list(one.times) == sorted(set(one.times))
                assert (host == OWN) is own
                if one.times:
                    found[job_id, host, metric] = dict(zip(one.times, one.values, strict=True))
    return found


def every(seconds: int, start: int, end: int, value: float = 50.0, step: float = 0.0) -> Points:
    """A sample each so many seconds from `start` to before `end`, rising by `step`."""
    return {time: value + step * number for number, time in enumerate(range(start, end, seconds))}


def means(points: Points, period: int) -> Points:
    """The mean of each period, at its start."""
    buckets: dict[int, list[float]] = {}
    for time, value in points.items():
        buckets.setdefault(time // period * period, []).append(value)
    return {time: sum(values) / len(values) for time, values in buckets.items()}


def same(one: Mapping[Any, Points], other: Mapping[Any, Points]) -> bool:
    """Equal to the last bit, where NaN equals NaN."""
    return {key: sorted((time, repr(value)) for time, value in points.items()) for key, points in one.items()} == {
        key: sorted((time, repr(value)) for time, value in points.items()) for key, points in other.items()
    }


BORDERS = [START + chunk * CHUNK_SECONDS + off for chunk in range(4) for off in (-1, 0, 1)]
times = st.one_of(st.sampled_from(BORDERS), st.integers(START - 60, START + 4 * CHUNK_SECONDS))
values = st.floats(allow_nan=True, allow_infinity=True)
whose = st.sampled_from([(OWN, LOSS), (1, GPU), (2, GPU), (2, CPU)])
rows = st.tuples(st.integers(0, 2), whose, st.lists(st.tuples(times, values), max_size=12))
batches = st.lists(st.lists(rows, max_size=4), max_size=6)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
def test_in_whatever_order_and_batches_samples_come_each_series_is_as_a_dict_by_time(batches: list[Any], engine: Engine) -> None:
    expected: dict[tuple[int, int, str], Points] = {}
    with engine.connect() as connection, connection.begin() as transaction:
        ids = jobs_of(connection, 3)
        for batch in batches:
            given_rows = []
            for number, (host, metric), points in batch:
                given_rows.append(SampleRow(ids[number], host, metric, [time for time, _ in points], [value for _, value in points]))
                if points:
                    expected.setdefault((ids[number], host, metric), {}).update(points)
            assert upsert_samples(connection, given_rows) == sum(len(row.times) for row in given_rows)
        assert same(whole(connection, ids), expected)
        transaction.rollback()


@given(points=st.dictionaries(st.integers(0, 2**32 - 1), values, max_size=50))
def test_what_is_packed_comes_out_again_in_order(points: Points) -> None:
    found, numbers = unpack(pack(points))
    assert list(found) == sorted(points)
    assert [repr(value) for value in numbers] == [repr(points[time]) for time in sorted(points)]


def test_the_same_samples_again_change_nothing(engine: Engine) -> None:
    points = every(60, START - 600, START + 600, step=0.5)
    with one_job(engine) as (connection, job_id):
        for _ in range(2):
            keep(connection, job_id, 1, GPU, points)
            assert connection.scalar(select(func.count()).select_from(samples)) == 2  # six hours are a row, and this lies over a border
            assert whole(connection, [job_id]) == {(job_id, 1, GPU): points}


def test_nan_and_infinity_survive(engine: Engine) -> None:
    points = {START: nan, START + 60: inf, START + 120: -inf, START + 180: 1e308, START + 240: -0.0}
    with one_job(engine) as (connection, job_id):
        keep(connection, job_id, OWN, LOSS, points)
        assert same(whole(connection, [job_id]), {(job_id, OWN, LOSS): points})


def test_a_metric_of_any_name_is_kept(engine: Engine) -> None:
    with one_job(engine) as (connection, job_id):
        for name in ("x" * 300, "nul\0byte", "\ud800", "'; DROP TABLE samples; --"):
            keep(connection, job_id, OWN, name, {START: 1.0})
        assert len(whole(connection, [job_id])) == 4


def test_a_window_begins_where_it_is_told_in_the_middle_of_a_chunk_too(engine: Engine) -> None:
    points = every(60, START - CHUNK_SECONDS, START + 2 * CHUNK_SECONDS, step=1.0)
    with one_job(engine) as (connection, job_id):
        keep(connection, job_id, 1, GPU, points)
        for after in (-CHUNK_SECONDS, -1, 0, 1, 61, CHUNK_SECONDS, 2 * CHUNK_SECONDS - 60):
            first = START + after
            expected = {time: value for time, value in points.items() if time >= first}
            assert whole(connection, [job_id], instant(first)) == {(job_id, 1, GPU): expected}
        assert whole(connection, [job_id], instant(START + 2 * CHUNK_SECONDS)) == {}


def test_own_metrics_and_those_of_hosts_are_read_apart_all_or_only_some(engine: Engine) -> None:
    with one_job(engine) as (connection, job_id):
        for host, metric in ((OWN, LOSS), (OWN, "auc"), (1, GPU), (1, CPU), (2, GPU)):
            keep(connection, job_id, host, metric, {START: 1.0})

        def read(*, own: bool, metrics: Sequence[str] = ()) -> set[tuple[int, str]]:
            return set(read_series(connection, [job_id], at(-1), own=own, metrics=metrics)[job_id])

        assert read(own=True) == {(OWN, LOSS), (OWN, "auc")}
        assert read(own=False) == {(1, GPU), (1, CPU), (2, GPU)}
        assert read(own=False, metrics=(GPU,)) == {(1, GPU), (2, GPU)}
        assert read_series(connection, [], at(-1), own=True) == {}
        assert read_series(connection, [job_id], at(-1), own=False, metrics=("other",)) == {}


def test_the_series_of_more_jobs_than_one_question_takes_are_all_there(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        ids = jobs_of(connection, 1200)
        for _ in range(2):
            upsert_samples(connection, [SampleRow(job_id, 1, GPU, [START], [float(job_id)]) for job_id in ids])
        found = read_series(connection, ids, at(-1), own=False)
        assert {job_id: list(series[1, GPU].values) for job_id, series in found.items()} == {job_id: [float(job_id)] for job_id in ids}
        transaction.rollback()


# Thinning.

DAY = timedelta(days=1)


def thinned(connection: Connection, now: datetime, most: int = 2000) -> int:
    """Thins until there is nothing left to thin; the rounds that it took."""
    rounds = 0
    while thin_samples(connection, now, most):
        rounds += 1
        assert rounds < 1000
    return rounds


def periods(connection: Connection) -> set[int]:
    return set(connection.scalars(select(samples.c.period_seconds)))


def test_after_two_days_each_five_minutes_are_their_mean(engine: Engine) -> None:
    points = every(60, START, START + CHUNK_SECONDS, step=0.25)
    del points[START + 360], points[START + 420]
    with one_job(engine) as (connection, job_id):
        for host, metric in ((1, GPU), (2, GPU), (OWN, LOSS)):
            keep(connection, job_id, host, metric, points)
        thinned(connection, NOON + 2 * DAY)
        assert whole(connection, [job_id])[job_id, 1, GPU] == points  # its chunk is not wholly two days old
        thinned(connection, NOON + 2.25 * DAY)
        thin = means(points, MIDDLE)
        assert whole(connection, [job_id]) == {(job_id, 1, GPU): thin, (job_id, 2, GPU): thin, (job_id, OWN, LOSS): thin}
        assert len(thin) == 72


def test_what_is_no_number_makes_its_period_none(engine: Engine) -> None:
    points = every(60, START, START + 900)
    points[START + 420] = nan
    with one_job(engine) as (connection, job_id):
        keep(connection, job_id, OWN, LOSS, points)
        thinned(connection, NOON + 3 * DAY)
        found = whole(connection, [job_id])[job_id, OWN, LOSS]
        assert {time: isnan(value) for time, value in found.items()} == {START: False, START + 300: True, START + 600: False}
        assert found[START] == 50.0
        thinned(connection, NOON + 20 * DAY)
        assert {time: isnan(value) for time, value in whole(connection, [job_id])[job_id, OWN, LOSS].items()} == {START: True}


def _of_three_hosts() -> dict[int, Points]:
    return {
        1: every(60, START, START + CHUNK_SECONDS, 90.0),
        2: every(60, START, START + CHUNK_SECONDS, 30.0, step=0.01),
        3: every(60, START + 3600, START + 7200, 0.0),
    }


def test_after_fifteen_days_of_several_hosts_the_worst_and_the_mean_of_each_hour_are_left(engine: Engine) -> None:
    hosts = _of_three_hosts()
    with one_job(engine) as (connection, job_id):
        for host, points in hosts.items():
            keep(connection, job_id, host, GPU, points)
        keep(connection, job_id, 1, CPU, hosts[1])
        keep(connection, job_id, OWN, LOSS, hosts[2])
        thinned(connection, NOON + 16 * DAY)
        hourly = {host: means(means(points, MIDDLE), COARSE) for host, points in hosts.items()}
        together = {time: [points[time] for points in hourly.values() if time in points] for time in hourly[1]}
        found = whole(connection, [job_id])
        assert found.keys() == {(job_id, WORST, GPU), (job_id, MEAN, GPU), (job_id, 1, CPU), (job_id, OWN, LOSS)}
        assert found[job_id, WORST, GPU] == {time: min(here) for time, here in together.items()}
        assert found[job_id, WORST, GPU][START + 3600] == 0.0
        assert found[job_id, MEAN, GPU] == pytest.approx({time: sum(here) / len(here) for time, here in together.items()})
        assert found[job_id, 1, CPU] == hourly[1]
        assert found[job_id, OWN, LOSS] == hourly[2]


def test_a_host_that_reported_no_number_makes_the_worst_none(engine: Engine) -> None:
    for order in ((1, 2, 3), (3, 2, 1), (2, 3, 1)):
        with one_job(engine) as (connection, job_id):
            for host, value in zip(order, (10.0, nan, 50.0), strict=True):
                keep(connection, job_id, host, GPU, {START: value})
            thinned(connection, NOON + 16 * DAY)
            found = whole(connection, [job_id])
            assert isnan(found[job_id, WORST, GPU][START])
            assert isnan(found[job_id, MEAN, GPU][START])


@pytest.mark.parametrize("days", [3, 16])
def test_thinning_a_few_rows_at_a_time_comes_to_the_same_and_again_changes_nothing(days: int, engine: Engine) -> None:
    def kept(most: int) -> dict[tuple[Any, ...], Points]:
        with one_job(engine) as (connection, job_id):
            for host, points in _of_three_hosts().items():
                keep(connection, job_id, host, GPU, points)
                keep(connection, job_id, host, CPU, points)
            thinned(connection, NOON + days * DAY, most)
            first = whole(connection, [job_id])
            assert thinned(connection, NOON + days * DAY) == 0
            assert whole(connection, [job_id]) == first
            return {key[1:]: points for key, points in first.items()}

    at_once = kept(2000)
    for most in (1, 2, 3, 5):
        bit_by_bit = kept(most)
        assert bit_by_bit.keys() == at_once.keys()
        for key, points in at_once.items():
            assert bit_by_bit[key] == pytest.approx(points)


def test_what_is_young_is_left_alone_beside_what_is_old(engine: Engine) -> None:
    old, young = every(60, START, START + 600), every(60, START + 5 * 86_400, START + 5 * 86_400 + 600)
    with one_job(engine) as (connection, job_id):
        keep(connection, job_id, 1, GPU, old | young)
        thinned(connection, NOON + 6 * DAY)
        assert whole(connection, [job_id])[job_id, 1, GPU] == means(old, MIDDLE) | young


def test_samples_that_come_late_for_a_thinned_chunk_are_thinned_in_turn(engine: Engine) -> None:
    early, late = every(60, START, START + 1800, 20.0), every(60, START + 3600, START + 5400, 70.0, step=1.0)
    with one_job(engine) as (connection, job_id):
        keep(connection, job_id, 1, GPU, early)
        thinned(connection, NOON + 3 * DAY)
        keep(connection, job_id, 1, GPU, late)
        assert whole(connection, [job_id])[job_id, 1, GPU] == means(early, MIDDLE) | late
        assert thinned(connection, NOON + 3 * DAY) == 1
        assert whole(connection, [job_id])[job_id, 1, GPU] == means(early | late, MIDDLE)
        assert periods(connection) == {MIDDLE}


def test_samples_that_come_late_for_hosts_already_summed_up_take_nothing_away(engine: Engine) -> None:
    hosts = {1: 90.0, 2: 30.0}
    with one_job(engine) as (connection, job_id):
        for host, value in hosts.items():
            keep(connection, job_id, host, GPU, every(60, START, START + 3600, value))
        thinned(connection, NOON + 16 * DAY)
        for host, value in hosts.items():
            keep(connection, job_id, host, GPU, every(60, START + 3600, START + 7200, value + 5))
        thinned(connection, NOON + 16 * DAY)
        found = whole(connection, [job_id])
        assert found[job_id, WORST, GPU] == {START: 30.0, START + 3600: 35.0}
        assert found[job_id, MEAN, GPU] == {START: 60.0, START + 3600: 65.0}
        assert found.keys() == {(job_id, WORST, GPU), (job_id, MEAN, GPU)}


def test_samples_of_one_host_that_come_late_for_those_summed_up_leave_no_host_behind(engine: Engine) -> None:
    with one_job(engine) as (connection, job_id):
        for host, value in ((1, 90.0), (2, 30.0)):
            keep(connection, job_id, host, GPU, {START: value})
        thinned(connection, NOON + 16 * DAY)
        keep(connection, job_id, 1, GPU, {START: 10.0, START + 3600: 80.0})
        thinned(connection, NOON + 16 * DAY)
        assert whole(connection, [job_id]) == {
            (job_id, WORST, GPU): {START: 10.0, START + 3600: 80.0},
            (job_id, MEAN, GPU): {START: 60.0, START + 3600: 80.0},
        }


def test_what_was_collected_coarse_is_not_changed_by_thinning(engine: Engine) -> None:
    points = every(3600, START, START + CHUNK_SECONDS, step=7.0)
    with one_job(engine) as (connection, job_id):
        keep(connection, job_id, 1, GPU, points)
        thinned(connection, NOON + 20 * DAY)
        assert whole(connection, [job_id])[job_id, 1, GPU] == points


# Signals.

looks = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 500)), st.integers(0, 500)), min_size=1, max_size=8)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=looks)
def test_whatever_the_order_of_answers_a_signal_last_moved_when_it_was_newest(looks: Iterable[Any], engine: Engine) -> None:
    found = [(None if last is None else at(last), at(checked)) for last, checked in looks]
    with one_job(engine) as (connection, job_id):
        for last, checked in found:
            record_signals(connection, [SignalRow(job_id, "logs", last, checked), SignalRow(job_id, "metrics", None, checked)])
        newest = max((last for last, _ in found if last is not None), default=None)
        expected = {"logs": Signal(newest, found[-1][1]), "metrics": Signal(None, found[-1][1])}
        assert read_signals(connection, [job_id, job_id + 1]) == {job_id: expected}


def test_no_look_is_no_signal(engine: Engine) -> None:
    with writing(engine) as connection:
        record_signals(connection, [])
    with reading(engine) as connection:
        assert read_signals(connection, [1]) == {}
