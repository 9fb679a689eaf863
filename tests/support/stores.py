"""What tests of the store share: a queue in the same database, and incidents to begin with."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, text
from sqlmodel import SQLModel

from bot.domain.effects import Effect
from bot.domain.incident_events import IncidentOpened
from bot.domain.message import Subject, SubjectKind
from bot.ports import Store
from tests.support.examples import NOW, classification

HOSTILE = "<!channel> '; DROP TABLE incident; -- \\ \" 💥 \u202e \ud7ff \0 " + "x" * 10_000
LATER = NOW + timedelta(hours=1)
INCIDENT = Subject(SubjectKind.INCIDENT, 1)


class BrokenError(Exception):
    """What a test breaks a transaction off with."""


def empty(engine: Engine) -> None:
    """Leave nothing in PostgreSQL's tables; their ids begin with 1 again."""
    names = ", ".join(table.name for table in SQLModel.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


def ask_for(connection: Connection, effect: Effect, delay: float) -> None:
    """A queue in the same database, as the port wants it."""
    connection.execute(
        text("INSERT INTO asked_for VALUES (:effect, :delay)"),
        {"effect": str(effect), "delay": delay},
    )


def asked_for(engine: Engine) -> list[tuple[str, float]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM asked_for"))]


def opened(group_key: str = "g") -> IncidentOpened:
    return IncidentOpened(group_key, "Title", "Summary", classification(), f"key-{group_key}")


def open_one(store: Store, group_key: str = "g") -> int:
    with store.transaction() as tx:
        return tx.new_incident(opened(group_key), NOW).id
