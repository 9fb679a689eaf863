"""Events, the projection and what follows are written down together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.record import open_incident, record_incident
from bot.domain.actor import ALERTMANAGER, TOCSIN
from bot.domain.classify import Severity
from bot.domain.effects import Effect, SettleIncident, UpdateMessage, UpdatePage, UpdateTicket
from bot.domain.incident import opening
from bot.domain.incident_events import (
    Acknowledged,
    IncidentOpened,
    Quieted,
    Suppressed,
    Unsuppressed,
)
from bot.domain.message import Subject, SubjectKind
from bot.domain.ticket_events import TicketOpened
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, classification

TELL = UpdateMessage(Subject(SubjectKind.INCIDENT, 1))


class World:
    def __init__(self, store: SqlStore, asked: list[tuple[Effect, float]]) -> None:
        self.store = store
        self.asked = asked

    def open(self, level: Severity, *with_it: Suppressed) -> None:
        with self.store.transaction() as tx:
            opened = opening("g", "Title", "Summary", classification(level), NOW)
            open_incident(tx, (opened, *with_it), ALERTMANAGER, NOW)

    def kinds(self) -> list[tuple[type, str]]:
        """What was written down, and in whose name."""
        with self.store.read() as reader:
            told = reader.recorded(incident_id=1)
        return [(type(one.event), one.actor.name) for one in told]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    asked: list[tuple[Effect, float]] = []
    store = SqlStore(engine, lambda _, effect, delay: asked.append((effect, delay)))
    yield World(store, asked)
    engine.dispose()


def test_what_pages_is_opened_paged_and_shown(world: World) -> None:
    world.open(Severity.P1)
    assert world.kinds() == [(IncidentOpened, ALERTMANAGER.name)]
    assert world.asked == [(UpdatePage(1, Severity.P1), 0.0), (TELL, 0.0)]


def test_what_does_not_page_gets_a_ticket_that_tocsin_enters(world: World) -> None:
    world.open(Severity.P2)
    assert world.kinds() == [
        (IncidentOpened, ALERTMANAGER.name),
        (TicketOpened, TOCSIN.name),
    ]
    assert world.asked == [(UpdateTicket(1), 0.0), (TELL, 0.0)]
    with world.store.read() as reader:
        assert reader.incident(1).ticket_due_at == NOW + timedelta(hours=4)


def test_a_window_remembers_what_it_hides_and_its_end_enters_the_ticket(world: World) -> None:
    world.open(Severity.P2, Suppressed(3, "Moving."))
    assert [kind for kind, _ in world.kinds()] == [IncidentOpened, Suppressed]
    with world.store.transaction() as tx:
        assert list(tx.hidden_by(3)) == [1]
        record_incident(tx, tx.incident(1), (Unsuppressed("It is over."),), TOCSIN, NOW)
        assert list(tx.hidden_by(3)) == [1]
    assert [kind for kind, _ in world.kinds()][2:] == [Unsuppressed, TicketOpened]


def test_a_wait_for_quiet_ends_when_it_says(world: World) -> None:
    world.open(Severity.P1)
    world.asked.clear()
    with world.store.transaction() as tx:
        until = NOW + timedelta(minutes=4)
        record_incident(tx, tx.incident(1), (Quieted(until),), ALERTMANAGER, NOW)
    assert (SettleIncident(1), 240.0) in world.asked


def test_what_is_returned_is_what_was_saved(world: World) -> None:
    world.open(Severity.P1)
    with world.store.transaction() as tx:
        after = record_incident(tx, tx.incident(1), (Acknowledged(),), ANA, NOW)
        assert tx.incident(1) == after
    assert after.acknowledged_by == ANA
