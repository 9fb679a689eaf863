"""Levels set by hand, as they are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.incidents import Incidents
from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.incident_events import IncidentOpened, SeverityOverridden
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, classification
from tests.support.windows import window


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    """One open incident, P1."""
    made = SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)
    with made.transaction() as tx:
        tx.new_incident(IncidentOpened("g", "Title", "Summary", classification(), "key"), NOW)
    return made


def test_a_person_sets_the_level(store: SqlStore) -> None:
    before, after = Incidents(store, FakeClock()).override(1, Severity.P3, " Only staging. ", ANA)
    assert (before, after.severity) == (Severity.P1, Severity.P3)
    assert after == Incidents(store, FakeClock()).get(1)
    with store.read() as reader:
        first = reader.recorded(incident_id=1)[0]
    assert first.actor == ANA
    assert first.event == SeverityOverridden(Severity.P1, Severity.P3, "Only staging.")


@pytest.mark.parametrize(("incident_id", "reason"), [(1, " "), (1, "x" * 501), (2, "Fine.")])
def test_what_can_t_be_done_changes_nothing(store: SqlStore, incident_id: int, reason: str) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        Incidents(store, FakeClock()).override(incident_id, Severity.P3, reason, ANA)
    with store.read() as reader:
        assert reader.incident(1).severity is Severity.P1
        assert reader.recorded(incident_id=1) == []


def test_the_window_that_suppresses_an_incident_comes_with_it(store: SqlStore) -> None:
    incidents = Incidents(store, FakeClock())
    assert incidents.with_window(1) == (incidents.get(1), None)
    with store.transaction() as tx:
        made = tx.new_window(window())
        tx.save_incident(replace(tx.incident(1), suppressed_by=made.id))
    assert incidents.with_window(1)[1] == made
