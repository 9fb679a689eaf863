"""Messages, keys and effects: what keeps deliveries from being repeated."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import get_args

import pytest
from sqlalchemy import Connection, Engine, text

from bot.adapters import codec
from bot.adapters.store import SqlStore
from bot.adapters.store.delivery import OVERDUE
from bot.domain.classify import Severity
from bot.domain.effects import (
    AdvanceRun,
    Announce,
    AnswerOnCall,
    AnswerPlan,
    Attend,
    Effect,
    ExpireRun,
    InviteOnCall,
    MatchPagerEvent,
    ReviewSeverity,
    ReviewWindow,
    RunSuggested,
    SendAnswer,
    SettleIncident,
    SetUrgency,
    SharePictures,
    UpdateMessage,
    UpdatePage,
    UpdateSilence,
    UpdateTicket,
    WriteNote,
    waiting_place,
)
from bot.domain.incident_events import NoteAdded
from bot.domain.message import Button, ButtonStyle, Field, Message, MessageRef, Subject, SubjectKind
from bot.ports import PostedMessage
from tests.support.examples import ANA, NOW, PAGER_EVENT
from tests.support.stores import HOSTILE, INCIDENT, LATER, BrokenError, ask_for, asked_for

MESSAGE = Message(
    "Headline",
    fields=(Field("a", "b"),),
    body=HOSTILE,
    preformatted="x",
    buttons=(Button("incident.resolve", "1", "Resolve", ButtonStyle.DANGER, "Sure?"),),
    footer="f",
    subject=INCIDENT,
)
EFFECTS = (
    UpdatePage(1, Severity.P0, 3),
    Attend(1, Severity.P0, attempt=3),
    UpdateMessage(INCIDENT, soon=True, attempt=2),
    SendAnswer("https://hooks.example/1", MESSAGE, 4),
    AnswerPlan("https://hooks.example/1", "restart@1.0.0", ("a/b", HOSTILE)),
    AnswerOnCall("https://hooks.example/1", HOSTILE, 2),
    InviteOnCall(1, 2),
    Announce(Subject(SubjectKind.RUN, 9, "tell"), 2),
    SharePictures(9, 2),
    AdvanceRun(9),
    ExpireRun(9, 2),
    RunSuggested(1, HOSTILE, 2),
    SettleIncident(1, 2),
    ReviewSeverity(1, 2),
    ReviewWindow(3, 2),
    UpdateSilence(3, 2),
    MatchPagerEvent(replace(PAGER_EVENT, text=HOSTILE, assignees=(HOSTILE,)), 2),
    SetUrgency(1, 2),
    WriteNote(1, HOSTILE, 2),
    UpdateTicket(1, 2),
)


@pytest.mark.parametrize("ref", [None, MessageRef("C1", "123.456")])
def test_where_a_message_stands_comes_back(store: SqlStore, ref: MessageRef | None) -> None:
    with store.transaction() as tx:
        assert tx.message(INCIDENT) is None
        tx.save_message(INCIDENT, PostedMessage(None, ""))
        tx.save_message(INCIDENT, PostedMessage(ref, "digest"))
    with store.read() as reader:
        assert reader.message(INCIDENT) == PostedMessage(ref, "digest")
        assert reader.message(Subject(SubjectKind.RUN, 1)) is None


def test_every_effect_comes_back_from_its_json() -> None:
    assert tuple(map(type, EFFECTS)) == get_args(Effect)
    for effect in EFFECTS:
        assert codec.load_effect(codec.dump_effect(effect)) == effect


def test_a_key_is_new_once(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.first_time("inbox:1", NOW)
        assert not tx.first_time("inbox:1", NOW)
    with store.transaction() as tx:
        assert not tx.first_time("inbox:1", LATER)
        assert tx.first_time("inbox:2", NOW)


def test_effects_are_asked_for_when_it_is_committed_and_each_once(
    store: SqlStore, engine: Engine
) -> None:
    page, message = UpdatePage(1, Severity.P1), UpdateMessage(INCIDENT)
    with store.transaction() as tx:
        tx.enqueue(page)
        tx.enqueue(message, 30.0)
        tx.enqueue(page)
        assert asked_for(engine) == []
    assert asked_for(engine) == [(str(page), 0.0), (str(message), 30.0)]


@pytest.mark.parametrize("delays", [(0.0, 60.0), (60.0, 0.0)])
def test_of_two_delays_the_shorter_counts(
    store: SqlStore, engine: Engine, delays: tuple[float, float]
) -> None:
    page = UpdatePage(1, Severity.P1)
    with store.transaction() as tx:
        for delay in delays:
            tx.enqueue(page, delay)
    assert asked_for(engine) == [(str(page), 0.0)]


def test_an_update_that_waits_is_not_asked_for_again_until_it_begins(
    store: SqlStore, engine: Engine
) -> None:
    update, page = UpdateMessage(INCIDENT), UpdatePage(1, Severity.P1)

    def ask(*effects: Effect) -> int:
        before = len(asked_for(engine))
        with store.transaction() as tx:
            for effect in effects:
                tx.enqueue(effect)
        return len(asked_for(engine)) - before

    assert ask(update) == 1
    assert ask(update) == 0
    assert ask(replace(update, soon=True), UpdateMessage(Subject(SubjectKind.RUN, 1))) == 2
    assert [ask(page), ask(page)] == [1, 1]
    with store.transaction() as tx:
        tx.begin(update)
    assert ask(update) == 1


def test_a_place_that_was_taken_for_too_long_is_free(store: SqlStore, engine: Engine) -> None:
    update = UpdateMessage(INCIDENT)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO waiting VALUES (:place, :since)"),
            {"place": waiting_place(update), "since": time.time() - OVERDUE - 1},
        )
    for _ in range(2):
        with store.transaction() as tx:
            tx.enqueue(update)
    assert len(asked_for(engine)) == 1


def test_a_begin_that_is_rolled_back_frees_no_place(store: SqlStore, engine: Engine) -> None:
    update = UpdateMessage(INCIDENT)

    def begin_then_break() -> None:
        with store.transaction() as tx:
            tx.begin(update)
            raise BrokenError

    for _ in range(2):
        with store.transaction() as tx:
            tx.enqueue(update)
        with pytest.raises(BrokenError):
            begin_then_break()
    assert len(asked_for(engine)) == 1


def test_a_queue_that_fails_takes_everything_back(engine: Engine) -> None:
    def broken(connection: Connection, effect: Effect, delay: float) -> None:
        ask_for(connection, effect, delay)
        raise BrokenError

    store = SqlStore(engine, broken)

    def note_and_page() -> None:
        with store.transaction() as tx:
            tx.append(NoteAdded("x"), ANA, NOW, incident_id=1)
            tx.enqueue(UpdatePage(1, Severity.P1))

    with pytest.raises(BrokenError):
        note_and_page()
    with store.read() as reader:
        assert reader.recorded(incident_id=1) == []
    assert asked_for(engine) == []
