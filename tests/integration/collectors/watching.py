"""A simulated account that is watched: plans in, runs of our collectors, and what is then in the books."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from sqlalchemy import Engine, func, select

from aws.session import Clients, Target, watched
from demo.clock import SetClock
from demo.curves import training_samples
from demo.hosts import host_samples, training_minutes
from demo.plan import Checkpoints, Cluster, JobPlan, Paths, Phases
from demo.server import Server, start
from demo.timeline import life
from domain.findings.series import Series
from settings import Settings
from storage.engine import reading, writing
from storage.facts import scope_id
from storage.findings import Change
from storage.runs import read_watermark
from storage.samples import OWN, read_series
from storage.schema import api_calls, collector_runs, job_days, jobs, rollup_team_days, training_jobs
from storage.schema_operations import signals
from storage.views.findings import FindingRow, open_findings, unjudged_of
from worker.judging import judge_scope
from worker.run import CollectorRun, RunReport

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def plan(name: str = "rc-fraud-gnn-20261120-090000", created: timedelta = 3 * HOUR, **members: Any) -> JobPlan:
    """A job created some time before NOW: an hour of training on one ml.g5.2xlarge, unless said otherwise."""
    given: dict[str, Any] = {
        "cluster": Cluster.of("ml.g5.2xlarge"),
        "role_arn": "arn:aws:iam::123456789012:role/SageMaker-Rc-Fraud-ExecutionRole",
        "paths": Paths("s3://acme-sm-rc-fraud/models/artifacts/"),
        "tags": {"Team": "rc", "Project": "fraud"},
    }
    return JobPlan(name=name, created_at=NOW - created, **(given | members))


def leaving(name: str, created: timedelta, bucket: str = "acme-sm-rc-fraud", **members: Any) -> JobPlan:
    """A job of three hours that leaves intermediate output, an unfinished upload and checkpoints behind."""
    root = f"s3://{bucket}"
    given = {
        "phases": lasting(3),
        "paths": Paths(f"{root}/models/artifacts/", intermediates_prefix=f"{root}/models/training/{name}/output/", unfinished_uploads=1),
        "checkpoints": Checkpoints(f"{root}/checkpoints/{name}/"),
    }
    return plan(name, created, **(given | members))


def lasting(hours: float) -> Phases:
    """Phases with so many hours of training."""
    return Phases(training_seconds=hours * 3600)


def reported(plan: JobPlan, host: int, metric: str, start: datetime, end: datetime) -> dict[int, float]:
    """What a job truly reported in [start, end), by epoch second: a host's metric, or one of its own."""
    lived = life(plan)
    minutes = training_minutes(lived, start, end)
    if host == OWN:
        minutes, values = training_samples(plan, lived, metric, minutes)
    else:
        values = host_samples(plan, lived, host, metric, minutes)
    return {60 * minute: value for minute, value in zip(minutes, values, strict=True)}


