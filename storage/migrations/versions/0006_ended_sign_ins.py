"""Sign-ins that were ended by signing out.

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
    """Creates the table."""
    op.create_table(
        "ended_sign_ins",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_ended_sign_ins")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_table("ended_sign_ins")
