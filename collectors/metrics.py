"""Metrics of live jobs from CloudWatch: what each host reports, and what is read from the jobs' own logs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from aws.errors import translated
from aws.session import Clients
from collectors.batch import Batch, Batches
from collectors.books import Books
from domain.findings.situation import CPU, GPU, GPU_MEMORY, MEMORY, epoch
from domain.instances import instance_type
from domain.training_job import TrainingJob, training_job_from
from settings import Collect
from storage.samples import OWN, SampleRow
from storage.signals import METRICS, SignalRow

NAME = "metrics"
REQUIRED_PERMISSIONS = ("cloudwatch:GetMetricData",)
NAMESPACE = "/aws/sagemaker/TrainingJobs"  # Source: monitoring-cloudwatch, training jobs and their algorithm metrics
GPU_METRICS: tuple[str, ...] = (GPU, CPU, GPU_MEMORY, MEMORY)
CPU_METRICS: tuple[str, ...] = (CPU, MEMORY)
QUERIES = 500  # Source: GetMetricData, the most MetricDataQueries of one call
MOST_SERIES = 460  # of hosts: with a job's own metrics, of which it may have forty, still one call
MOST_HOSTS = MOST_SERIES // 4  # of which everything is asked for
OVERLAP = timedelta(minutes=15)  # samples come up to ten minutes late, and clocks differ
FINE, FINE_BACK = 60, timedelta(hours=3)
PERIODS = ((timedelta(days=15), 300), (timedelta(days=63), 3600))  # CloudWatch keeps minutes for 15 days, five minutes for 63
POINTS = 100_800  # Source: GetMetricData, the most data points of one page
HISTORY_CALLS = 6

Clock = Callable[[], datetime]
Live = Mapping[int, tuple[TrainingJob, Mapping[str, Any]]]
"""Jobs that are on instances, with their descriptions, by row."""


class Query(NamedTuple):
    """One series that is asked for: whose, which, and under which dimension CloudWatch has it."""

    job_id: int
    host: int
    metric: str
    dimension: str
    value: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A job's queries, to be asked since an instant."""

    job_id: int
    queries: tuple[Query, ...]
    since: datetime
    has_gpus: bool


def collect_metrics(clients: Clients, books: Books, settings: Collect, now: Clock) -> Batches:
    """Batches of samples since the last look, GPU jobs first; then a piece of the history of jobs that are new to us.

    Raises AwsError. Source: GetMetricData, metrics of `Host` = `{job}/algo-N` and of `TrainingJobName`.
    """
    moment = now()
    through = {int(key): seconds for key, seconds in books.watermark(NAME).get("through", {}).items()}
    behind = {int(key): seconds for key, seconds in books.watermark(NAME).get("behind", {}).items()}
    jobs = [(watched.job_id, training_job_from(watched.description), watched.description) for watched in books.watched()]
    live = {job_id: (job, description) for job_id, job, description in jobs if job.is_live and job.started_at}
    asked = [_asked(job_id, job, description, through.get(job_id), moment) for job_id, (job, description) in live.items()]
    asked.sort(key=lambda one: (not one.has_gpus, one.since))
    chunks = list(_chunks(asked))
    through = {job_id: seconds for job_id, seconds in through.items() if job_id in live}
    behind = {job_id: seconds for job_id, seconds in behind.items() if job_id in live}
    for chunk in chunks[: settings.metric_calls]:
        queries = [query for one in chunk for query in one.queries]
        rows = list(_samples(clients, live, queries, min(one.since for one in chunk), moment, FINE))
        for one in chunk:
            if one.job_id not in through:
                behind[one.job_id] = epoch(one.since)
            through[one.job_id] = epoch(moment)
        state = {"through": through, "behind": behind}
        yield Batch(samples=rows, signals=_signals(chunk, rows, moment), state=state, progress="looking at metrics")
    yield from _history(clients, live, through, behind, moment)
    left = sum(len(chunk) for chunk in chunks[settings.metric_calls :])
    problems = [f"{left} live jobs were left out: raise [collect] metric_calls, now {settings.metric_calls}"] if left else []
    yield Batch(state={"through": through, "behind": behind}, problems=problems)


def queries_of(job_id: int, job: TrainingJob, description: Mapping[str, Any]) -> tuple[Query, ...]:
    """Every series that a job may have: four of each host with GPUs, two of others, and its own metrics by their definitions.

    Of a job with very many hosts only what its rules need, the use of GPUs or of cores, so that all of them fit in one call.
    """
    found = []
    hosts = [group.instance_type for group in job.cluster for _ in range(group.count)]
    for number, kind in enumerate(hosts[:MOST_SERIES], 1):
        known = instance_type(kind).gpus
        wanted = CPU_METRICS if known == 0 else GPU_METRICS
        wanted = wanted if len(hosts) <= MOST_HOSTS else wanted[:1]
        found += [Query(job_id, number, metric, "Host", f"{job.name}/algo-{number}") for metric in wanted]
    found += [Query(job_id, OWN, name, "TrainingJobName", job.name) for name in _definitions(description)]
    return tuple(found[:QUERIES])


