"""Series of samples as they are kept: six hours of one series in a row, packed, and thinned as they age.

A job reports a handful of metrics per host and minute. A row a sample would be millions of rows a day; packed, a sample is
twelve bytes, and one look at a thousand live jobs writes some thousand rows.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from domain.findings.series import Series
from domain.findings.situation import epoch
from domain.text import storable
from storage.schema_operations import samples
from storage.state import dialect_insert

CHUNK_SECONDS = 6 * 3600
OWN = 0  # the host number of the job's own metrics
WORST, MEAN = -1, -2  # of all hosts, once single ones are no longer kept
FINE, MIDDLE, COARSE = 60, 300, 3600
MIDDLE_AFTER, COARSE_AFTER = timedelta(days=2), timedelta(days=15)
_HEAD = 4


class SampleRow(NamedTuple):
    """New samples of one series: `host` is N of algo-N, or OWN. Times are epoch seconds, in any order, perhaps twice."""

    job_id: int
    host: int
    metric: str
    times: Sequence[int]
    values: Sequence[float]


class _Key(NamedTuple):
    job_id: int
    host: int
    metric: str
    chunk: int


def pack(points: Mapping[int, float]) -> bytes:
    """Samples as bytes: their number, the times (32 bit), the values (64 bit), in order of time."""
    times = sorted(points)
    return len(times).to_bytes(_HEAD, "little") + array("I", times).tobytes() + array("d", [points[time] for time in times]).tobytes()


def unpack(packed: bytes) -> tuple["array[int]", "array[float]"]:
    """Times and values again, in order of time."""
    count = int.from_bytes(packed[:_HEAD], "little")
    times, values = array("I"), array("d")
    times.frombytes(packed[_HEAD : _HEAD + 4 * count])
    values.frombytes(packed[_HEAD + 4 * count :])
    return times, values


def upsert_samples(connection: Connection, rows: Iterable[SampleRow]) -> int:
    """Merges samples into what is kept; the same instant again replaces its value. Returns how many came."""
    fresh: dict[_Key, dict[int, float]] = {}
    count = 0
    for row in rows:
        for time, value in zip(row.times, row.values, strict=True):
            key = _Key(row.job_id, row.host, storable(row.metric, 256), time // CHUNK_SECONDS)
            fresh.setdefault(key, {})[time] = value
            count += 1
    kept = _kept(connection, fresh)
    written = []
    for key, points in fresh.items():
        before = kept.get(key)
        merged = points if before is None else dict(zip(*unpack(before), strict=True)) | points
        written.append({**key._asdict(), "period_seconds": FINE, "points": pack(merged)})
    if written:
        new = dialect_insert(connection, samples)
        changed = {"points": new.excluded.points, "period_seconds": new.excluded.period_seconds}
        connection.execute(new.on_conflict_do_update(index_elements=["job_id", "host", "metric", "chunk"], set_=changed), written)
    return count


def _kept(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, bytes]:
    wanted = set(keys)
    jobs, chunks = sorted({key.job_id for key in wanted}), {key.chunk for key in wanted}
    found: dict[_Key, bytes] = {}
    for start in range(0, len(jobs), 500):
        rows = connection.execute(
            select(samples).where(samples.c.job_id.in_(jobs[start : start + 500]), samples.c.chunk.in_(sorted(chunks)))
        )
        found |= {key: row.points for row in rows if (key := _Key(row.job_id, row.host, row.metric, row.chunk)) in wanted}
    return found


def read_series(
    connection: Connection, job_ids: Sequence[int], since: datetime, *, own: bool, metrics: Sequence[str] = ()
) -> dict[int, dict[tuple[int, str], Series]]:
    """The series of jobs since an instant, by job and by (host, metric): the jobs' `own`, or those of hosts; all, or only `metrics`."""
    first, table = epoch(since), samples.c
    found: dict[int, dict[tuple[int, str], list[bytes]]] = {}
    for start in range(0, len(job_ids), 500):
        statement = select(table.job_id, table.host, table.metric, table.points).where(
            table.job_id.in_(job_ids[start : start + 500]),
            table.chunk >= first // CHUNK_SECONDS,
            table.host == OWN if own else table.host != OWN,
        )
        if metrics:
            statement = statement.where(table.metric.in_(metrics))
        for job_id, host, metric, points in connection.execute(statement.order_by(table.chunk)):
            found.setdefault(job_id, {}).setdefault((host, metric), []).append(points)
    return {job: {key: _joined(chunks, first) for key, chunks in series.items()} for job, series in found.items()}


