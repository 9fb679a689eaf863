"""A policy file that can't be used is made known, until it can be used again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters import database
from bot.app.policies import PolicyWatch
from bot.domain.alert import AlertStatus, Delivery
from bot.domain.incident import IncidentState
from bot.ports import Source
from tests.support.core import Core
from tests.support.databases import sqlite_database


class World:
    """A watch over severity.yaml, and what it put into the inbox."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.put: list[Delivery] = []
        self.watch = self.started()

    def started(self) -> PolicyWatch:
        return PolicyWatch("severity.yaml", self.core.store, self.put.append, self.core.clock)

    def work_in(self) -> None:
        for delivery in self.put:
            self.core.post(*delivery.alerts, source=Source.TOCSIN)
        self.put.clear()
        self.core.drain()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_every_version_is_kept_by_its_digest_and_says_nothing(world: World) -> None:
    world.watch.keep("d1", "default: P1")
    world.watch.keep("d2", "default: P0")
    assert world.put == []
    with world.core.store.read() as reader:
        assert reader.policy_text("d1") == "default: P1"
        assert reader.policy_text("d2") == "default: P0"
        assert reader.policy_text("d3") is None


def test_the_spare_is_the_version_in_use_last(world: World) -> None:
    assert world.watch.spare() is None
    for digest in ("d1", "d2", "d1"):
        world.watch.keep(digest, f"text {digest}")
        world.core.clock.advance(1)
    assert world.watch.spare() == b"text d1"


def test_a_refusal_says_what_is_wrong(world: World) -> None:
    world.watch.refused("severity.yaml:12: “level” is missing.")
    (delivery,) = world.put
    (alert,) = delivery.alerts
    assert (alert.status, alert.name) == (AlertStatus.FIRING, "TocsinPolicyRefused")
    assert "severity.yaml:12" in alert.annotations["description"]
    world.work_in()
    assert "severity.yaml" in world.core.incident().summary


def test_a_second_refusal_is_the_same_trouble_and_a_valid_one_ends_it(world: World) -> None:
    for line in (12, 13):
        world.watch.refused(f"severity.yaml:{line}: wrong.")
        world.core.clock.advance(1)
        world.work_in()
    assert len(world.core.incidents()) == 1
    world.watch.keep("d1", "default: P1")
    world.work_in()
    assert world.core.incident().state is IncidentState.RESOLVED
    world.watch.keep("d2", "default: P1")
    assert world.put == []


def test_what_was_refused_is_ended_before_anybody_worked_it_in(world: World) -> None:
    world.watch.refused("severity.yaml:12: wrong.")
    world.core.clock.advance(1)
    world.watch.keep("d1", "default: P1")
    world.work_in()
    assert [one.state for one in world.core.incidents()] in (
        [IncidentState.RESOLVED],
        [],
    )
    with world.core.store.read() as reader:
        assert reader.firing_alerts() == []


def test_a_start_with_a_valid_file_ends_what_was_said_before_it(world: World) -> None:
    world.watch.refused("severity.yaml:12: wrong.")
    world.work_in()
    world.core.clock.advance(1)
    world.started().keep("d1", "default: P1")
    world.work_in()
    assert world.core.incident().state is IncidentState.RESOLVED
