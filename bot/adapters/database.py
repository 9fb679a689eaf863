"""The database's engine: SQLite in one file, or PostgreSQL.

SQLite runs in WAL mode with ``synchronous=FULL``, so that what was committed survives
the loss of power; writers queue at the write lock, for at most `BUSY_TIMEOUT` seconds.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from bot.domain.errors import InvalidInput

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for the one before it; a commit takes milliseconds, so a
wait of this length means that something is wrong and an error is better."""


PAGE_CACHE = 32_768
"""KiB of a connection's page cache, as it is needed: with SQLite's default of 2 MiB intake took
longer when a million alerts were stored."""

CHECKPOINT = 8_000
"""Pages (of 4 KiB) in the WAL before they are written to the file: with SQLite's default of
1,000, every other batch of a storm waited for that."""


def database_url(text: str) -> URL:
    """The URL with its driver named. Raises `InvalidInput` for any other database."""
    url = make_url(text)
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite")
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise InvalidInput(
        f"TOCSIN_DATABASE_URL names {url.get_backend_name()}; use sqlite:///… or postgresql://…"
    )


def create(text: str, busy_timeout: float = BUSY_TIMEOUT) -> Engine:
    """An engine for the database at that URL; a SQLite file's folder is made."""
    url = database_url(text)
    if url.drivername != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=20)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # The connection that was used last is used next: its page cache is warm.
    engine = create_engine(url, pool_size=20, pool_use_lifo=True)
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout))
    return engine


def _prepare_sqlite(busy_timeout: float, connection: Any, _record: object) -> None:
    # Writes begin with the write lock, so a read never has to be upgraded (and fail).
    connection.isolation_level = "IMMEDIATE"
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={int(busy_timeout * 1000)}",
        "foreign_keys=ON",
        f"cache_size={-PAGE_CACHE}",
        f"wal_autocheckpoint={CHECKPOINT}",
    ):
        connection.execute(f"PRAGMA {pragma}")
