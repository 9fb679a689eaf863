"""Replicas on one database: who takes over whose jobs, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.replicas import Replicas, WorkerWatch
from bot.domain.errors import TemporaryError
from bot.domain.replicas import SILENT_LOOKS, Pulse
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database

EVERY = 5.0


class Site:
    """Three replicas; those that are not `away` go their rounds by turns."""

    def __init__(self, folder: Path) -> None:
        self.engine = database.create(sqlite_database(folder))
        self.store = SqlStore(self.engine, lambda *_: None)
        self.taken: list[tuple[str, str]] = []
        """Who took over the jobs of whom."""
        self.fails = False
        self._replicas = {name: self.replica(name) for name in "abc"}

    def replica(self, name: str) -> Replicas:
        def take_over(other: str) -> None:
            if self.fails:
                raise TemporaryError("the database is away")
            self.taken.append((name, other))

        return Replicas(self.store, name, take_over, FakeClock())

    def rounds(self, number: int, away: str = "") -> None:
        for _ in range(number):
            for name in sorted(self._replicas.keys() - set(away)):
                self._replicas[name].round()

    def takers(self, other: str) -> set[str]:
        return {by for by, whose in self.taken if whose == other}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.rounds(3)
    return made


def test_one_of_the_others_takes_over_what_a_gone_one_had_begun(site: Site) -> None:
    site.rounds(SILENT_LOOKS - 1, away="a")
    assert site.taken == []
    site.rounds(5, away="a")
    assert len(site.takers("a")) == 1
    assert {whose for _, whose in site.taken} == {"a"}


def test_nobody_is_gone_because_the_database_was(site: Site) -> None:
    """Who can't look learns nothing, however often it tries."""
    with site.engine.begin() as connection:
        connection.execute(text("ALTER TABLE replica RENAME TO away"))
    for _ in range(2 * SILENT_LOOKS):
        with pytest.raises(TemporaryError):
            site.rounds(1, away="bc")
    with site.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO replica"))
    site.rounds(2)
    assert site.taken == []


def test_who_comes_back_is_left_in_peace_and_taken_over_again_when_it_goes(site: Site) -> None:
    site.rounds(SILENT_LOOKS + 1, away="a")
    (first,) = site.takers("a")
    site.taken.clear()
    site.rounds(SILENT_LOOKS + 1)
    assert site.taken == []
    site.rounds(SILENT_LOOKS + 1, away="a" + first)
    (second,) = site.takers("a")
    assert second not in ("a", first)


def test_when_the_one_that_took_over_is_gone_the_last_takes_over_from_both(site: Site) -> None:
    site.rounds(SILENT_LOOKS + 1, away="a")
    (first,) = site.takers("a")
    (last,) = {"b", "c"} - {first}
    site.taken.clear()
    site.rounds(SILENT_LOOKS + 2, away="a" + first)
    assert {(last, "a"), (last, first)} <= set(site.taken)


def test_what_could_not_be_taken_over_is_taken_over_in_the_next_round(site: Site) -> None:
    site.rounds(SILENT_LOOKS, away="bc")
    site.fails = True
    with pytest.raises(TemporaryError):
        site.rounds(1, away="bc")
    site.fails = False
    site.rounds(1, away="bc")
    assert site.taken == [("a", "b"), ("a", "c")]


def test_old_replicas_are_forgotten(site: Site) -> None:
    site.store.forget(FakeClock().now())
    with site.store.read() as reader:
        assert [one.name for one in reader.replicas()] == ["a", "b", "c"]
    clock = FakeClock()
    clock.advance(1)
    site.store.forget(clock.now())
    with site.store.read() as reader:
        assert reader.replicas() == []


def test_the_listener_sees_its_own_worker_come_and_go(site: Site) -> None:
    seen: list[float] = []
    watch = WorkerWatch(site.store, "a", EVERY, seen.append)
    assert watch.pulse() is Pulse.UNKNOWN
    watch.round()
    assert watch.pulse() is Pulse.UNKNOWN
    site.rounds(1)
    watch.round()
    assert (watch.pulse(), seen[-1]) == (Pulse.OK, 0.0)
    for _ in range(SILENT_LOOKS):
        site.rounds(1, away="a")
        watch.round()
    assert (watch.pulse(), seen[-1]) == (Pulse.LATE, SILENT_LOOKS * EVERY)


def test_a_worker_that_never_came_is_late(site: Site) -> None:
    watch = WorkerWatch(site.store, "never", EVERY, lambda _seconds: None)
    for _ in range(SILENT_LOOKS + 1):
        watch.round()
    assert watch.pulse() is Pulse.LATE
