"""The inbox's connection to its database: SQLite's own driver, or psycopg.

Both speak the same few statements, so there is one connection class and, for each
database, a `Dialect` that says how to connect and what differs. No ORM and no query
builder: the webhook's answer waits for this.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import URL, make_url

from bot.domain.errors import PermanentError, TemporaryError

PATIENCE = 2
"""Seconds to wait for a lock or a connection. The worker's removals take milliseconds, so
whoever holds the lock for longer is stuck, and the sender should hear that and retry."""

START_PATIENCE = 10
"""Seconds to wait for the lock while the file is being made; nobody waits for an answer yet."""

RETRY = 0.05
"""Seconds between two tries to prepare a connection."""

_STATEMENT_TIMEOUT = 10
"""Seconds after which PostgreSQL's server gives a statement up, and TCP a dead peer."""

_SQLITE_TABLE = """
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    received_at REAL NOT NULL,
    body BLOB NOT NULL
)"""

# The lock (any number that nothing else uses) is for processes that start at once:
# IF NOT EXISTS alone lets the slower one fail.
_POSTGRESQL_TABLE = """
SELECT pg_advisory_xact_lock(843765201);
CREATE TABLE IF NOT EXISTS inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    received_at double precision NOT NULL,
    body bytea NOT NULL
)"""


class _Cursor(Protocol):
    @property
    def description(self) -> object: ...

    def fetchall(self) -> list[Any]: ...


class _Driver(Protocol):
    """What `sqlite3.Connection` and `psycopg.Connection` have in common."""

    def execute(self, sql: Any, parameters: Any = ..., /) -> _Cursor: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to reach one kind of database: `setup` runs on every new connection."""

    connect: Callable[[], _Driver]
    setup: tuple[str, ...]
    error: type[Exception]
    placeholder: str


class Connection:
    """A connection in autocommit that opens when it is needed, and anew after an error.

    Threads may share it; they take turns.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._driver: _Driver | None = None
        self._lock = Lock()

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """The statement's rows, if it has any; `?` stands for a parameter.

        Raises `TemporaryError` whatever the database's complaint: full, locked,
        read-only, gone. Then it changed nothing, unless the connection broke just as
        PostgreSQL said that it had.
        """
        with self._lock:
            try:
                cursor = self._open().execute(
                    sql.replace("?", self._dialect.placeholder), parameters
                )
                return cursor.fetchall() if cursor.description else []
            except self._dialect.error as error:
                self._drop()
                reason = " ".join(str(error).split())
                raise TemporaryError(f"The inbox's database refuses: {reason}.") from error

    def close(self) -> None:
        """Close it; a later `run` would open it again."""
        with self._lock:
            self._drop()

    def _open(self) -> _Driver:
        if self._driver is None:
            self._driver = self._dialect.connect()
            for statement in self._dialect.setup:
                _execute_patiently(self._driver, statement, self._dialect.error)
        return self._driver

    def _drop(self) -> None:
        if self._driver is not None:
            with contextlib.suppress(self._dialect.error):
                self._driver.close()
        self._driver = None


def _execute_patiently(driver: _Driver, statement: str, error: type[Exception]) -> None:
    """Execute it; SQLite waits for no lock while another process makes the file a WAL one."""
    deadline = time.monotonic() + START_PATIENCE
    while True:
        try:
            driver.execute(statement)
        except error as reason:
            if "locked" not in str(reason) or time.monotonic() > deadline:
                raise
            time.sleep(RETRY)
        else:
            return


def dialect_of(database_url: str, *, durable: bool) -> Dialect:
    """The dialect of the inbox that belongs to the database at `database_url`.

    With `durable`, a statement that returned survives a power failure; without, it
    may be undone by one (and only by one). Raises `PermanentError` for a URL of
    another kind of database.
    """
    url = make_url(database_url)
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return _postgresql(url, durable)
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return _sqlite(inbox_file(Path(url.database)), durable)
    raise PermanentError(
        "TOCSIN_DATABASE_URL must be sqlite:///PATH or postgresql://USER@HOST/DATABASE."
    )


def inbox_file(database: Path) -> Path:
    """The inbox beside a main database: tocsin.db has tocsin.inbox.db."""
    return database.with_name(f"{database.stem}.inbox{database.suffix}")


def _sqlite(file: Path, durable: bool) -> Dialect:
    return Dialect(
        connect=partial(
            sqlite3.connect, file, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        ),
        setup=(
            # All processes that start at once make the table; each waits for the others.
            f"PRAGMA busy_timeout = {START_PATIENCE * 1000}",
            "PRAGMA journal_mode = WAL",
            f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}",
            _SQLITE_TABLE,
            f"PRAGMA busy_timeout = {PATIENCE * 1000}",
        ),
        error=sqlite3.Error,
        placeholder="?",
    )


def _postgresql(url: URL, durable: bool) -> Dialect:
    return Dialect(
        connect=partial(
            psycopg.connect,
            url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=PATIENCE,
            tcp_user_timeout=_STATEMENT_TIMEOUT * 1000,
        ),
        setup=(
            f"SET statement_timeout = '{_STATEMENT_TIMEOUT}s'",
            f"SET lock_timeout = '{PATIENCE}s'",
            f"SET synchronous_commit = {'on' if durable else 'off'}",
            _POSTGRESQL_TABLE,
        ),
        error=psycopg.Error,
        placeholder="%s",
    )
