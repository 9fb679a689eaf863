"""The schema's history, a file a change (Alembic)."""
