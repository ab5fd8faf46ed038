"""Keys of objects in the order of S3, whatever language a PostgreSQL database orders text by.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Orders keys by code points; SQLite always does."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("clean_objects", "key", type_=sa.Text(collation="C"))


def downgrade() -> None:
    """Orders them as the database does."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("clean_objects", "key", type_=sa.Text())
