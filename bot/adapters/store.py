"""The store: SQLModel tables read and written as domain values.

Effects are enqueued through the same connection, so an event and what follows from it
are committed together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, exc, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from bot.adapters import codec
from bot.adapters.tables import (
    AlertRow,
    EventRow,
    IncidentRow,
    MessageRow,
    RunRow,
    SeenRow,
    TicketRow,
    WaitingRow,
)
from bot.domain.actor import Actor
from bot.domain.alert import AlertStatus
from bot.domain.dedup import KnownAlert
from bot.domain.effects import Effect, waiting_place
from bot.domain.errors import NotFound, TemporaryError
from bot.domain.incident import Incident, IncidentState, opened
from bot.domain.incident_events import IncidentOpened
from bot.domain.message import MessageRef, Subject
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.timeline import Event, Recorded
from bot.ports import PostedMessage

Enqueue = Callable[[Connection, Effect, float], None]
"""Puts an effect into its queue within the connection's transaction."""

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


_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Both databases know ON CONFLICT; SQLAlchemy has it in each one's own insert."""


OVERDUE = 300.0
"""Seconds after which an effect that waits counts as lost; the longest pause between two
tries is a minute."""


class SqlReader:
    """`Reader` on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def incident(self, incident_id: int) -> Incident:
        row = self._session.get(IncidentRow, incident_id)
        if row is None:
            newest = self._session.exec(select(func.max(IncidentRow.id))).one()
            hint = f" The newest is INC-{newest}." if newest else ""
            raise NotFound(f"There is no incident INC-{incident_id}.{hint}")
        return codec.load(row.document, Incident)

    def incidents(
        self, states: Sequence[IncidentState] | None = None, limit: int = 50
    ) -> Sequence[Incident]:
        query = select(IncidentRow.document).order_by(col(IncidentRow.id).desc()).limit(limit)
        if states is not None:
            query = query.where(col(IncidentRow.state).in_([state.value for state in states]))
        return [codec.load(text, Incident) for text in self._session.exec(query)]

    def latest_incident(self, group_key: str) -> Incident | None:
        query = select(IncidentRow.document).where(IncidentRow.group_key == group_key)
        text = self._session.exec(query.order_by(col(IncidentRow.id).desc()).limit(1)).first()
        return None if text is None else codec.load(text, Incident)

    def incident_of_page(self, dedup_key: str) -> Incident | None:
        query = select(IncidentRow.document).where(IncidentRow.dedup_key == dedup_key)
        text = self._session.exec(query).first()
        return None if text is None else codec.load(text, Incident)

    def known_alerts(self, fingerprints: Sequence[str]) -> Mapping[str, KnownAlert]:
        known: dict[str, KnownAlert] = {}
        for chunk in _chunks(fingerprints, 500):
            query = select(AlertRow.document).where(col(AlertRow.fingerprint).in_(chunk))
            alerts = (codec.load(text, KnownAlert) for text in self._session.exec(query))
            known.update((one.alert.fingerprint, one) for one in alerts)
        return known

    def alerts(self, incident_id: int | None = None, limit: int = 500) -> Sequence[KnownAlert]:
        query = select(AlertRow.document).order_by(col(AlertRow.starts_at).desc()).limit(limit)
        if incident_id is not None:
            query = query.where(AlertRow.incident_id == incident_id)
        return [codec.load(text, KnownAlert) for text in self._session.exec(query)]

    def count_firing(self, incident_id: int) -> int:
        query = select(func.count()).where(
            AlertRow.incident_id == incident_id, AlertRow.status == AlertStatus.FIRING.value
        )
        return self._session.exec(query).one()

    def run(self, run_id: int) -> Run:
        row = self._session.get(RunRow, run_id)
        if row is None:
            newest = self._session.exec(select(func.max(RunRow.id))).one()
            hint = f" The newest is run {newest}." if newest else ""
            raise NotFound(f"There is no run {run_id}.{hint}")
        return codec.load(row.document, Run)

    def runs(self, states: Sequence[RunState] | None = None, limit: int = 50) -> Sequence[Run]:
        query = select(RunRow.document).order_by(col(RunRow.id).desc()).limit(limit)
        if states is not None:
            query = query.where(col(RunRow.state).in_([state.value for state in states]))
        return [codec.load(text, Run) for text in self._session.exec(query)]

    def recorded(
        self, incident_id: int | None = None, run_id: int | None = None
    ) -> Sequence[Recorded]:
        query = select(EventRow).order_by(col(EventRow.id))
        if incident_id is not None:
            query = query.where(EventRow.incident_id == incident_id)
        if run_id is not None:
            query = query.where(EventRow.run_id == run_id)
        return [_recorded(row) for row in self._session.exec(query)]

    def message(self, subject: Subject) -> PostedMessage | None:
        row = self._session.get(MessageRow, str(subject))
        if row is None:
            return None
        ref = MessageRef(row.channel, row.timestamp) if row.timestamp else None
        return PostedMessage(ref, row.digest)


class SqlTransaction(SqlReader):
    """`Transaction` on a session that holds the write lock."""

    def __init__(self, session: Session, enqueue: Enqueue) -> None:
        super().__init__(session)
        self._enqueue = enqueue
        self._effects: dict[Effect, float] = {}

    def new_incident(self, event: IncidentOpened, at: datetime) -> Incident:
        row = IncidentRow(
            group_key=event.group_key, dedup_key=event.dedup_key, state="", document=""
        )
        incident = opened(self._allot(row), event, at)
        self.save_incident(incident)
        return incident

    def save_incident(self, incident: Incident) -> None:
        row = self._session.get_one(IncidentRow, incident.id)
        row.state, row.document = incident.state.value, codec.dump(incident)
        self._session.add(row)
        if incident.ticket_due_at is not None:
            self._save_ticket(incident, incident.ticket_due_at)

    def _save_ticket(self, incident: Incident, due_at: datetime) -> None:
        ticket = TicketRow(
            incident_id=incident.id,
            title=incident.title,
            severity=incident.severity.value,
            due_at=due_at.isoformat(),
            done=incident.state.over,
        )
        self._session.merge(ticket)

    def save_alerts(self, alerts: Sequence[KnownAlert]) -> None:
        # One statement for all: a storm's delivery holds a hundred.
        if alerts:
            insert = self._insert(AlertRow)
            changes = {name: insert.excluded[name] for name in AlertRow.model_fields}
            upsert = insert.on_conflict_do_update(index_elements=["fingerprint"], set_=changes)
            # Of a fingerprint that occurs twice the last counts.
            rows = {known.alert.fingerprint: _alert_row(known) for known in alerts}
            self._session.connection().execute(upsert, list(rows.values()))

    def new_run(self, draft: Run) -> Run:
        row = RunRow(incident_id=draft.incident_id, state=draft.state.value, document="")
        run = replace(draft, id=self._allot(row))
        self.save_run(run)
        return run

    def save_run(self, run: Run) -> None:
        row = self._session.get_one(RunRow, run.id)
        row.state, row.document = run.state.value, codec.dump(run)
        self._session.add(row)

    def append(
        self,
        event: Event,
        actor: Actor,
        at: datetime,
        *,
        incident_id: int | None = None,
        run_id: int | None = None,
    ) -> None:
        self._session.add(
            EventRow(
                at=at.isoformat(),
                incident_id=incident_id,
                run_id=run_id,
                kind=type(event).__name__,
                actor=codec.dump(actor),
                document=codec.dump(event),
            )
        )
        # One by one, so that ids are in the order in which things happened.
        self._session.flush()

    def save_message(self, subject: Subject, message: PostedMessage) -> None:
        row = MessageRow(
            subject=str(subject),
            channel=message.ref.channel if message.ref else "",
            timestamp=message.ref.timestamp if message.ref else "",
            digest=message.digest,
        )
        self._session.merge(row)

    def first_time(self, key: str, at: datetime) -> bool:
        if self._session.get(SeenRow, key) is not None:
            return False
        self._session.add(SeenRow(key=key, at=at.isoformat()))
        self._session.flush()
        return True

    def forget_seen(self, before: datetime) -> None:
        """Forget what `first_time` was asked about before that moment."""
        self._session.exec(delete(SeenRow).where(col(SeenRow.at) < before.isoformat()))

    def begin(self, effect: Effect) -> None:
        place = waiting_place(effect)
        if place is not None:
            self._session.exec(delete(WaitingRow).where(col(WaitingRow.place) == place))

    def _take(self, place: str) -> bool:
        """Take the place, unless an effect waits there; one that is overdue has been lost."""
        now = time.time()
        insert = self._insert(WaitingRow).values(place=place, since=now)
        taken = insert.on_conflict_do_update(
            index_elements=["place"],
            set_={"since": now},
            where=col(WaitingRow.since) < now - OVERDUE,
        ).returning(col(WaitingRow.place))
        return self._session.connection().execute(taken).first() is not None

    def _insert(self, table: type[SQLModel]) -> Any:
        return _INSERT[self._session.get_bind().dialect.name](table)

    def enqueue(self, effect: Effect, delay: float = 0.0) -> None:
        self._effects[effect] = min(delay, self._effects.get(effect, delay))

    def commit(self) -> None:
        """Commit everything, the effects included."""
        self._session.flush()
        for effect, delay in self._effects.items():
            place = waiting_place(effect)
            if place is None or self._take(place):
                self._enqueue(self._session.connection(), effect, delay)
        self._session.commit()

    def _allot(self, row: Any) -> int:
        self._session.add(row)
        self._session.flush()
        allotted: int = row.id
        return allotted


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

    def forget_seen(self, before: datetime) -> None:
        """Forget the keys of what was worked in before that moment."""
        with self.transaction() as tx:
            tx.forget_seen(before)

    @contextmanager
    def _session(self, begin: Mapping[str, str]) -> Iterator[Session]:
        with _sorted_errors(), Session(self._engine) as session:
            session.connection().exec_driver_sql(begin[self._engine.dialect.name])
            yield session


@contextmanager
def _sorted_errors() -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        raise TemporaryError(f"The database did not take it: {error.orig}") from error
    except exc.TimeoutError as error:
        raise TemporaryError(f"No connection to the database is free: {error}") from error


def _recorded(row: EventRow) -> Recorded:
    return Recorded(
        id=row.id or 0,
        at=datetime.fromisoformat(row.at),
        actor=codec.load(row.actor, Actor),
        event=codec.load_event(row.kind, row.document),
        incident_id=row.incident_id,
        run_id=row.run_id,
    )


def _alert_row(known: KnownAlert) -> dict[str, object]:
    return {
        "fingerprint": known.alert.fingerprint,
        "incident_id": known.incident_id,
        "status": known.alert.status.value,
        "starts_at": known.alert.starts_at.isoformat(),
        "document": codec.dump(known),
    }


def _chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
