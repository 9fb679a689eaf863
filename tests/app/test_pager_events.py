"""What people do in the pager is done to the incident; each event once, and no echo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.incidents import LONGEST_NOTE
from bot.app.pager_events import COMMANDS, KEPT_BYTES, PagerEventReason, PagerEvents
from bot.app.pager_notes import note_text, remember_note
from bot.app.record import record_incident
from bot.domain.actor import ActorKind
from bot.domain.effects import Effect, MatchPagerEvent
from bot.domain.errors import InvalidInput
from bot.domain.incident import TRANSITIONS, Incident, IncidentState
from bot.domain.incident_events import Acknowledged, IncidentOpened, NoteAdded, Reopened
from bot.domain.oncall import PagerActionKind
from bot.domain.page import PagerEvent
from bot.domain.page_events import DoneAtPager
from bot.domain.ticket import ticket_key
from bot.domain.timeline import Recorded
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, PAGER_EVENT, classification

ACKNOWLEDGED = PAGER_EVENT
GIVEN_BACK = replace(
    ACKNOWLEDGED,
    event_id="E2",
    event_type="incident.unacknowledged",
    occurred_at=NOW + timedelta(seconds=30),
)
RESOLVED = replace(
    ACKNOWLEDGED,
    event_id="E3",
    event_type="incident.resolved",
    occurred_at=NOW + timedelta(seconds=60),
)
NOTE = replace(
    ACKNOWLEDGED,
    event_id="E4",
    event_type="incident.annotated",
    dedup_key="",
    text="It is the database.",
    note_id="PNOTE1",
)


@pytest.fixture
def asked() -> list[Effect]:
    """The questions to the pager that were asked for."""
    return []


@pytest.fixture
def store(tmp_path: Path, asked: list[Effect]) -> SqlStore:
    """One open incident, whose page has the key `key`."""

    def enqueue(_connection: Connection, effect: Effect, _delay: float) -> None:
        if isinstance(effect, MatchPagerEvent):
            asked.append(effect)

    made = SqlStore(database.create(sqlite_database(tmp_path)), enqueue)
    with made.transaction() as tx:
        tx.new_incident(IncidentOpened("g", "Title", "Summary", classification(), "key"), NOW)
    return made


def apply(store: SqlStore, *told: PagerEvent, can_ask: bool = False) -> list[PagerEventReason]:
    """What became of each event."""
    events = iter(told)
    pager_events = PagerEvents(lambda _body: next(events), can_ask=can_ask)
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
        (replace(ACKNOWLEDGED, incident_id=""), PagerEventReason.OTHER_TYPE),
        (replace(ACKNOWLEDGED, event_type="incident.something.new"), PagerEventReason.OTHER_TYPE),
        (replace(ACKNOWLEDGED, dedup_key="another"), PagerEventReason.NOT_OURS),
        (replace(ACKNOWLEDGED, dedup_key=""), PagerEventReason.NO_KEY),
        (replace(ACKNOWLEDGED, dedup_key=ticket_key("tocsin-1")), PagerEventReason.TICKET),
        (replace(RESOLVED, dedup_key=ticket_key("tocsin-1")), PagerEventReason.TICKET),
        (replace(ACKNOWLEDGED, event_type="incident.reopened"), PagerEventReason.ALREADY_SO),
        (replace(ACKNOWLEDGED, by_integration=True), PagerEventReason.ECHO),
    ],
)
def test_what_is_no_decision_about_an_incident_of_ours_changes_nothing(
    store: SqlStore, told: PagerEvent, reason: PagerEventReason
) -> None:
    before = incident(store)
    assert apply(store, told) == [reason]
    assert incident(store) == before
    assert recorded(store) == []


def test_an_event_that_is_delivered_twice_is_done_once(store: SqlStore) -> None:
    assert apply(store, ACKNOWLEDGED, GIVEN_BACK, ACKNOWLEDGED) == [
        PagerEventReason.APPLIED,
        PagerEventReason.APPLIED,
        PagerEventReason.REPEATED,
    ]
    assert incident(store).state is IncidentState.TRIGGERED


def test_what_cannot_be_read_is_counted(store: SqlStore) -> None:
    def refuse(_body: bytes) -> PagerEvent:
        raise InvalidInput("its field event is missing")

    with store.transaction() as tx:
        assert PagerEvents(refuse, can_ask=True).apply(tx, b"", NOW) is PagerEventReason.UNREADABLE


def test_what_nobody_knows_is_kept_as_it_came(store: SqlStore) -> None:
    """Once, however often it comes, and of a long one the beginning."""
    body = b'{"event": "\xff' + b"x" * KEPT_BYTES
    unknown = replace(ACKNOWLEDGED, event_id="E9", event_type="incident.something.new")
    for _ in range(2):
        with store.transaction() as tx:
            PagerEvents(lambda _body: unknown, can_ask=True).apply(tx, body, NOW)
    with store.read() as reader:
        (kept,) = reader.unknown_pager_events()
    assert (kept.event_id, kept.event_type) == ("E9", "incident.something.new")
    assert (kept.received_at, len(kept.body)) == (NOW, KEPT_BYTES)
    assert kept.body.startswith('{"event": "\N{REPLACEMENT CHARACTER}x')


def test_what_is_known_is_not_kept(store: SqlStore) -> None:
    apply(store, ACKNOWLEDGED, replace(ACKNOWLEDGED, by_integration=True), NOTE)
    with store.read() as reader:
        assert reader.unknown_pager_events() == []


# Which incident it is about


def test_the_pager_is_asked_about_what_names_no_page_of_ours(
    store: SqlStore, asked: list[Effect]
) -> None:
    unnamed = replace(ACKNOWLEDGED, dedup_key="")
    grouped = replace(ACKNOWLEDGED, event_id="E2", dedup_key="somebody-else’s")
    reasons = apply(store, unnamed, unnamed, grouped, can_ask=True)
    expected = [PagerEventReason.ASKING, PagerEventReason.REPEATED, PagerEventReason.ASKING]
    assert reasons == expected
    assert asked == [MatchPagerEvent(unnamed), MatchPagerEvent(grouped)]
    assert recorded(store) == []


def test_what_was_matched_once_is_not_asked_again(store: SqlStore, asked: list[Effect]) -> None:
    unnamed = replace(GIVEN_BACK, dedup_key="")
    assert apply(store, ACKNOWLEDGED, unnamed, can_ask=True) == [PagerEventReason.APPLIED] * 2
    assert asked == []
    assert incident(store).state is IncidentState.TRIGGERED


def test_what_was_grouped_is_acknowledged_together(store: SqlStore) -> None:
    opened = IncidentOpened("h", "Title", "Summary", classification(), "another")
    with store.transaction() as tx:
        tx.new_incident(opened, NOW)
        tx.match_pager("Q1", 2)
    assert apply(store, ACKNOWLEDGED) == [PagerEventReason.APPLIED]
    with store.read() as reader:
        states = {one.state for one in reader.incidents()}
    assert states == {IncidentState.ACKNOWLEDGED}


# The order


@pytest.mark.parametrize("order", list(permutations([ACKNOWLEDGED, GIVEN_BACK, RESOLVED])))
def test_the_last_decision_stands_in_whichever_order_they_are_told(
    store: SqlStore, order: tuple[PagerEvent, ...]
) -> None:
    reasons = apply(store, *order)
    assert incident(store).state is IncidentState.RESOLVED
    late = order[order.index(RESOLVED) + 1 :]
    assert reasons[3 - len(late) :] == [PagerEventReason.STALE] * len(late)


def test_what_was_known_already_is_the_newest_nevertheless(store: SqlStore) -> None:
    """Nobody had it when it was given back, and so nobody has it."""
    assert apply(store, GIVEN_BACK, ACKNOWLEDGED) == [
        PagerEventReason.ALREADY_SO,
        PagerEventReason.STALE,
    ]
    assert incident(store).state is IncidentState.TRIGGERED


def test_what_we_told_the_pager_overrides_what_was_decided_before_it(store: SqlStore) -> None:
    """It lapsed at the pager; ana took it here, which the pager confirms before it tells so."""
    with store.transaction() as tx:
        record_incident(tx, tx.incident(1), (Acknowledged(),), ANA, NOW + timedelta(minutes=1))
    echo = replace(
        ACKNOWLEDGED, by_integration=True, occurred_at=NOW + timedelta(minutes=1, seconds=1)
    )
    assert apply(store, echo, GIVEN_BACK) == [PagerEventReason.ECHO, PagerEventReason.STALE]
    assert incident(store).acknowledged_by == ANA


@pytest.mark.parametrize("late", [ACKNOWLEDGED, RESOLVED])
def test_what_was_decided_about_the_last_time_does_not_end_this_one(
    store: SqlStore, late: PagerEvent
) -> None:
    """It has fired anew since: whoever took it then need not be awake now."""
    with store.transaction() as tx:
        resolved = replace(tx.incident(1), state=IncidentState.RESOLVED, calling=None)
        again = NOW + timedelta(minutes=10)
        record_incident(tx, resolved, (Reopened("It fires again."),), ANA, again)
    assert apply(store, late) == [PagerEventReason.STALE]
    assert incident(store).state is IncidentState.TRIGGERED


# What changes nothing


@pytest.mark.parametrize(
    ("event_type", "kind", "text"),
    [
        ("incident.reassigned", PagerActionKind.REASSIGNED, "Ed Eve, Flo Fox"),
        ("incident.escalated", PagerActionKind.ESCALATED, "Ed Eve, Flo Fox"),
        ("incident.delegated", PagerActionKind.DELEGATED, "Ed Eve, Flo Fox"),
        ("incident.priority_updated", PagerActionKind.PRIORITY, "P1"),
    ],
)
def test_what_is_no_decision_is_a_part_of_the_story(
    store: SqlStore, event_type: str, kind: PagerActionKind, text: str
) -> None:
    told = replace(ACKNOWLEDGED, event_type=event_type, text="P1", assignees=("Ed Eve", "Flo Fox"))
    assert apply(store, told) == [PagerEventReason.APPLIED]
    assert incident(store).state is IncidentState.TRIGGERED
    (event,) = recorded(store)
    assert (event.event, event.actor.name) == (DoneAtPager(kind, text), "Dana Doe")


def test_a_note_is_told_once(store: SqlStore) -> None:
    """By the webhook, and by the pager's records, in which it has the same id."""
    twice = replace(NOTE, event_id="E5")
    assert apply(store, replace(NOTE, dedup_key="key"), twice) == [
        PagerEventReason.APPLIED,
        PagerEventReason.REPEATED,
    ]
    (event,) = recorded(store)
    assert event.event == DoneAtPager(PagerActionKind.NOTE, "It is the database.")


def test_a_note_is_as_long_as_ours_at_most(store: SqlStore) -> None:
    apply(store, replace(NOTE, dedup_key="key", text="x" * 25_000))
    assert recorded(store)[0].event == DoneAtPager(PagerActionKind.NOTE, "x" * LONGEST_NOTE)


def test_a_note_of_ours_does_not_come_back(store: SqlStore) -> None:
    """Whether its webhook is here before its id is known, or trimmed and after that."""
    with store.transaction() as tx:
        noted = record_incident(tx, tx.incident(1), (NoteAdded("It is DNS."),), ANA, NOW)
        tx.match_pager("Q1", 1)
        assert remember_note(tx, noted, "PNOTE2", NOW)
    ours = replace(NOTE, text=note_text(noted, "It is DNS.", ANA))
    trimmed = replace(NOTE, event_id="E6", note_id="PNOTE2", text="ana (INC-1 …")
    assert apply(store, ours, trimmed) == [PagerEventReason.ECHO, PagerEventReason.REPEATED]
    assert [one.event for one in recorded(store)] == [NoteAdded("It is DNS.")]
