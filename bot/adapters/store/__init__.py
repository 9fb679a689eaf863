"""The database: one module a kind of thing, put together in `sql`."""

from bot.adapters.store.sql import SqlReader, SqlStore, SqlTransaction

__all__ = ["SqlReader", "SqlStore", "SqlTransaction"]
