"""What keeps deliveries from being repeated: messages, keys seen, and effects that wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Executable, bindparam, delete
from sqlmodel import Session, col

from bot.adapters.store.base import Part, insert_into
from bot.adapters.tables import MessageRow, SeenRow, WaitingRow
from bot.domain.effects import Effect, waiting_place
from bot.domain.message import MessageRef, Subject
from bot.ports import PostedMessage

Enqueue = Callable[[Connection, Effect, float], None]
"""Puts an effect into its queue within the connection's transaction."""

OVERDUE = 300.0
"""Seconds after which an effect that waits counts as lost; the longest pause between two
tries is a minute."""


class MessageReads(Part):
    """Where messages stand."""

    def message(self, subject: Subject) -> PostedMessage | None:
        row = self._session.get(MessageRow, str(subject))
        if row is None:
            return None
        ref = MessageRef(row.channel, row.timestamp) if row.timestamp else None
        return PostedMessage(ref, row.digest)


class DeliveryWrites(MessageReads):
    """How messages, keys and effects are written down."""

    def __init__(self, session: Session, enqueue: Enqueue) -> None:
        super().__init__(session)
        self._enqueue = enqueue
        self._effects: dict[Effect, float] = {}

    def save_message(self, subject: Subject, message: PostedMessage) -> None:
        row = MessageRow(
            subject=str(subject),
            channel=message.ref.channel if message.ref else "",
            timestamp=message.ref.timestamp if message.ref else "",
            digest=message.digest,
        )
        self._session.merge(row)

    def first_time(self, key: str, at: datetime) -> bool:
        noted = self._run(_noting(self._dialect), key=key, at=at.isoformat())
        return noted.first() is not None

    def begin(self, effect: Effect) -> None:
        place = waiting_place(effect)
        if place is not None:
            self._session.exec(delete(WaitingRow).where(col(WaitingRow.place) == place))

    def _take(self, place: str) -> bool:
        """Take the place, unless an effect waits there; one that is overdue has been lost."""
        now = time.time()
        taken = self._run(_taking(self._dialect), place=place, since=now, lost=now - OVERDUE)
        return taken.first() is not None

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


@cache
def _noting(dialect: str) -> Executable:
    """Returns the key unless it is there already."""
    insert = insert_into(SeenRow, dialect).on_conflict_do_nothing()
    statement: Executable = insert.returning(col(SeenRow.key))
    return statement


@cache
def _taking(dialect: str) -> Executable:
    """Returns the place unless it was taken after `lost`."""
    insert = insert_into(WaitingRow, dialect)
    taken = insert.on_conflict_do_update(
        index_elements=["place"],
        set_={"since": insert.excluded.since},
        where=col(WaitingRow.since) < bindparam("lost"),
    )
    statement: Executable = taken.returning(col(WaitingRow.place))
    return statement