class Watched:
    """The account, its clock, and our books on it; our own clock may be `ahead` of AWS's, or behind."""

    def __init__(self, plans: Sequence[JobPlan], engine: Engine, **sections: Any) -> None:
        self.clock = SetClock(NOW)
        self.ahead = timedelta(0)
        self.aws: Server = start(plans, self.clock)
        self.engine = engine
        self.settings = Settings.model_validate(sections)
        self._own: Target | None = None
        self._clients: dict[tuple[Target, str], Clients] = {}

    def clients(self, collector: str = "jobs", target: Target | None = None) -> Clients:
        """Clients that live as long as the account, as in the worker."""
        self._own = self._own or (None if target else watched(self.settings)[0])
        wanted = target or self._own
        assert wanted is not None
        return self._clients.setdefault((wanted, collector), Clients(wanted))

    def run(self, collector: str = "jobs", stopping: Event | None = None, target: Target | None = None) -> RunReport:
        """One run, at the time of our clock."""
        clients = self.clients(collector, target)
        return CollectorRun(self.engine, self.settings, clients, collector, self.now, stopping).execute()

    def now(self) -> datetime:
        """The time by our own clock."""
        return self.clock.now() + self.ahead

    def collect(self, *collectors: str) -> dict[str, str]:
        """One run of each collector; the outcome of each."""
        return {collector: self.run(collector).outcome for collector in collectors}

    def judge(self) -> list[Change]:
        """Findings brought up to date."""
        with writing(self.engine) as connection:
            row = scope_id(connection, self.clients().target.scope)
        return judge_scope(self.engine, self.settings, row, self.now())

    def later(self, by: timedelta, collector: str = "jobs") -> RunReport:
        """One run after some time."""
        self.clock.advance(by)
        return self.run(collector)

    def rows(self, statement: Any) -> list[Any]:
        """The rows of a statement."""
        with reading(self.engine) as connection:
            return list(connection.execute(statement).all())

    def names(self) -> Counter[str]:
        """How many jobs of each name are in the books."""
        return Counter(row.name for row in self.rows(select(training_jobs.c.name)))

    def status(self, name: str) -> list[str]:
        """The derived status of the jobs of a name, oldest first."""
        joined = select(jobs.c.status).join(training_jobs, training_jobs.c.id == jobs.c.id).order_by(training_jobs.c.id)
        return [row.status for row in self.rows(joined.where(training_jobs.c.name == name))]

    def gone(self) -> list[str]:
        """The names of jobs that AWS no longer knows."""
        return [row.name for row in self.rows(select(training_jobs.c.name).where(training_jobs.c.gone_at.is_not(None)))]

    def teams(self) -> dict[str, str]:
        """Whose each job is."""
        joined = select(training_jobs.c.name, jobs.c.team).join(training_jobs, training_jobs.c.id == jobs.c.id)
        return {row.name: row.team for row in self.rows(joined)}

    def runs(self, collector: str = "jobs") -> list[Any]:
        """The recorded runs, oldest first."""
        return self.rows(select(collector_runs).where(collector_runs.c.collector == collector).order_by(collector_runs.c.id))

    def watermark(self, collector: str = "jobs") -> dict[str, Any]:
        """What a collector wrote down for itself."""
        with reading(self.engine) as connection:
            return read_watermark(connection, 1, collector)

    def job_ids(self) -> dict[str, int]:
        """The row of each job; of those of one name the last."""
        return {row.name: row.id for row in self.rows(select(training_jobs.c.name, training_jobs.c.id).order_by(training_jobs.c.id))}

    def series(self, name: str) -> dict[tuple[int, str], Series]:
        """All that is kept of what a job reported, by host (OWN for its own metrics) and metric."""
        job_id, begin = self.job_ids()[name], datetime(2020, 1, 1, tzinfo=UTC)
        with reading(self.engine) as connection:
            found = [read_series(connection, [job_id], begin, own=own).get(job_id, {}) for own in (True, False)]
        return found[0] | found[1]

    def points(self, name: str, host: int, metric: str) -> dict[int, float]:
        """One of those series by epoch second; it must be in order, each instant once."""
        series = self.series(name)[host, metric]
        assert list(series.times) == sorted(set(series.times))
        return dict(zip(series.times, series.values, strict=True))

    def signal(self, name: str, signal: str) -> tuple[datetime | None, datetime] | None:
        """When a signal of a job last moved, and when we looked; None if nobody has."""
        table = signals.c
        found = self.rows(select(table.last_at, table.checked_at).where(table.job_id == self.job_ids()[name], table.signal == signal))
        return (found[0].last_at, found[0].checked_at) if found else None

    def open_findings(self) -> dict[tuple[str, str], FindingRow]:
        """The open findings by job and rule."""
        with reading(self.engine) as connection:
            return {(row.job, row.rule): row for row in open_findings(connection)}

    def unjudged(self, name: str) -> dict[str, str]:
        """The rules that cannot be judged of a job, and why."""
        with reading(self.engine) as connection:
            return unjudged_of(connection, self.job_ids()[name])

    def metric_requests(self) -> list[dict[str, Any]]:
        """A list that grows with each GetMetricData request from now on."""
        seen: list[dict[str, Any]] = []
        event = "provide-client-params.cloudwatch.GetMetricData"
        self.clients("metrics").cloudwatch.meta.events.register(event, lambda params, **_: seen.append(dict(params)))
        return seen

    def counted(self) -> dict[str, tuple[int, int]]:
        """Calls and errors of each operation, as we counted them."""
        return {row.operation: (row.calls, row.errors) for row in self.rows(select(api_calls))}

    def totals(self) -> tuple[Any, ...]:
        """Sums over the derived tables that are wrong as soon as a job is counted twice or not at all."""
        sums = [func.sum(column) for column in (jobs.c.cost_nusd, jobs.c.billable_seconds)]
        days = [func.sum(table.c.compute_nusd) for table in (job_days, rollup_team_days)]
        counts = [func.count()]
        return (*self.rows(select(*counts, *sums).select_from(jobs))[0], *(self.rows(select(day))[0][0] for day in days))

    def sagemaker_calls(self) -> int:
        """How many calls SageMaker answered, by the account's own count."""
        free = {"GetCallerIdentity", "AssumeRole", "GetProducts"}
        return sum(count for name, count in self.aws.calls.items() if name not in free)
