"""ClockWatch: all that waits is moved with a clock that was put back, whatever fails meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.adapters import database
from bot.adapters.clock import HeldClock
from bot.app.clock_watch import ClockWatch, take_up
from bot.domain.errors import TemporaryError
from bot.domain.heartbeat import Beat
from bot.domain.incident import Incident
from bot.domain.incident_events import ClockPutBack
from bot.domain.page_test import PageTest, PageTestState
from bot.ports import Store, Transaction
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database

TEN_MINUTES = timedelta(minutes=10)
ZERO = timedelta(0)
US, OTHER = "tocsin-0", "tocsin-1"


class World:
    """An open incident, another that is over, and a replica that has beaten."""

    def __init__(self, core: Core) -> None:
        self.core, self.moved, self.said = core, list[timedelta](), list[timedelta]()
        self.fails = False
        core.deliver(firing("Outage", "P0"), firing("Over", "P1"))
        core.deliver(ended(firing("Over", "P1"), core.clock.now()))
        core.fast_forward(minutes=5)
        self.beat(US)
        self.restart()

    def restart(self) -> None:
        self.held = HeldClock(self.core.clock.now, self.core.clock.steady)
        take_up(self.core.store, US, self.held)
        store = cast(Store, self)
        self.watch = ClockWatch(store, US, self.held, (self.moved.append,), self.said.append)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.core.store.transaction() as tx:
            yield tx
            if self.fails:
                raise TemporaryError("The database went away.")

    def beat(self, replica: str, at: datetime | None = None) -> None:
        with self.core.store.transaction() as tx:
            tx.replica_beats(replica, at or self.core.clock.now())

    def open(self) -> Incident:
        found = [one for one in self.core.incidents() if not one.state.over]
        assert len(found) == 1
        return found[0]

    def put_back(self, incident_id: int) -> list[ClockPutBack]:
        events = self.core.events(incident_id)
        return [one for one in events if isinstance(one, ClockPutBack)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_while_nobody_touches_the_clock_nothing_is_done(world: World) -> None:
    world.core.clock.advance(3_600)
    world.core.clock.put(3_600)
    world.watch.look()
    assert (world.moved, world.said) == ([], [])


def test_what_is_open_is_moved_once_and_what_is_over_is_not(world: World) -> None:
    before = world.open()
    world.core.clock.put(-600)
    for _ in range(3):
        world.watch.look()
    assert world.moved == world.said == [TEN_MINUTES]
    assert world.open().opened_at == before.opened_at - TEN_MINUTES
    others = [one.id for one in world.core.incidents() if one.id != before.id]
    assert world.put_back(before.id) == [ClockPutBack(TEN_MINUTES)]
    assert [world.put_back(one) for one in others] == [[]]
    assert world.held.now() == world.core.clock.now()


def test_so_are_heartbeats_and_the_page_test_that_runs(world: World) -> None:
    now = world.core.clock.now()
    beat = Beat("watchdog", "watchdog", now, TEN_MINUTES, {})
    test = PageTest(0, "0 3 * * * UTC", now, PageTestState.RUNNING, now + TEN_MINUTES)
    with world.core.store.transaction() as tx:
        tx.save_beat(beat)
        tx.save_page_test(test)
    world.core.clock.put(-600)
    world.watch.look()
    with world.core.store.read() as reader:
        assert reader.beats() == [replace(beat, last_at=now - TEN_MINUTES)]
        assert [one.confirm_by for one in reader.page_tests()] == [now]


def test_what_fails_is_done_by_the_next_look(world: World) -> None:
    before, world.fails = world.open(), True
    world.core.clock.put(-600)
    with pytest.raises(TemporaryError):
        world.watch.look()
    assert world.held.held() == TEN_MINUTES
    assert (world.open(), world.said) == (before, [])
    world.fails = False
    world.core.clock.advance(30)
    world.watch.look()
    assert world.open().opened_at == before.opened_at - TEN_MINUTES
    assert world.said == [TEN_MINUTES]


def test_a_start_goes_on_from_the_last_beat(world: World) -> None:
    world.core.clock.put(-600)
    world.core.clock.advance(20)
    world.restart()
    assert world.held.held() == timedelta(seconds=580)
    world.watch.look()
    world.restart()
    assert world.held.held() == ZERO


def test_a_new_replica_goes_on_from_what_is_written_down(world: World) -> None:
    """The others' beats may be of clocks that were wrong long ago."""
    with world.core.store.transaction() as tx:
        tx.replica_beats(OTHER, world.core.clock.now() + TEN_MINUTES)
        tx.forget(world.core.clock.now() + timedelta(minutes=1))
    world.core.clock.put(-600)
    world.restart()
    assert world.held.held() == timedelta(minutes=5)
