"""Alembic's entry: migrations run on the connection that `storage.migrate` hands over."""

from alembic import context

import storage.schema_objects
import storage.schema_operations  # noqa: F401 - their tables join the metadata
from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