def _definitions(description: Mapping[str, Any]) -> list[str]:
    algorithm = description.get("AlgorithmSpecification")
    rows = algorithm.get("MetricDefinitions") if isinstance(algorithm, Mapping) else None
    names = [row.get("Name") for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def _asked(job_id: int, job: TrainingJob, description: Mapping[str, Any], through: int | None, now: datetime) -> Asked:
    queries = queries_of(job_id, job, description)
    since = now - FINE_BACK if through is None else datetime.fromtimestamp(through, UTC) - OVERLAP
    since = max(since, _started(job), now - timedelta(days=14))
    since = min(since, now - OVERLAP)  # by a clock behind AWS's a job may begin in the future, and CloudWatch refuses an empty window
    return Asked(job_id, queries, since, any(query.metric == GPU for query in queries))


def _chunks(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """Jobs put together to what one call may ask, those of about the same time together; a job is never split over two calls."""
    chunk: list[Asked] = []
    size = 0
    for one in asked:
        far = bool(chunk) and abs(one.since - chunk[0].since) > timedelta(hours=1)
        if chunk and (size + len(one.queries) > QUERIES or far):
            yield chunk
            chunk, size = [], 0
        if one.queries:
            chunk.append(one)
            size += len(one.queries)
    if chunk:
        yield chunk


def _history(clients: Clients, live: Live, through: dict[int, int], behind: dict[int, int], now: datetime) -> Batches:
    """What happened before the first look, coarser the longer ago: many jobs a call, and a few calls a run."""
    calls = 0
    for age, period in PERIODS:
        oldest = now - age
        waiting = [job_id for job_id, until in behind.items() if until > epoch(max(oldest, _started(live[job_id][0])))]
        for group in _groups(waiting, live, behind, oldest, period):
            if calls == HISTORY_CALLS:
                return
            calls += 1
            queries = [query for job_id in group for query in _judged_queries(job_id, *live[job_id])]
            start = max(oldest, min(_started(live[job_id][0]) for job_id in group))
            end = datetime.fromtimestamp(max(behind[job_id] for job_id in group), UTC)
            rows = list(_samples(clients, live, queries, start, end, period)) if start < end else []
            for job_id in group:
                behind[job_id] = min(behind[job_id], epoch(max(oldest, _started(live[job_id][0]))))
            yield Batch(samples=rows, state={"through": through, "behind": behind}, progress="earlier metrics")
    for job_id in [one for one, until in behind.items() if until <= epoch(max(now - PERIODS[-1][0], _started(live[one][0])))]:
        del behind[job_id]


def _groups(waiting: Sequence[int], live: Live, behind: Mapping[int, int], oldest: datetime, period: int) -> Iterator[list[int]]:
    """Jobs whose history together makes about one page of an answer; those that began at about the same time together."""
    group: list[int] = []
    series = longest = 0
    for job_id in sorted(waiting, key=lambda one: _started(live[one][0])):
        count = len(_judged_queries(job_id, *live[job_id]))
        points = (behind[job_id] - epoch(max(oldest, _started(live[job_id][0])))) // period
        if group and (series + count > QUERIES or (series + count) * max(longest, points) > POINTS):
            yield group
            group, series, longest = [], 0, 0
        group.append(job_id)
        series, longest = series + count, max(longest, points)
    if group:
        yield group


def _judged_queries(job_id: int, job: TrainingJob, description: Mapping[str, Any]) -> list[Query]:
    """The series of which the past matters: use, and the job's own metrics."""
    return [query for query in queries_of(job_id, job, description) if query.host == OWN or query.metric in (GPU, CPU)][:QUERIES]


def _started(job: TrainingJob) -> datetime:
    assert job.started_at is not None  # noqa: S101 - only jobs that have started are asked for
    return job.started_at


def _samples(clients: Clients, live: Live, queries: Sequence[Query], start: datetime, end: datetime, period: int) -> Iterator[SampleRow]:
    """The samples of up to 500 series, over as many pages as AWS makes of them; none from before a job began, which are another's."""
    first = epoch(start)
    request: dict[str, Any] = {
        "MetricDataQueries": [_query(number, one, period) for number, one in enumerate(queries)],
        "StartTime": datetime.fromtimestamp(first - first % period, UTC),
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    while True:
        with translated(clients.where):
            answer: Mapping[str, Any] = clients.cloudwatch.get_metric_data(**request)
        for result in answer.get("MetricDataResults", []):
            query = queries[int(str(result["Id"])[1:])]
            begun = epoch(_started(live[query.job_id][0]))
            times, values = _readable(result.get("Timestamps") or [], result.get("Values") or [], begun - begun % period)
            if times:
                yield SampleRow(query.job_id, query.host, query.metric, times, values)
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _query(number: int, one: Query, period: int) -> dict[str, Any]:
    metric = {"Namespace": NAMESPACE, "MetricName": one.metric, "Dimensions": [{"Name": one.dimension, "Value": one.value}]}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}, "ReturnData": True}


def _readable(stamps: Sequence[Any], found: Sequence[Any], first: int) -> tuple[list[int], list[float]]:
    """Times from `first` on and values as numbers; a pair of which one is neither time nor number is left out."""
    times, values = [], []
    for stamp, value in zip(stamps, found, strict=False):
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if isinstance(stamp, datetime) and epoch(stamp) >= first:
            times.append(epoch(stamp))
            values.append(number)
    return times, values


def _signals(chunk: Sequence[Asked], rows: Sequence[SampleRow], now: datetime) -> list[SignalRow]:
    """That the metrics of these jobs were looked at, and when the jobs' own ones last moved."""
    newest: dict[int, int] = {}
    for row in rows:
        if row.host == OWN:
            newest[row.job_id] = max(newest.get(row.job_id, 0), *row.times)
    moved = {job_id: datetime.fromtimestamp(seconds, UTC) for job_id, seconds in newest.items()}
    return [SignalRow(one.job_id, METRICS, moved.get(one.job_id), now) for one in chunk]
