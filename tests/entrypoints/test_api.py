"""What the JSON API says of an incident's ticket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.adapters import database
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.store import SqlStore
from bot.app.incidents import Incidents
from bot.app.record import record_incident
from bot.app.runs import Runs
from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.incident_events import IncidentEvent, IncidentOpened
from bot.domain.ticket import TicketAction
from bot.domain.ticket_events import TicketRefused, TicketTold
from bot.entrypoints.api import api
from bot.steps.registry import step_kinds
from tests.support.access import access
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, TICKET, classification

Ticket = Callable[..., Any]


@pytest.fixture
def ticket(tmp_path: Path) -> Ticket:
    """What is said of the ticket of one open P2 after these events, where it is said."""
    store = SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)
    with store.transaction() as tx:
        level = classification(Severity.P2)
        tx.new_incident(IncidentOpened("g", "Title", "Summary", level, "key"), NOW)
    clock = FakeClock()
    library = RunbookFolder(tmp_path, step_kinds())
    client = TestClient(
        api(Incidents(store, clock), Runs(store, library, access(clock), clock), None)
    )

    def after(*events: IncidentEvent) -> Any:
        with store.transaction() as tx:
            record_incident(tx, tx.incident(1), events, TOCSIN, NOW)
        shown = client.get("/api/v1/incidents/1").json()["ticket"]
        assert [one["ticket"] for one in client.get("/api/v1/incidents").json()] == [shown]
        return shown

    return after


def test_on_our_own_list_it_is_the_incident(ticket: Ticket) -> None:
    assert ticket() is None


def test_its_place_and_address_are_said(ticket: Ticket) -> None:
    entered = {
        "place": "memory",
        "key": "1",
        "name": "memory#1",
        "url": "https://memory.example/1",
        "open": True,
        "refused": "",
    }
    assert ticket(TicketTold(TicketAction.CREATE, TICKET, "")) == entered
    closed = TicketTold(TicketAction.CLOSE, TICKET, "")
    assert ticket(closed) == {**entered, "open": False}


def test_where_there_is_no_address_none_is_said(ticket: Ticket) -> None:
    nowhere = replace(TICKET, url="")
    assert ticket(TicketTold(TicketAction.CREATE, nowhere, ""))["url"] is None


def test_what_a_person_must_put_right_is_said(ticket: Ticket) -> None:
    assert ticket(TicketRefused(TicketAction.CREATE, "Set another token.", "")) == {
        "place": None,
        "key": None,
        "name": None,
        "url": None,
        "open": False,
        "refused": "Set another token.",
    }
