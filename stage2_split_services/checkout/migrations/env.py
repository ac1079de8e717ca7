"""Alembic's entry: run the versions on the connection that `database.migrate` made."""

from alembic import context
from checkout.database import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata
)
with context.begin_transaction():
    context.run_migrations()
