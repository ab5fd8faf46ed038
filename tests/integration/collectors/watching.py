"""A simulated account that is watched: plans in, runs of our collectors, and what is then in the books."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from sqlalchemy import Engine, func, select

from aws.session import Clients, Target, watched
from demo.clock import SetClock
from demo.plan import Cluster, JobPlan, Paths, Phases
from demo.server import Server, start
from settings import Settings
from storage.engine import reading
from storage.runs import read_watermark
from storage.schema import api_calls, collector_runs, job_days, jobs, rollup_team_days, training_jobs
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


def lasting(hours: float) -> Phases:
    """Phases with so many hours of training."""
    return Phases(training_seconds=hours * 3600)


class Watched:
    """The account, its clock, and our books on it."""

    def __init__(self, plans: Sequence[JobPlan], engine: Engine, **sections: Any) -> None:
        self.clock = SetClock(NOW)
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
        """One run, at the time of the clock."""
        clients = self.clients(collector, target)
        return CollectorRun(self.engine, self.settings, clients, collector, self.clock.now, stopping).execute()

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

    def watermark(self) -> dict[str, Any]:
        """What the jobs collector wrote down for itself."""
        with reading(self.engine) as connection:
            return read_watermark(connection, 1, "jobs")

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
