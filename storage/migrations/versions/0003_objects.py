"""Checkpoints, what SageMaker refers to, leftovers, and plans to clean them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "buckets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("versioning", sa.Text(), nullable=False),
        sa.Column("object_lock", sa.Boolean(), nullable=True),
        sa.Column("encrypted", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_buckets_scope_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_buckets")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leftover_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("nusd_per_month", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "team", name=op.f("pk_leftover_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clean_plans",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("teams", sa.Text(), nullable=False),
        sa.Column("min_age_days", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), server_default="", nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=True),
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_clean_plans_audit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clean_plans")),
    )
    op.create_table(
        "leftovers",
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.Column("newest_at", sa.BigInteger(), nullable=True),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_leftovers_scope_id")),
        sa.PrimaryKeyConstraint("bucket", "prefix", "kind", name=op.f("pk_leftovers")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "model_references",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_model_references_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_references")),
        sa.UniqueConstraint("scope_id", "kind", "name", "uri", name=op.f("uq_model_references_scope_id_kind_name_uri")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("newest_at", sa.BigInteger(), nullable=True),
        sa.Column("saves", sa.Text(), nullable=False),
        sa.Column("cut_off", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lost_seconds", sa.BigInteger(), nullable=True),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["training_jobs.id"], name=op.f("fk_checkpoints_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_checkpoints")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clean_items",
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("owners", sa.Text(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("nusd_per_month", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("versioning", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["clean_plans.id"], name=op.f("fk_clean_items_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "item", name=op.f("pk_clean_items")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clean_objects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["clean_plans.id"], name=op.f("fk_clean_objects_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clean_objects")),
        sa.UniqueConstraint("plan_id", "item", "key", "upload_id", name=op.f("uq_clean_objects_plan_id_item_key_upload_id")),
    )
    with op.batch_alter_table("clean_objects", schema=None) as batch_op:
        batch_op.create_index("ix_clean_objects_plan_id_state", ["plan_id", "state", "item"], unique=False)


def downgrade() -> None:
    """Drops them."""
    with op.batch_alter_table("clean_objects", schema=None) as batch_op:
        batch_op.drop_index("ix_clean_objects_plan_id_state")

    op.drop_table("clean_objects")
    op.drop_table("clean_items")
    op.drop_table("checkpoints")
    op.drop_table("model_references")
    op.drop_table("leftovers")
    op.drop_table("clean_plans")
    op.drop_table("leftover_days")
    op.drop_table("buckets")
