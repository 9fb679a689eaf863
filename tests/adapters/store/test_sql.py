"""Everything or nothing, one writer at a time, and a database in trouble."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, event, exc

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.domain.actor import ALERTMANAGER
from bot.domain.classify import Severity
from bot.domain.dedup import KnownAlert
from bot.domain.effects import UpdatePage
from bot.domain.errors import NotFound, TemporaryError
from bot.domain.incident import IncidentState
from bot.domain.incident_events import NoteAdded
from bot.ports import PostedMessage
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, alert, run
from tests.support.stores import INCIDENT, LATER, BrokenError, ask_for, asked_for, open_one, opened


def test_what_is_not_there_is_named(store: SqlStore) -> None:
    with store.read() as reader:
        with pytest.raises(NotFound, match="no incident INC-5"):
            reader.incident(5)
        with pytest.raises(NotFound, match="no run 6"):
            reader.run(6)
        assert reader.latest_incident("g") is None
        assert reader.incident_of_page("key") is None


def test_ids_count_from_one_and_are_never_used_twice(store: SqlStore) -> None:
    assert [open_one(store, group) for group in "abc"] == [1, 2, 3]
    with store.transaction() as tx:
        assert [tx.new_run(run(id=99)).id for _ in range(2)] == [1, 2]


def test_keys_are_forgotten_when_they_are_old(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.first_time("old", NOW)
        tx.first_time("new", LATER)
    store.forget(LATER)
    with store.transaction() as tx:
        assert tx.first_time("old", LATER)
        assert not tx.first_time("new", LATER)


def test_an_exception_takes_everything_back(store: SqlStore, engine: Engine) -> None:
    home = open_one(store)

    def everything_then_break() -> None:
        with store.transaction() as tx:
            tx.new_incident(opened("h"), NOW)
            tx.save_incident(replace(tx.incident(home), state=IncidentState.CLOSED))
            tx.save_alerts([KnownAlert(alert(), home)])
            tx.new_run(run())
            tx.append(NoteAdded("x"), ANA, NOW, incident_id=home)
            tx.save_message(INCIDENT, PostedMessage(None, ""))
            tx.first_time("inbox:1", NOW)
            tx.enqueue(UpdatePage(home, Severity.P1))
            raise BrokenError

    with pytest.raises(BrokenError):
        everything_then_break()
    with store.read() as reader:
        assert [(one.id, one.state) for one in reader.incidents()] == [
            (home, IncidentState.TRIGGERED)
        ]
        assert reader.alerts() == []
        assert reader.runs() == []
        assert reader.recorded(incident_id=home) == []
        assert reader.message(INCIDENT) is None
    assert asked_for(engine) == []
    with store.transaction() as tx:
        assert tx.first_time("inbox:1", NOW)


def test_a_reader_sees_one_moment(store: SqlStore) -> None:
    home = open_one(store)
    with store.read() as reader:
        before = reader.incident(home)
        with store.transaction() as tx:
            tx.save_incident(replace(before, firing=5))
            tx.append(NoteAdded("x"), ALERTMANAGER, NOW, incident_id=home)
        assert reader.incidents() == [before]
        assert reader.recorded(incident_id=home) == []
    with store.read() as reader:
        assert reader.incident(home).firing == 5
        assert len(reader.recorded(incident_id=home)) == 1


def test_what_is_not_committed_is_seen_inside_only(store: SqlStore) -> None:
    with store.transaction() as tx:
        made = tx.new_incident(opened(), NOW)
        assert tx.latest_incident("g") == made
        with store.read() as reader:
            assert reader.latest_incident("g") is None


def test_writers_take_turns(store: SqlStore) -> None:
    home, writers, rounds = open_one(store), 6, 10
    together = Barrier(writers)

    def count_up() -> None:
        together.wait()
        for _ in range(rounds):
            with store.transaction() as tx:
                found = tx.incident(home)
                tx.save_incident(replace(found, firing=found.firing + 1))
                tx.append(NoteAdded(str(found.firing)), ANA, NOW, incident_id=home)

    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(count_up) for _ in range(writers)]:
            done.result()
    with store.read() as reader:
        assert reader.incident(home).firing == writers * rounds
        told = [one.event for one in reader.recorded(incident_id=home)]
    assert told == [NoteAdded(str(number)) for number in range(writers * rounds)]


def test_a_full_disk_may_have_room_later(tmp_path: Path) -> None:
    engine = database.create(sqlite_database(tmp_path))
    store = SqlStore(engine, ask_for)

    def fill() -> None:
        with store.transaction() as tx:
            for _ in range(100):
                tx.append(NoteAdded("x" * 10_000), ANA, NOW, incident_id=1)

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 120")

    event.listen(engine, "connect", limit)
    with pytest.raises(TemporaryError, match="full"):
        fill()
    event.remove(engine, "connect", limit)
    engine.dispose()
    with store.read() as reader:
        assert reader.recorded(incident_id=1) == []
    fill()
    with store.read() as reader:
        assert len(reader.recorded(incident_id=1)) == 100


def test_a_server_that_is_away_may_come_back() -> None:
    store = SqlStore(database.create("postgresql://nobody@127.0.0.1:1/none"), ask_for)
    with pytest.raises(TemporaryError, match="did not take it"), store.read():
        pass
    with pytest.raises(TemporaryError, match="did not take it"), store.transaction():
        pass


def test_what_was_written_wrongly_is_not_said_to_be_temporary(store: SqlStore) -> None:
    """Whoever waits for that to mend waits for ever, and the inbox with it."""
    open_one(store)
    with pytest.raises(exc.IntegrityError):
        open_one(store)
    with store.read() as reader:
        assert len(reader.incidents()) == 1
