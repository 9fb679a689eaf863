"""Alembic's environment: migrations run on the connection that `schema.migrate` opened."""

from alembic import context
from sqlmodel import SQLModel

# Imported for its effect: it enters the tables into SQLModel's metadata.
import bot.adapters.tables  # noqa: F401

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
