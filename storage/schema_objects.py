"""Tables of facts about S3: checkpoints, what SageMaker refers to, leftovers, and the plans that clean them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from storage.schema import Day, Id, Instant, metadata

checkpoints = Table(  # what lay under a job's checkpoint prefix when we last looked
    "checkpoints",
    metadata,
    Column("job_id", Id, ForeignKey("training_jobs.id"), primary_key=True),
    Column("objects", BigInteger),  # None: could not be listed
    Column("bytes", BigInteger),
    Column("newest_at", Instant),  # of anything under the prefix, a predecessor's writes too
    Column("saves", Text, nullable=False),  # JSON: milliseconds of the job's own saves that we have seen, oldest first
    Column("cut_off", Boolean, nullable=False),  # the listing ended at its page limit
    Column("problem", Text, nullable=False),  # why it could not be listed, in words; else empty
    Column("state", Text, nullable=False),  # as of that look: see domain.checkpoint
    Column("lost_seconds", BigInteger),  # trained again after interruptions, as far as saves are known; None: not known
    Column("looked_at", Instant, nullable=False),
    Column("final", Boolean, nullable=False),  # looked at after the job's end
    sqlite_with_rowid=False,
)

model_references = Table(  # S3 URIs that SageMaker Models, endpoints and model packages refer to
    "model_references",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("kind", Text, nullable=False),  # model, model_package
    Column("name", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
    UniqueConstraint("scope_id", "kind", "name", "uri"),
)

buckets = Table(
    "buckets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),  # through which we reached it
    Column("region", Text),
    Column("versioning", Text, nullable=False),  # off, enabled, suspended, unknown
    Column("object_lock", Boolean),
    Column("encrypted", Text),  # the key's kind, such as aws:kms; None: not known
    Column("problem", Text, nullable=False),  # why it cannot be listed, in words; else empty
    Column("looked_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

leftovers = Table(  # what a training job left under one prefix, or would
    "leftovers",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("prefix", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # intermediates, debugger, profiler, tensorboard, checkpoints, uploads, artifacts
    Column("scope_id", Id, ForeignKey("scopes.id"), nullable=False),
    Column("job", Text, nullable=False),  # the path component that names the job; empty where none does
    Column("team", Text, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("classes", Text, nullable=False),  # JSON: bytes by storage class
    Column("newest_at", Instant),
    Column("looked_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

leftover_days = Table(  # what leftovers took on a day, so that growth can be told
    "leftover_days",
    metadata,
    Column("day", Day, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("nusd_per_month", BigInteger, nullable=False),  # of what has a known price
    sqlite_with_rowid=False,
)

clean_plans = Table(
    "clean_plans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("teams", Text, nullable=False),  # JSON
    Column("min_age_days", Integer, nullable=False),
    Column("mode", Text, nullable=False),  # delete, or quarantine
    Column("state", Text, nullable=False),  # making, planned, applying, applied, undoing, undone
    Column("holder", Text, nullable=False, server_default=""),  # the process that applies or undoes it
    Column("renewed_at", Instant),  # when that process last said that it lives
    Column("audit_id", Id, ForeignKey("audit.id")),
    Column("kept", Text, nullable=False),  # JSON: [[bucket, prefix, job, why], …]
    Column("applied_at", Instant),
    Column("forgotten_at", Instant),  # when the list of its objects was given up for its age; items and totals stay
)

clean_items = Table(  # a prefix of a plan, with its owners at the time
    "clean_items",
    metadata,
    Column("plan_id", Id, ForeignKey("clean_plans.id"), primary_key=True),
    Column("item", Integer, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("owners", Text, nullable=False),  # JSON: {"jobs": [[ARN, created second], …], "teams": […]}
    Column("objects", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("nusd_per_month", BigInteger),
    Column("why", Text, nullable=False),
    Column("versioning", Text, nullable=False),
    sqlite_with_rowid=False,
)

clean_objects = Table(
    "clean_objects",
    metadata,
    Column("id", Id, primary_key=True),
    Column("plan_id", Id, ForeignKey("clean_plans.id"), nullable=False),
    Column("item", Integer, nullable=False),
    Column("key", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),  # in the order of S3
    Column("upload_id", Text, nullable=False),  # of an unfinished upload; empty for an object
    Column("etag", Text, nullable=False),
    Column("version_id", Text),
    Column("bytes", BigInteger, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("state", Text, nullable=False),  # planned, deleted, tagged, gone, skipped, failed, undone, released
    Column("why", Text, nullable=False),
    Column("marker", Text),  # the version of the delete marker that we made, for undo
    UniqueConstraint("plan_id", "item", "key", "upload_id"),
    Index("ix_clean_objects_plan_id_state", "plan_id", "state", "item"),
)
