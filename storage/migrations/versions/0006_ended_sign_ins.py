"""Sign-ins that were ended by signing out; and an empty database has nothing that was kept before more secrets were masked.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table, and notes that there is nothing to mask again where nothing was collected yet: see storage.remasking."""
    op.create_table(
        "ended_sign_ins",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_ended_sign_ins")),
        sqlite_with_rowid=False,
    )
    op.execute(
        sa.text(
            "INSERT INTO derived_state (key, value) SELECT 'masking', '1 done' "
            "WHERE NOT EXISTS (SELECT 1 FROM training_jobs) AND NOT EXISTS (SELECT 1 FROM collector_runs)"
        )
    )


def downgrade() -> None:
    """Drops it."""
    op.execute(sa.text("DELETE FROM derived_state WHERE key = 'masking'"))
    op.drop_table("ended_sign_ins")
