"""More tables of facts: signals of live jobs, tuning jobs, findings, and what people and policies did about them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.schema import Id, Instant, metadata

samples = Table(  # series of what CloudWatch says of a job, six hours of one series in a row: see storage.samples
    "samples",
    metadata,
    Column("job_id", Id, ForeignKey("training_jobs.id"), primary_key=True),
    Column("host", Integer, primary_key=True),  # algo-N; 0 for the job's own metrics; see storage.samples for sums over hosts
    Column("metric", Text, primary_key=True),
    Column("chunk", Integer, primary_key=True),  # number of six hours since 1970
    Column("period_seconds", Integer, nullable=False),  # 60 as collected, more once thinned
    Column("points", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_samples_chunk", samples.c.chunk, samples.c.period_seconds)

signals = Table(  # when something of a job last moved
    "signals",
    metadata,
    Column("job_id", Id, ForeignKey("training_jobs.id"), primary_key=True),
    Column("signal", Text, primary_key=True),  # logs, metrics
    Column("last_at", Instant),  # None: it never has
    Column("checked_at", Instant, nullable=False),  # when we last looked
    sqlite_with_rowid=False,
)

tuning_jobs = Table(
    "tuning_jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_second", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("watched", Boolean, nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("description", LargeBinary, nullable=False),  # as training jobs' are
    UniqueConstraint("scope_id", "name", "created_second"),
)

tuning_children = Table(
    "tuning_children",
    metadata,
    Column("tuning_id", Id, ForeignKey("tuning_jobs.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("objective", Float),  # the final value of the objective metric; None where there is none (yet)
    Column("parameters", Text, nullable=False),  # JSON
    sqlite_with_rowid=False,
)

findings = Table(  # one row for each time that a rule began to hold of a job; never deleted
    "findings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("training_jobs.id"), nullable=False),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("team", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("since", Instant, nullable=False),  # when what it says began
    Column("opened_at", Instant, nullable=False),  # when we first saw it
    Column("judged_at", Instant, nullable=False),  # when facts last bore it out
    Column("closed_at", Instant),
    Column("closed_because", Text),
    Column("evidence", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("accruing_nusd", BigInteger),
    Column("burn_nusd_per_hour", BigInteger),
    Column("wasted_nusd", BigInteger),
    Column("projected_nusd", BigInteger),
    Column("quiet_kind", Text),  # acknowledged or snoozed; the audit log has the history
    Column("quiet_by", Text),
    Column("quiet_at", Instant),
    Column("quiet_until", Instant),
    Column("quiet_reason", Text),
    Index("ix_findings_job_id", "job_id", "rule"),
    Index("ix_findings_opened_at", "opened_at"),
)
Index(
    "uq_findings_open", findings.c.job_id, findings.c.rule, unique=True,
    sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL"),
)  # fmt: skip

unjudged = Table(  # rules that cannot be judged of a live job now, and why
    "unjudged",
    metadata,
    Column("job_id", Id, ForeignKey("training_jobs.id"), primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("why", Text, nullable=False),
    sqlite_with_rowid=False,
)

audit = Table(  # append-only: triggers refuse to change or delete a row
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("follows", Id, ForeignKey("audit.id")),  # the row of the same action that this one goes on from
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("caller", Text),  # the AWS identity that acted, where AWS was asked
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("account", Text),
    Column("region", Text),
    Column("team", Text),
    Column("reason", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("before", Text),  # JSON
    Column("after", Text),  # JSON
    Index("ix_audit_follows", "follows"),
)

stops = Table(  # what was asked to stop, and how far that is
    "stops",
    metadata,
    Column("id", Id, primary_key=True),
    Column("audit_id", Id, ForeignKey("audit.id"), nullable=False),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("kind", Text, nullable=False),  # training_job or tuning_job
    Column("name", Text, nullable=False),
    Column("created_second", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", Text, nullable=False),  # claimed, stopping, stopped, already_ended, failed
    Column("ended_at", Instant),
    Column("avoided_nusd", BigInteger),
    Column("work_lost_nusd", BigInteger),
    Index("ix_stops_asked_at", "asked_at"),
)
Index(
    "uq_stops_open", stops.c.scope_id, stops.c.kind, stops.c.name, stops.c.created_second, unique=True,
    sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
)  # fmt: skip

messages = Table(  # what has to be told, and whether it was
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False),  # what it is about: the same thing is told once to a channel
    Column("audience", Text, nullable=False),  # a team's id, or on_call
    Column("channel", Text, nullable=False),  # a digest of the URL, which may hold a secret
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_at", Instant),
    Column("given_up_at", Instant),
    Column("problem", Text, nullable=False, server_default=""),
    UniqueConstraint("key", "channel"),
    Index("ix_messages_made_at", "made_at"),
)
Index(
    "ix_messages_due_at", messages.c.due_at,
    sqlite_where=text("sent_at IS NULL AND given_up_at IS NULL"), postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL"),
)  # fmt: skip

policy_steps = Table(
    "policy_steps",
    metadata,
    Column("finding_id", Id, ForeignKey("findings.id"), primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("step", Text, primary_key=True),  # warned, warned_again, stopped
    Column("at", Instant, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_with_rowid=False,
)

ended_sign_ins = Table(  # sign-ins that somebody signed out of: a copy of the cookie opens nothing
    "ended_sign_ins",
    metadata,
    Column("fingerprint", Text, primary_key=True),  # a digest of the claims, which hold who it was
    Column("ended_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
