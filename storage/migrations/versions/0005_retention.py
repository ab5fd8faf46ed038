"""The newest run of each collector by itself, and how long records of our own are kept.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FILL = """
    INSERT INTO collector_status (scope_id, collector, run_id, succeeded_at, whole_at)
    SELECT scope_id, collector, max(id),
           max(CASE WHEN outcome IN ('ok', 'partial') THEN finished_at END), max(CASE WHEN outcome = 'ok' THEN started_at END)
    FROM collector_runs GROUP BY scope_id, collector
"""


def upgrade() -> None:
    """Creates the table, fills it from the runs there are, and adds when a plan's objects were forgotten."""
    op.create_table(
        "collector_status",
        sa.Column("scope_id", _ID, nullable=False),
        sa.Column("collector", sa.Text(), nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("whole_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_collector_status_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", "collector", name=op.f("pk_collector_status")),
        sqlite_with_rowid=False,
    )
    op.execute(sa.text(_FILL))
    op.add_column("clean_plans", sa.Column("forgotten_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_collector_runs_started_at", "collector_runs", ["started_at"])
    op.create_index("ix_messages_made_at", "messages", ["made_at"])


def downgrade() -> None:
    """Drops them."""
    op.drop_index("ix_messages_made_at", table_name="messages")
    op.drop_index("ix_collector_runs_started_at", table_name="collector_runs")
    op.drop_column("clean_plans", "forgotten_at")
    op.drop_table("collector_status")