def _joined(chunks: Sequence[bytes], first: int) -> Series:
    times, values = array("I"), array("d")
    for chunk in chunks:
        more_times, more_values = unpack(chunk)
        times.extend(more_times)
        values.extend(more_values)
    skipped = bisect_left(times, first)
    return Series(times[skipped:], values[skipped:])


def thin_samples(connection: Connection, now: datetime, most: int = 2000) -> int:
    """Thins rows that have grown old, at most so many at once: to five minutes after two days, and after fifteen to an hour.

    Hourly rows keep no single hosts: where there were several, only the worst, which is the lowest, and the mean. Returns the
    number of rows thinned.
    """
    done = 0
    for period, age in ((MIDDLE, MIDDLE_AFTER), (COARSE, COARSE_AFTER)):
        before = epoch(now - age) // CHUNK_SECONDS
        statement = select(samples).where(samples.c.chunk < before, samples.c.period_seconds < period).limit(most)
        rows = connection.execute(statement).all()
        for row in rows:
            thin = pack(_means(zip(*unpack(row.points), strict=True), period))
            connection.execute(update(samples).where(*_is(row)).values(points=thin, period_seconds=period))
        if period == COARSE:
            for job_id, metric, chunk in {(row.job_id, row.metric, row.chunk) for row in rows if row.host > OWN}:
                _sum_up(connection, job_id, metric, chunk)
        done += len(rows)
    return done


def _is(row: Any) -> tuple[Any, ...]:
    table = samples.c
    return table.job_id == row.job_id, table.host == row.host, table.metric == row.metric, table.chunk == row.chunk


def _means(points: Iterable[tuple[int, float]], period: int) -> dict[int, float]:
    """The mean of each period, at its start. What is no number makes its period none: that is what is to be seen of it."""
    sums: dict[int, tuple[float, int]] = {}
    for time, value in points:
        total, count = sums.get(time - time % period, (0.0, 0))
        sums[time - time % period] = (total + value, count + 1)
    return {time: total / count for time, (total, count) in sums.items()}


def _sum_up(connection: Connection, job_id: int, metric: str, chunk: int) -> None:
    """Replaces the hosts of a chunk by the worst and the mean of them, once all are an hour a sample; a single host stays as it is.

    Of hosts that come late, what is already summed up stays, and what is new is added.
    """
    table = samples.c
    where = (table.job_id == job_id, table.metric == metric, table.chunk == chunk)
    rows = connection.execute(select(table.host, table.period_seconds, table.points).where(*where, table.host != OWN)).all()
    if len(rows) < 2 or any(row.period_seconds < COARSE for row in rows):
        return
    points = {row.host: dict(zip(*unpack(row.points), strict=True)) for row in rows}
    hosts = [series for host, series in points.items() if host > OWN]
    worst = _worst([*hosts, points.get(WORST, {})])
    mean = _means((point for host in hosts for point in host.items()), COARSE) | points.get(MEAN, {})
    connection.execute(delete(samples).where(*where, table.host != OWN))
    base = {"job_id": job_id, "metric": metric, "chunk": chunk, "period_seconds": COARSE}
    connection.execute(insert(samples), [base | {"host": WORST, "points": pack(worst)}, base | {"host": MEAN, "points": pack(mean)}])


def _worst(hosts: Iterable[Mapping[int, float]]) -> dict[int, float]:
    """The lowest value at each instant; no number where one of them has none."""
    worst: dict[int, float] = {}
    for host in hosts:
        for time, value in host.items():
            worst[time] = value if isnan(value) else min(worst.get(time, value), value)
    return worst
