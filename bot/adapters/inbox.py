"""The inbox: what webhooks brought, durable before it is answered.

The listener adds, the worker reads and removes. A commit waits for the disk, and the
disk takes as long for one row as for many; so a single writer thread commits all
requests that came in during the last commit at once ("group commit"), with one
INSERT of many rows: one statement, one transaction, one fsync, and the interpreter's
lock is given back and taken again only once.

The inbox is a store of its own so that a webhook never waits for the worker's
transactions: on SQLite a second file beside the main one (WAL, synchronous=FULL), on
PostgreSQL a table. Rows have ascending ids that are never used twice. On PostgreSQL
ids are given before the commit, so with several listeners a lower id may appear after
a higher one: remove what was read, never "all up to".
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread

import structlog

from bot.adapters.inbox_connection import Connection, dialect_of
from bot.domain.errors import TemporaryError
from bot.ports import Source

BATCH = 64
"""Requests in one commit at most: more made no commit cheaper when it was measured."""

MAX_WAITING = 2_000
"""Requests that may wait for their commit; beyond that the disk has fallen behind."""

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""The bodies of those requests, added up: what a storm may take of the memory."""

_INSERT = "INSERT INTO inbox (source, received_at, body) VALUES "

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """One webhook as it came. `received_at` is in seconds since the epoch, UTC."""

    id: int
    source: Source
    received_at: float
    body: bytes


@dataclass(frozen=True, slots=True)
class _Request:
    source: str
    received_at: float
    body: bytes
    committed: asyncio.Future[None]


class Inbox:
    """The inbox beside (SQLite) or in (PostgreSQL) the database at `database_url`.

    `on_commit` is called after every commit, on the writer's thread: it tells whoever
    reads that there is something to read, and must return at once.

    Raises `TemporaryError` when the database can't be opened, and `PermanentError`
    for a URL that is neither SQLite's nor PostgreSQL's.
    """

    def __init__(
        self,
        database_url: str,
        on_commit: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._adding = Connection(dialect_of(database_url, durable=True))
        # A removal that a power failure undoes shows its rows again; they are then skipped.
        self._reading = Connection(dialect_of(database_url, durable=False))
        self._on_commit = on_commit
        self._queue: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._waiting = 0
        self._waiting_bytes = 0
        self._adding.run("SELECT 1")
        self._writer = Thread(target=self._write, name="inbox-writer", daemon=True)
        self._writer.start()

    def add(self, source: Source, body: bytes) -> asyncio.Future[None]:
        """Keep a webhook; the future is done when it is on the disk.

        To be called on an event loop, always the same one. The future fails with
        `TemporaryError` when the commit did, or when the database was lost before it
        said so. Raises `TemporaryError` at once when too much is waiting already.
        """
        if self._waiting >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES:
            raise TemporaryError("Too many webhooks are waiting for the disk.")
        committed = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._waiting_bytes += len(body)
        self._queue.put(_Request(source.value, self._now(), body, committed))
        return committed

    def put(self, source: Source, body: bytes) -> None:
        """Keep a delivery that no webhook brought; it is on the disk when this returns.

        For any thread; others' commits wait as long as for one of the writer's. Raises
        `TemporaryError` when it can't be kept.
        """
        self._adding.run(f"{_INSERT}(?, ?, ?)", (source.value, self._now(), body))
        self._announce()

    def read(self, limit: int, besides: Sequence[int] = ()) -> list[Row]:
        """The oldest rows, at most `limit`, in the order of their ids; `besides` are left out."""
        marks = ", ".join("?" * len(besides))
        where = f"WHERE id NOT IN ({marks}) " if besides else ""
        rows = self._reading.run(
            f"SELECT id, source, received_at, body FROM inbox {where}ORDER BY id LIMIT ?",  # noqa: S608
            (*besides, limit),
        )
        return [Row(id, Source(source), at, body) for id, source, at, body in rows]

    def remove(self, ids: Sequence[int]) -> None:
        """Forget these rows; those that are gone already are no error."""
        if ids:
            marks = ", ".join("?" * len(ids))
            self._reading.run(f"DELETE FROM inbox WHERE id IN ({marks})", ids)  # noqa: S608

    def size(self) -> int:
        """How many rows wait to be read."""
        return int(self._reading.run("SELECT count(*) FROM inbox")[0][0])

    def close(self) -> None:
        """Commit what is waiting, then let go of the database."""
        self._queue.put(None)
        self._writer.join()
        self._adding.close()
        self._reading.close()

    def _write(self) -> None:
        while batch := self._next_batch():
            failure = self._commit(batch)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                batch[0].committed.get_loop().call_soon_threadsafe(self._settle, batch, failure)
            if failure is None:
                self._announce()

    def _next_batch(self) -> list[_Request]:
        """The requests that are waiting, at least one; none when it is time to stop."""
        batch: list[_Request] = []
        request = self._queue.get()
        while request is not None:
            batch.append(request)
            if len(batch) == BATCH or self._queue.empty():
                return batch
            request = self._queue.get()
        if batch:
            self._queue.put(None)
        return batch

    def _commit(self, batch: Sequence[_Request]) -> str | None:
        """What went wrong, or None."""
        rows = ", ".join(["(?, ?, ?)"] * len(batch))
        values = [value for r in batch for value in (r.source, r.received_at, r.body)]
        try:
            self._adding.run(_INSERT + rows, values)
        except Exception as error:  # whatever it is, those who wait must be told
            _log.warning("inbox_commit_failed", requests=len(batch), error=str(error))
            return str(error)
        return None

    def _settle(self, batch: Sequence[_Request], failure: str | None) -> None:
        self._waiting -= len(batch)
        self._waiting_bytes -= sum(len(request.body) for request in batch)
        for request in batch:
            if request.committed.done():  # cancelled by the one who waited
                continue
            if failure is None:
                request.committed.set_result(None)
            else:
                request.committed.set_exception(TemporaryError(failure))

    def _announce(self) -> None:
        try:
            self._on_commit()
        except Exception:  # the rows are safe; the reader finds them when it next looks
            _log.exception("inbox_on_commit_failed")
