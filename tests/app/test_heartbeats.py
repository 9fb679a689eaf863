"""A heartbeat that stops is said once, and only by who could have heard it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters import database
from bot.app.heartbeats import Heartbeats
from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database

MINUTE = 60.0


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    engine = database.create(sqlite_database(tmp_path))
    yield Core(engine)
    engine.dispose()


@pytest.fixture
def heartbeats(core: Core) -> Heartbeats:
    return Heartbeats(core.store, core.deliveries, core.clock)


def beat(core: Core, cluster: str = "c1") -> None:
    core.deliver(firing("Watchdog", "P3", cluster=cluster))


def test_a_beat_opens_nothing_and_is_no_alert(core: Core) -> None:
    beat(core)
    core.deliver(ended(firing("Watchdog", "P3", cluster="c1"), core.clock.now()))
    assert core.incidents() == []
    with core.store.read() as reader:
        assert reader.alerts() == []
        assert [one.key for one in reader.beats()] == ["watchdog:cluster=c1"]


def test_a_silence_is_said_once(core: Core, heartbeats: Heartbeats) -> None:
    beat(core)
    core.clock.advance(10 * MINUTE)
    heartbeats.look()
    assert core.incidents() == []
    core.clock.advance(1)
    for _ in range(3):
        heartbeats.look()
    (incident,) = core.incidents()
    assert "TocsinHeartbeatMissing" in incident.title
    assert incident.severity is Severity.P1
    assert core.counts.counted["alerts fired"] == 1


def test_one_cluster_that_falls_silent_is_one_incident_of_its_own(
    core: Core, heartbeats: Heartbeats
) -> None:
    for cluster in ("c1", "c2"):
        beat(core, cluster)
    core.clock.advance(8 * MINUTE)
    beat(core, "c2")
    core.clock.advance(8 * MINUTE)
    heartbeats.look()
    assert [one.group_key.partition(",")[0] for one in core.incidents()] == ["cluster=c1"]


def test_what_is_heard_again_is_over(core: Core, heartbeats: Heartbeats) -> None:
    beat(core)
    core.clock.advance(11 * MINUTE)
    heartbeats.look()
    core.clock.advance(MINUTE)
    beat(core)
    assert core.incident().state is IncidentState.RESOLVED
    heartbeats.look()
    assert core.incident().state is IncidentState.RESOLVED


def test_a_beat_that_lay_in_the_inbox_during_the_look_ends_it(
    core: Core, heartbeats: Heartbeats
) -> None:
    """It was received before the look, and worked in after it."""
    beat(core)
    core.clock.advance(11 * MINUTE)
    core.post(firing("Watchdog", "P3", cluster="c1"))
    core.clock.advance(1)
    heartbeats.look()
    core.drain()
    assert core.incident().state is IncidentState.RESOLVED


def test_who_was_not_up_heard_nothing_and_grants_a_full_period(core: Core) -> None:
    beat(core)
    core.clock.advance(60 * MINUTE)
    started = Heartbeats(core.store, core.deliveries, core.clock)
    core.clock.advance(10 * MINUTE)
    started.look()
    assert core.incidents() == []
    core.clock.advance(1)
    started.look()
    assert len(core.incidents()) == 1
