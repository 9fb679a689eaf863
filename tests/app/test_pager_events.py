"""What people do in the pager is done to the incident; each event once, and no echo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.pager_events import COMMANDS, PagerEventReason, PagerEvents
from bot.domain.actor import ActorKind
from bot.domain.errors import InvalidInput
from bot.domain.incident import TRANSITIONS, Incident, IncidentState
from bot.domain.incident_events import IncidentOpened
from bot.domain.page import PagerEvent
from bot.domain.timeline import Recorded
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, classification

ACKNOWLEDGED = PagerEvent(
    event_id="E1",
    event_type="incident.acknowledged",
    occurred_at=NOW,
    dedup_key="key",
    actor_name="Dana Doe",
    actor_id="PDANA",
    incident_html_url="https://pagerduty.example/incidents/Q1",
    incident_id="Q1",
)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    """One open incident, whose page has the key `key`."""
    made = SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)
    with made.transaction() as tx:
        tx.new_incident(IncidentOpened("g", "Title", "Summary", classification(), "key"), NOW)
    return made


def apply(store: SqlStore, *told: PagerEvent | None) -> list[PagerEventReason]:
    """What became of each event."""
    events = iter(told)
    pager_events = PagerEvents(lambda _body: next(events))
    with store.transaction() as tx:
        return [pager_events.apply(tx, b"", NOW) for _ in told]


def incident(store: SqlStore) -> Incident:
    with store.read() as reader:
        return reader.incident(1)


def recorded(store: SqlStore) -> list[Recorded]:
    with store.read() as reader:
        return list(reader.recorded(incident_id=1))


def test_a_persons_decision_is_done_in_their_name(store: SqlStore) -> None:
    assert apply(store, ACKNOWLEDGED) == [PagerEventReason.APPLIED]
    assert incident(store).state is IncidentState.ACKNOWLEDGED
    (event,) = recorded(store)
    assert (event.actor.kind, event.actor.id, event.actor.name) == (
        ActorKind.PAGERDUTY,
        "PDANA",
        "Dana Doe",
    )


def test_who_is_not_named_is_pagerduty(store: SqlStore) -> None:
    apply(store, replace(ACKNOWLEDGED, actor_name="", actor_id=""))
    assert recorded(store)[0].actor.name == "PagerDuty"


@pytest.mark.parametrize("event_type", COMMANDS)
def test_every_decision_can_be_done_in_some_state(event_type: str) -> None:
    assert COMMANDS[event_type] in {command for _, command in TRANSITIONS}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (None, PagerEventReason.OTHER_TYPE),
        (replace(ACKNOWLEDGED, event_type="incident.annotated"), PagerEventReason.OTHER_TYPE),
        (replace(ACKNOWLEDGED, event_type="incident.delegated"), PagerEventReason.OTHER_TYPE),
        (replace(ACKNOWLEDGED, dedup_key="another"), PagerEventReason.NOT_OURS),
        (replace(ACKNOWLEDGED, dedup_key=""), PagerEventReason.NOT_OURS),
        (replace(ACKNOWLEDGED, event_type="incident.reopened"), PagerEventReason.ALREADY_SO),
        (replace(ACKNOWLEDGED, by_integration=True), PagerEventReason.ECHO),
    ],
)
def test_what_is_no_decision_about_an_incident_of_ours_changes_nothing(
    store: SqlStore, told: PagerEvent | None, reason: PagerEventReason
) -> None:
    before = incident(store)
    assert apply(store, told) == [reason]
    assert incident(store) == before
    assert recorded(store) == []


def test_an_event_that_is_delivered_twice_is_done_once(store: SqlStore) -> None:
    given_back = replace(ACKNOWLEDGED, event_id="E2", event_type="incident.unacknowledged")
    assert apply(store, ACKNOWLEDGED, given_back, ACKNOWLEDGED) == [
        PagerEventReason.APPLIED,
        PagerEventReason.APPLIED,
        PagerEventReason.REPEATED,
    ]
    assert incident(store).state is IncidentState.TRIGGERED


def test_what_cannot_be_read_is_counted(store: SqlStore) -> None:
    def refuse(_body: bytes) -> PagerEvent | None:
        raise InvalidInput("its field event is missing")

    with store.transaction() as tx:
        assert PagerEvents(refuse).apply(tx, b"", NOW) is PagerEventReason.UNREADABLE
