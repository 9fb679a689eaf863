"""Every minute it is checked that somebody is told, and only then the switch outside is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters import database
from bot.app.auditor import ALERT, Auditor
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.alert import AlertStatus, Delivery
from bot.domain.contact import Contact, notifier
from bot.domain.errors import TemporaryError
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import IncidentEvent
from bot.domain.page_events import PageConfirmed
from bot.domain.page_guard import GuardDecision, guard
from bot.ports import Source
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database


class Switch:
    """Implements `DeadMansSwitch`; counts."""

    def __init__(self) -> None:
        self.pings = 0
        self.dark = False

    def ping(self) -> None:
        if self.dark:
            raise TemporaryError("It does not answer.")
        self.pings += 1


class World:
    """The core, and an auditor of it; there is a fallback chain only when a test says so."""

    def __init__(self, core: Core) -> None:
        self.core, self.switch = core, Switch()
        self.put: list[Delivery] = []
        self.chain: tuple[Contact, ...] = ()
        self.auditor = self.with_switch(self.switch)

    def with_switch(self, switch: Switch | None) -> Auditor:
        core = self.core
        return Auditor(
            core.store,
            lambda _reader, incident: self._guard(incident),
            self.put.append,
            switch,
            core.counts,
            core.clock,
        )

    def _guard(self, incident: Incident) -> GuardDecision:
        return guard(incident, self.chain, (), self.core.clock.now())

    def minute(self) -> None:
        """A minute passes, an audit is made, and what it found is worked in."""
        self.core.fast_forward(minutes=1)
        self.auditor.round()
        self.work_in()

    def work_in(self) -> None:
        for delivery in self.put:
            self.core.post(*delivery.alerts, source=Source.TOCSIN)
        self.put.clear()
        self.core.drain()

    def record(self, event: IncidentEvent, incident_id: int = 1) -> None:
        with self.core.store.transaction() as tx:
            incident = tx.incident(incident_id)
            record_incident(tx, incident, (event,), TOCSIN, self.core.clock.now())

    def counted(self, what: str) -> int:
        return self.core.counts.counted[what]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_while_nothing_is_open_the_switch_is_told(world: World) -> None:
    world.minute()
    world.minute()
    assert world.switch.pings == 2
    assert (world.counted("audits clean"), world.counted("heartbeats sent")) == (2, 2)
    assert world.core.incidents() == []


def test_a_confirmed_page_is_in_order(world: World) -> None:
    world.core.deliver(firing("HighErrorRate"))
    world.record(PageConfirmed("by webhook"))
    for _ in range(5):
        world.minute()
    assert world.switch.pings == 5


def test_a_page_that_nothing_confirms_is_found_and_said_once(world: World) -> None:
    world.core.deliver(firing("HighErrorRate"))
    world.minute()
    assert world.switch.pings == 1
    for _ in range(5):
        world.minute()
    assert world.switch.pings == 1
    assert world.counted("audit_findings unconfirmed") >= 1
    _, own = world.core.incidents()
    assert (own.firing, own.title) == (1, f"{ALERT}: tocsin")
    assert "INC-1 may have reached nobody" in own.summary


@pytest.mark.parametrize("put", [0, -600], ids=["", "by a clock that was put back"])
def test_it_is_over_when_somebody_has_it(world: World, put: float) -> None:
    world.core.deliver(firing("HighErrorRate"))
    for _ in range(3):
        world.minute()
    world.core.clock.put(put)
    for incident_id in (1, 2):
        world.record(PageConfirmed("by webhook"), incident_id)
    world.minute()
    assert world.core.incident(2).state is IncidentState.RESOLVED
    assert world.switch.pings == 2


def test_what_is_over_is_no_finding_any_more(world: World) -> None:
    alert = firing("HighErrorRate")
    world.core.deliver(alert)
    for _ in range(3):
        world.minute()
    world.core.deliver(ended(alert, world.core.clock.now()))
    for _ in range(2):
        world.minute()
    assert [one.state for one in world.core.incidents()] == [IncidentState.RESOLVED] * 2


def test_the_page_of_a_finding_is_watched_and_raises_no_alert_about_itself(world: World) -> None:
    world.core.deliver(firing("HighErrorRate"))
    for _ in range(10):
        world.minute()
    assert len(world.core.incidents()) == 2
    world.record(PageConfirmed("by webhook"), 1)
    before = world.switch.pings
    world.core.fast_forward(minutes=1)
    world.auditor.round()
    assert world.switch.pings == before, "the finding's own page is not confirmed either"


def test_a_fallback_that_is_due_is_waited_for_until_it_is_late(world: World) -> None:
    world.chain = (notifier("sms"),)
    world.core.deliver(firing("HighErrorRate"))
    world.minute()
    world.minute()
    assert world.switch.pings == 2
    world.minute()
    assert world.switch.pings == 2
    assert world.counted("audit_findings late") == 1


def test_a_ticket_is_no_page(world: World) -> None:
    world.core.deliver(firing("DiskFilling", "P2"))
    for _ in range(5):
        world.minute()
    assert world.switch.pings == 5


def test_a_switch_that_is_dark_changes_nothing(world: World) -> None:
    world.switch.dark = True
    world.minute()
    assert world.counted("heartbeats failed") == 1
    assert world.core.incidents() == []


def test_without_a_switch_it_audits_all_the_same(world: World) -> None:
    world.auditor = world.with_switch(None)
    world.core.deliver(firing("HighErrorRate"))
    for _ in range(3):
        world.minute()
    assert world.counted("audits found") >= 1
    assert world.counted("heartbeats sent") == 0


def test_what_is_told_is_critical_and_names_the_incident(world: World) -> None:
    world.core.deliver(firing("HighErrorRate"))
    world.core.fast_forward(minutes=3)
    world.auditor.round()
    (delivery,) = world.put
    (alert,) = delivery.alerts
    assert alert.status is AlertStatus.FIRING
    assert alert.labels == {
        "alertname": ALERT,
        "service": "tocsin",
        "severity": "critical",
        "incident": "INC-1",
    }
