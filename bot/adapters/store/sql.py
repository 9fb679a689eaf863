"""The store: SQLModel tables read and written as domain values.

Effects are enqueued through the same connection, so an event and what follows from it
are committed together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine, delete, exc
from sqlmodel import Session, col

from bot.adapters.store.alerts import AlertReads, AlertWrites
from bot.adapters.store.attachments import AttachmentReads, AttachmentWrites
from bot.adapters.store.delivery import DeliveryWrites, Enqueue, MessageReads
from bot.adapters.store.groups import GroupReads, GroupWrites
from bot.adapters.store.incidents import IncidentReads, IncidentWrites
from bot.adapters.store.origins import OriginReads, OriginWrites
from bot.adapters.store.paging import PagingReads, PagingWrites
from bot.adapters.store.replicas import ReplicaReads, ReplicaWrites
from bot.adapters.store.runs import EventReads, EventWrites, RunReads, RunWrites
from bot.adapters.store.schedules import ScheduleReads, ScheduleWrites
from bot.adapters.store.watching import WatchReads, WatchWrites
from bot.adapters.tables import RelationRow, ReplicaRow, SeenRow, UnknownPagerEventRow
from bot.domain.errors import TemporaryError

_SNAPSHOT = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}
"""How a read begins, so that all it sees is of one moment."""

_WRITE_LOCK = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(7062746)",
}
"""How a transaction begins: it waits for the writer before it. On SQLite that is the
file's own lock, on PostgreSQL an advisory one (any number that nothing else uses)."""


class SqlReader(
    IncidentReads,
    AlertReads,
    RunReads,
    EventReads,
    MessageReads,
    WatchReads,
    PagingReads,
    ScheduleReads,
    GroupReads,
    AttachmentReads,
    ReplicaReads,
    OriginReads,
):
    """`Reader` on a session."""


class SqlTransaction(
    DeliveryWrites,
    IncidentWrites,
    AlertWrites,
    RunWrites,
    EventWrites,
    WatchWrites,
    PagingWrites,
    ScheduleWrites,
    GroupWrites,
    AttachmentWrites,
    ReplicaWrites,
    OriginWrites,
):
    """`Transaction` on a session that holds the write lock."""

    def forget(self, before: datetime) -> None:
        """Forget what only served to do things once, or within minutes."""
        for row in (SeenRow, RelationRow, UnknownPagerEventRow, ReplicaRow):
            self._session.exec(delete(row).where(col(row.at) < before.isoformat()))


class SqlStore:
    """`Store` on an engine made by `database.create`."""

    def __init__(self, engine: Engine, enqueue: Enqueue) -> None:
        self._engine = engine
        self._enqueue = enqueue

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        """A snapshot; database errors become `TemporaryError`."""
        with self._session(_SNAPSHOT) as session:
            yield SqlReader(session)

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Commits at the end, rolls back on an exception."""
        with self._session(_WRITE_LOCK) as session:
            transaction = SqlTransaction(session, self._enqueue)
            yield transaction
            transaction.commit()

    def forget(self, before: datetime) -> None:
        """Forget what was seen, related, not understood or beat last before that moment."""
        with self.transaction() as tx:
            tx.forget(before)

    @contextmanager
    def _session(self, begin: Mapping[str, str]) -> Iterator[Session]:
        with _sorted_errors(), Session(self._engine) as session:
            session.connection().exec_driver_sql(begin[self._engine.dialect.name])
            yield session


@contextmanager
def _sorted_errors() -> Iterator[None]:
    try:
        yield
    except (exc.IntegrityError, exc.DataError):
        raise  # No time mends what was written wrongly: nobody should wait for that.
    except exc.DBAPIError as error:
        raise TemporaryError(f"The database did not take it: {error.orig}") from error
    except exc.TimeoutError as error:
        raise TemporaryError(f"No connection to the database is free: {error}") from error
