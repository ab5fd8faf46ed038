"""The tables: facts (what AWS said, and when) and derived rows (thrown away and rebuilt at will).

Instants are whole milliseconds since 1970 and UTC days whole days since 1970 in the database, aware datetimes and dates in
Python. Money is whole nano-dollars. One schema serves SQLite and PostgreSQL.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from domain.instants import day_from_number, day_number, from_millis, to_millis

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Milliseconds for the database."""
        return None if value is None else to_millis(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The instant again."""
        return None if value is None else from_millis(value)


class Day(TypeDecorator[date]):
    """A UTC day, kept as whole days since 1970."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:
        """Days for the database."""
        return None if value is None else day_number(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> date | None:
        """The day again."""
        return None if value is None else day_from_number(value)


Id = BigInteger().with_variant(Integer, "sqlite")


def _money(*names: str) -> list[Column[Any]]:
    return [Column(f"{name}_nusd", BigInteger, nullable=False) for name in names]


def _counts(*names: str) -> list[Column[Any]]:
    return [Column(name, Integer, nullable=False) for name in names]


# --- facts ---

scopes = Table(
    "scopes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("name", Text),
    UniqueConstraint("account", "region"),
)

training_jobs = Table(
    "training_jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("name", Text, nullable=False),
    # Search sends whole seconds where Describe sends milliseconds, so identity is name and creation to the second.
    Column("created_second", BigInteger, nullable=False),
    Column("arn", Text),  # None where it is the usual one: see domain.arns
    Column("last_modified_at", Instant),
    Column("observed_at", Instant, nullable=False),  # when AWS last told us of it
    Column("gone_at", Instant),  # when AWS first said it no longer knows the job
    Column("watched", Boolean, nullable=False),  # its facts may still change
    Column("digest", BigInteger, nullable=False),  # of the description, to tell whether anything changed
    Column("description", LargeBinary, nullable=False),  # masked, JSON, zstd: see storage.descriptions
    UniqueConstraint("scope_id", "name", "created_second"),
    Index("ix_training_jobs_watched", "scope_id", sqlite_where=text("watched = 1"), postgresql_where=text("watched")),
)

prices = Table(
    "prices",
    metadata,
    Column("region", Text, primary_key=True),
    Column("instance_type", Text, primary_key=True),
    Column("effective_at", Instant, primary_key=True),
    Column("rate_nusd", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

collector_runs = Table(
    "collector_runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("collector", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("outcome", Text, nullable=False),  # running, ok, partial, failed, abandoned
    Column("message", Text, nullable=False, server_default=""),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("calls", Integer, nullable=False, server_default="0"),
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in ("cost_nusd",)),
    Index("ix_collector_runs_scope_id_collector_started_at", "scope_id", "collector", "started_at"),
    Index("ix_collector_runs_started_at", "started_at"),
)

collector_status = Table(  # the newest of these runs, so that every page need not look through all of them
    "collector_status",
    metadata,
    Column("scope_id", Id, ForeignKey("scopes.id"), primary_key=True),
    Column("collector", Text, primary_key=True),
    Column("run_id", Id, nullable=False),  # the newest run
    Column("succeeded_at", Instant),  # the end of the last that was ok or partial
    Column("whole_at", Instant),  # the beginning of the last that was ok
    sqlite_with_rowid=False,
)

api_calls = Table(
    "api_calls",
    metadata,
    Column("day", Day, primary_key=True),
    Column("scope_id", Id, ForeignKey("scopes.id"), primary_key=True),
    Column("operation", Text, primary_key=True),  # service:Operation
    *_counts("calls", "errors"),
    *_money("cost"),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("scope_id", Id, ForeignKey("scopes.id"), primary_key=True),
    Column("collector", Text, primary_key=True),
    Column("state", Text, nullable=False),  # JSON, the collector's own
)

leases = Table(
    "leases",
    metadata,
    Column("scope_id", Id, ForeignKey("scopes.id"), primary_key=True),
    Column("collector", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

pending_derivations = Table("pending_derivations", metadata, Column("job_id", Id, ForeignKey("training_jobs.id"), primary_key=True))

# --- derived ---

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, ForeignKey("training_jobs.id"), primary_key=True, autoincrement=False),
    Column("scope_id", Id, nullable=False),
    Column("team", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("model_type", Text),
    Column("team_rule", Text, nullable=False),
    Column("project_rule", Text, nullable=False),
    Column("team_known", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("secondary_status", Text),
    Column("capacity", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("instance_type", Text),  # the first group's
    Column("instances", Text, nullable=False),  # JSON: [[instance_type, count, rate_nusd or null], …]
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("is_live", Boolean, nullable=False),
    Column("intervals", Text),  # JSON, of live jobs alone: [[start, end or null], …] in milliseconds
    Column("training_seconds", BigInteger),
    Column("billable_seconds", BigInteger),
    Column("compute_nusd", BigInteger),
    Column("warm_pool_nusd", BigInteger),
    Column("storage_nusd", BigInteger),
    Column("cost_nusd", BigInteger),
    Column("spot_savings_nusd", BigInteger),
    Column("plan_covered_nusd", BigInteger),
    Column("effective_nusd", BigInteger),
    Column("list_rate_nusd", BigInteger),
    Column("basis", Text, nullable=False),
    Column("price_source", Text),
    Column("predates_prices", Boolean, nullable=False),
    Column("tuning_job", Text),
    Column("pipeline", Text),
    Column("max_runtime_seconds", BigInteger),
    Column("interruptions", Integer, nullable=False),
    Column("tag_clue", Text),  # these three only while teams are learned from the account: see domain.vocabulary
    Column("role_clue", Text),
    Column("bucket_clue", Text),
)
Index("ix_jobs_created_at", jobs.c.created_at, jobs.c.team, jobs.c.status, jobs.c.capacity, jobs.c.instance_type)
Index("ix_jobs_team_created_at", jobs.c.team, jobs.c.created_at, jobs.c.status, jobs.c.capacity, jobs.c.instance_type)
Index("ix_jobs_cost_nusd", jobs.c.cost_nusd, jobs.c.started_at, jobs.c.ended_at, jobs.c.team)
Index("ix_jobs_team_cost_nusd", jobs.c.team, jobs.c.cost_nusd, jobs.c.started_at, jobs.c.ended_at)
Index("ix_jobs_live", jobs.c.created_at, sqlite_where=text("is_live = 1"), postgresql_where=text("is_live"))
Index("ix_jobs_ended_at", jobs.c.ended_at)
Index(  # a family's latest successful runs
    "ix_jobs_family", jobs.c.team, jobs.c.project, jobs.c.model_type, jobs.c.instance_type, jobs.c.ended_at, jobs.c.training_seconds,
    sqlite_where=text("status = 'Completed'"), postgresql_where=text("status = 'Completed'"),
)  # fmt: skip

AMOUNTS = (
    "instance_seconds",
    "compute_nusd",
    "warm_pool_nusd",
    "storage_nusd",
    "spot_savings_nusd",
    "plan_covered_nusd",
    "effective_nusd",
)


def _amounts() -> list[Column[Any]]:
    return [Column(name, BigInteger, nullable=False) for name in AMOUNTS]


job_days = Table(
    "job_days",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id"), primary_key=True),
    Column("day", Day, primary_key=True),
    Column("instance_type", Text, primary_key=True),
    Column("flags", SmallInteger, nullable=False),  # storage.rollups.FLAG_…
    *_amounts(),
    sqlite_with_rowid=False,
)
Index("ix_job_days_day", job_days.c.day, job_days.c.job_id)


def _rollup(name: str, grain: Sequence[str], counts: Sequence[str]) -> Table:
    """A table of sums at one grain, clustered by it in SQLite; every column counts or adds up, none is null."""
    kinds: dict[str, Any] = {"day": Day, "month": Day, "scope_id": Id}
    return Table(
        name,
        metadata,
        *(Column(column, kinds.get(column, Text), primary_key=True) for column in grain),
        *_counts(*counts),
        *_amounts(),
        sqlite_with_rowid=False,
    )


# `present`: jobs with time on the day; `started`: those whose first day it is. Jobs in a period are the present of its first
# day and the started of the later ones. The primary_… ones count a job once, whatever its instance types.
COUNTS = ("present", "started", "unpriced_present", "unpriced_started")
PRIMARY_COUNTS = tuple(f"primary_{name}" for name in COUNTS)

rollup_days = _rollup(
    "rollup_days",
    ("day", "team", "project", "instance_type", "capacity", "status", "scope_id"),
    (*COUNTS, *PRIMARY_COUNTS),
)
rollup_team_days = _rollup("rollup_team_days", ("day", "team", "capacity", "scope_id"), PRIMARY_COUNTS)
rollup_model_days = _rollup("rollup_model_days", ("day", "team", "project", "model_type"), PRIMARY_COUNTS)
rollup_model_months = _rollup("rollup_model_months", ("month", "team", "project", "model_type"), PRIMARY_COUNTS)

spot_days = Table(
    "spot_days",
    metadata,
    Column("day", Day, primary_key=True),  # of the job's end
    Column("team", Text, primary_key=True),
    Column("family", Text, primary_key=True),
    *_counts("jobs"),
    *_money("billed", "list"),
    sqlite_with_rowid=False,
)

job_kinds = Table(  # how many jobs of each kind there are, ended, live or never started: what filters offer
    "job_kinds",
    metadata,
    *(Column(name, Text, primary_key=True) for name in ("team", "project", "instance_type", "capacity", "status", "mode")),
    *_counts("jobs"),
    sqlite_with_rowid=False,
)

clues = Table(
    "clues",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    *_counts("jobs"),
)

oddities = Table(
    "oddities",
    metadata,
    Column("job_id", Id, ForeignKey("training_jobs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

derived_state = Table(
    "derived_state",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

DERIVED_TABLES = (
    oddities,
    job_days,
    jobs,
    rollup_days,
    rollup_team_days,
    rollup_model_days,
    rollup_model_months,
    spot_days,
    job_kinds,
    clues,
)
