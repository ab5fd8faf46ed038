"""First tables: facts and derived rows."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates every table."""
    op.create_table(
        "clues",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_clues")),
    )
    op.create_table(
        "derived_state",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_derived_state")),
    )
    op.create_table(
        "job_kinds",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("instance_type", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("team", "project", "instance_type", "capacity", "status", "mode", name=op.f("pk_job_kinds")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "prices",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("instance_type", sa.Text(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("rate_nusd", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "instance_type", "effective_at", name=op.f("pk_prices")),
    )
    op.create_table(
        "rollup_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("instance_type", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.Column("started", sa.Integer(), nullable=False),
        sa.Column("unpriced_present", sa.Integer(), nullable=False),
        sa.Column("unpriced_started", sa.Integer(), nullable=False),
        sa.Column("primary_present", sa.Integer(), nullable=False),
        sa.Column("primary_started", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_present", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_started", sa.Integer(), nullable=False),
        sa.Column("instance_seconds", sa.BigInteger(), nullable=False),
        sa.Column("compute_nusd", sa.BigInteger(), nullable=False),
        sa.Column("warm_pool_nusd", sa.BigInteger(), nullable=False),
        sa.Column("storage_nusd", sa.BigInteger(), nullable=False),
        sa.Column("spot_savings_nusd", sa.BigInteger(), nullable=False),
        sa.Column("plan_covered_nusd", sa.BigInteger(), nullable=False),
        sa.Column("effective_nusd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "team", "project", "instance_type", "capacity", "status", "scope_id", name=op.f("pk_rollup_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_model_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("model_type", sa.Text(), nullable=False),
        sa.Column("primary_present", sa.Integer(), nullable=False),
        sa.Column("primary_started", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_present", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_started", sa.Integer(), nullable=False),
        sa.Column("instance_seconds", sa.BigInteger(), nullable=False),
        sa.Column("compute_nusd", sa.BigInteger(), nullable=False),
        sa.Column("warm_pool_nusd", sa.BigInteger(), nullable=False),
        sa.Column("storage_nusd", sa.BigInteger(), nullable=False),
        sa.Column("spot_savings_nusd", sa.BigInteger(), nullable=False),
        sa.Column("plan_covered_nusd", sa.BigInteger(), nullable=False),
        sa.Column("effective_nusd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "team", "project", "model_type", name=op.f("pk_rollup_model_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_model_months",
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("model_type", sa.Text(), nullable=False),
        sa.Column("primary_present", sa.Integer(), nullable=False),
        sa.Column("primary_started", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_present", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_started", sa.Integer(), nullable=False),
        sa.Column("instance_seconds", sa.BigInteger(), nullable=False),
        sa.Column("compute_nusd", sa.BigInteger(), nullable=False),
        sa.Column("warm_pool_nusd", sa.BigInteger(), nullable=False),
        sa.Column("storage_nusd", sa.BigInteger(), nullable=False),
        sa.Column("spot_savings_nusd", sa.BigInteger(), nullable=False),
        sa.Column("plan_covered_nusd", sa.BigInteger(), nullable=False),
        sa.Column("effective_nusd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "team", "project", "model_type", name=op.f("pk_rollup_model_months")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_team_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("primary_present", sa.Integer(), nullable=False),
        sa.Column("primary_started", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_present", sa.Integer(), nullable=False),
        sa.Column("primary_unpriced_started", sa.Integer(), nullable=False),
        sa.Column("instance_seconds", sa.BigInteger(), nullable=False),
        sa.Column("compute_nusd", sa.BigInteger(), nullable=False),
        sa.Column("warm_pool_nusd", sa.BigInteger(), nullable=False),
        sa.Column("storage_nusd", sa.BigInteger(), nullable=False),
        sa.Column("spot_savings_nusd", sa.BigInteger(), nullable=False),
        sa.Column("plan_covered_nusd", sa.BigInteger(), nullable=False),
        sa.Column("effective_nusd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "team", "capacity", "scope_id", name=op.f("pk_rollup_team_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scopes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scopes")),
        sa.UniqueConstraint("account", "region", name=op.f("uq_scopes_account_region")),
    )
    op.create_table(
        "spot_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("billed_nusd", sa.BigInteger(), nullable=False),
        sa.Column("list_nusd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "team", "family", name=op.f("pk_spot_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_calls",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("cost_nusd", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_api_calls_scope_id")),
        sa.PrimaryKeyConstraint("day", "scope_id", "operation", name=op.f("pk_api_calls")),
    )
    op.create_table(
        "collector_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("collector", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cost_nusd", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_collector_runs_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collector_runs")),
    )
    with op.batch_alter_table("collector_runs", schema=None) as batch_op:
        batch_op.create_index("ix_collector_runs_scope_id_collector_started_at", ["scope_id", "collector", "started_at"], unique=False)

    op.create_table(
        "leases",
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("collector", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_leases_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", "collector", name=op.f("pk_leases")),
    )
    op.create_table(
        "training_jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_second", sa.BigInteger(), nullable=False),
        sa.Column("arn", sa.Text(), nullable=True),
        sa.Column("last_modified_at", sa.BigInteger(), nullable=True),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_training_jobs_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_jobs")),
        sa.UniqueConstraint("scope_id", "name", "created_second", name=op.f("uq_training_jobs_scope_id_name_created_second")),
    )
    with op.batch_alter_table("training_jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_training_jobs_watched",
            ["scope_id"],
            unique=False,
            sqlite_where=sa.text("watched = 1"),
            postgresql_where=sa.text("watched"),
        )

    op.create_table(
        "watermarks",
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("collector", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_watermarks_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", "collector", name=op.f("pk_watermarks")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("model_type", sa.Text(), nullable=True),
        sa.Column("team_rule", sa.Text(), nullable=False),
        sa.Column("project_rule", sa.Text(), nullable=False),
        sa.Column("team_known", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("secondary_status", sa.Text(), nullable=True),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("instance_type", sa.Text(), nullable=True),
        sa.Column("instances", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("intervals", sa.Text(), nullable=True),
        sa.Column("training_seconds", sa.BigInteger(), nullable=True),
        sa.Column("billable_seconds", sa.BigInteger(), nullable=True),
        sa.Column("compute_nusd", sa.BigInteger(), nullable=True),
        sa.Column("warm_pool_nusd", sa.BigInteger(), nullable=True),
        sa.Column("storage_nusd", sa.BigInteger(), nullable=True),
        sa.Column("cost_nusd", sa.BigInteger(), nullable=True),
        sa.Column("spot_savings_nusd", sa.BigInteger(), nullable=True),
        sa.Column("plan_covered_nusd", sa.BigInteger(), nullable=True),
        sa.Column("effective_nusd", sa.BigInteger(), nullable=True),
        sa.Column("list_rate_nusd", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("price_source", sa.Text(), nullable=True),
        sa.Column("predates_prices", sa.Boolean(), nullable=False),
        sa.Column("tuning_job", sa.Text(), nullable=True),
        sa.Column("pipeline", sa.Text(), nullable=True),
        sa.Column("max_runtime_seconds", sa.BigInteger(), nullable=True),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("tag_clue", sa.Text(), nullable=True),
        sa.Column("role_clue", sa.Text(), nullable=True),
        sa.Column("bucket_clue", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["training_jobs.id"], name=op.f("fk_jobs_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_cost_nusd", ["cost_nusd", "started_at", "ended_at", "team"], unique=False)
        batch_op.create_index("ix_jobs_created_at", ["created_at", "team", "status", "capacity", "instance_type"], unique=False)
        batch_op.create_index("ix_jobs_ended_at", ["ended_at"], unique=False)
        batch_op.create_index(
            "ix_jobs_live", ["created_at"], unique=False, sqlite_where=sa.text("is_live = 1"), postgresql_where=sa.text("is_live")
        )
        batch_op.create_index("ix_jobs_team_cost_nusd", ["team", "cost_nusd", "started_at", "ended_at"], unique=False)
        batch_op.create_index("ix_jobs_team_created_at", ["team", "created_at", "status", "capacity", "instance_type"], unique=False)

    op.create_table(
        "oddities",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["training_jobs.id"], name=op.f("fk_oddities_job_id")),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_oddities")),
    )
    op.create_table(
        "pending_derivations",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["training_jobs.id"], name=op.f("fk_pending_derivations_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_pending_derivations")),
    )
    op.create_table(
        "job_days",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("instance_type", sa.Text(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("instance_seconds", sa.BigInteger(), nullable=False),
        sa.Column("compute_nusd", sa.BigInteger(), nullable=False),
        sa.Column("warm_pool_nusd", sa.BigInteger(), nullable=False),
        sa.Column("storage_nusd", sa.BigInteger(), nullable=False),
        sa.Column("spot_savings_nusd", sa.BigInteger(), nullable=False),
        sa.Column("plan_covered_nusd", sa.BigInteger(), nullable=False),
        sa.Column("effective_nusd", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_days_job_id")),
        sa.PrimaryKeyConstraint("job_id", "day", "instance_type", name=op.f("pk_job_days")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("job_days", schema=None) as batch_op:
        batch_op.create_index("ix_job_days_day", ["day", "job_id"], unique=False)


def downgrade() -> None:
    """Drops every table."""
    with op.batch_alter_table("job_days", schema=None) as batch_op:
        batch_op.drop_index("ix_job_days_day")

    op.drop_table("job_days")
    op.drop_table("pending_derivations")
    op.drop_table("oddities")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_team_created_at")
        batch_op.drop_index("ix_jobs_team_cost_nusd")
        batch_op.drop_index("ix_jobs_live", sqlite_where=sa.text("is_live = 1"), postgresql_where=sa.text("is_live"))
        batch_op.drop_index("ix_jobs_ended_at")
        batch_op.drop_index("ix_jobs_created_at")
        batch_op.drop_index("ix_jobs_cost_nusd")

    op.drop_table("jobs")
    op.drop_table("watermarks")
    with op.batch_alter_table("training_jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_training_jobs_watched", sqlite_where=sa.text("watched = 1"), postgresql_where=sa.text("watched"))

    op.drop_table("training_jobs")
    op.drop_table("leases")
    with op.batch_alter_table("collector_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_collector_runs_scope_id_collector_started_at")

    op.drop_table("collector_runs")
    op.drop_table("api_calls")
    op.drop_table("spot_days")
    op.drop_table("scopes")
    op.drop_table("rollup_team_days")
    op.drop_table("rollup_model_months")
    op.drop_table("rollup_model_days")
    op.drop_table("rollup_days")
    op.drop_table("prices")
    op.drop_table("job_kinds")
    op.drop_table("derived_state")
    op.drop_table("clues")
