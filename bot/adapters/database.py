"""The database's engine: SQLite in one file, or PostgreSQL.

SQLite runs in WAL mode with ``synchronous=FULL``, so that what was committed survives
the loss of power. PostgreSQL's server ends what a replica left behind that was stopped or
cut off in a transaction: all others would wait for its locks. On both, writers queue at the
write lock, for at most `BUSY_TIMEOUT` seconds.
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


IDLE_IN_TRANSACTION = 10
"""Seconds that a transaction on PostgreSQL may wait for its client. Tocsin's are made of
statements with milliseconds between; nothing slow is called in one. Short beside the 30
seconds after which a silent replica is gone (`TOCSIN_REPLICA_GONE_AFTER`), because until
then nobody can write, and so take over from it."""

SERVER_SILENCE = 10
"""Seconds after which the connection to a PostgreSQL server that does not answer at all is
given up, as when its machine is gone; by default the system waits for hours."""

_PATIENCE = {
    "connect_timeout": SERVER_SILENCE,
    "tcp_user_timeout": SERVER_SILENCE * 1000,
    "keepalives_idle": SERVER_SILENCE // 2,
    "keepalives_interval": 1,
}
"""libpq's names for it; what the URL says itself holds."""

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
        engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_size=20,
            connect_args={
                name: value for name, value in _PATIENCE.items() if name not in url.query
            },
        )
        event.listen(engine, "connect", partial(_prepare_postgresql, busy_timeout))
        return engine
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # The connection that was used last is used next: its page cache is warm.
    engine = create_engine(url, pool_size=20, pool_use_lifo=True)
    event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout))
    return engine


def _prepare_postgresql(busy_timeout: float, connection: Any, _record: object) -> None:
    for name, seconds in (
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
        ("lock_timeout", busy_timeout),
    ):
        connection.execute(f"SET {name} = {int(seconds * 1000)}")
    connection.commit()


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
