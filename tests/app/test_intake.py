"""What was accepted is worked in once, and never dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.deliveries import Deliveries
from bot.app.facts import FactReader
from bot.app.intake import BATCH_ALERTS, BATCH_ROWS, WAITING_ROWS, Intake, IntakeRules
from bot.app.judging import Judge
from bot.app.pager_events import PagerEvents
from bot.domain.alert import Alert, AlertStatus, Delivery
from bot.domain.classify import Severity
from bot.domain.effects import Effect, UpdatePage
from bot.domain.errors import InvalidInput, TemporaryError
from bot.domain.incident import Incident, IncidentState
from bot.domain.routing import RoutingPolicy
from bot.domain.storm import StormLimits
from bot.ports import Source, Transaction
from tests.support.clock import FakeClock
from tests.support.core import (
    POLICY,
    UNKNOWN_EVENT,
    Core,
    Counts,
    ListInbox,
    Row,
    ended,
    firing,
)
from tests.support.databases import sqlite_database
from tests.support.examples import NOW, alert

NO_STORMS = RoutingPolicy(storm=StormLimits(incidents=1_000))


def parse(body: bytes, _received_at: datetime) -> Delivery:
    """The body names an alert and perhaps its level, as in ``a:P2``; some names are trouble."""
    name, _, level = body.decode().partition(":")
    if name == "refused":
        raise InvalidInput("There are no alerts in it.")
    if name == "unforeseen":
        raise KeyError("nobody thought of this")
    return delivery(alert(fingerprint=name, labels={"alertname": name, "severity": level}))


def delivery(*alerts: Alert) -> Delivery:
    return Delivery("tocsin", AlertStatus.FIRING, "{}", {}, alerts)


class World:
    """An intake, what it reads from, and what came of it."""

    def __init__(self, engine: Engine) -> None:
        self.inbox = ListInbox()
        self.counts = Counts()
        self.effects: list[Effect] = []
        self.store = SqlStore(engine, lambda _connection, effect, _delay: self._ask(effect))
        judge = Judge(lambda: POLICY, FactReader(None, FakeClock()))
        deliveries = Deliveries(judge, lambda: NO_STORMS, self.counts)
        parsers = {Source.ALERTMANAGER: parse}
        self.rules = IntakeRules(
            parsers, deliveries, PagerEvents(lambda _body: UNKNOWN_EVENT, can_ask=False)
        )
        self.intake = Intake(self.store, self.inbox, self.rules, FakeClock(), self.counts)

    def _ask(self, effect: Effect) -> None:
        self.effects.append(effect)

    def receive(self, *names: str, received_at: float = 1_000.0) -> None:
        """Rows with these bodies, numbered from 1."""
        self.inbox.rows = [
            Row(number, name.encode(), received_at=received_at)
            for number, name in enumerate(names, start=1)
        ]

    def order(self) -> list[str]:
        """The incidents' titles, in the order in which they were opened."""
        return [title for title, _ in sorted(self.incidents().items(), key=lambda one: one[1].id)]

    def incidents(self) -> dict[str, Incident]:
        with self.store.read() as reader:
            return {one.title: one for one in reader.incidents(limit=1_000)}

    def pages(self) -> int:
        return sum(isinstance(effect, UpdatePage) for effect in self.effects)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(engine)
    engine.dispose()


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    engine = database.create(sqlite_database(tmp_path))
    yield Core(engine, routing=NO_STORMS)
    engine.dispose()


UNREADABLE = "TocsinDeliveryUnreadable: tocsin"


def test_rows_are_worked_in_by_batches_and_then_leave_the_inbox(world: World) -> None:
    world.receive(*(f"a{number}" for number in range(BATCH_ROWS + 3)))
    drained = [(world.intake.drain(), world.intake.more_waits) for _ in range(3)]
    assert drained == [(BATCH_ROWS, True), (3, False), (0, False)]
    assert world.inbox.rows == []
    assert len(world.incidents()) == world.pages() == BATCH_ROWS + 3
    assert world.counts.counted["alerts fired"] == BATCH_ROWS + 3
    assert world.counts.counted["incidents P1"] == BATCH_ROWS + 3


def test_a_row_that_comes_back_is_recognised(world: World) -> None:
    """The process died after the commit, before the row left the inbox."""
    for _ in range(2):
        world.receive("a")
        world.intake.drain()
    assert world.inbox.rows == []
    assert (world.pages(), world.counts.counted["alerts fired"]) == (1, 1)


def test_a_row_that_cannot_be_read_and_comes_back_is_recognised(core: Core) -> None:
    """What stands in for it is new each time, so that only the row itself can tell."""
    for _ in range(2):
        core.inbox.rows = [Row(1, b"no number")]
        core.drain()
        core.clock.advance(60)
    assert core.inbox.rows == []
    assert core.counts.counted["alerts fired"] == 1


def test_a_new_inbox_file_counts_from_one_again(world: World) -> None:
    world.receive("a")
    world.intake.drain()
    world.receive("b", received_at=2_000.0)
    world.intake.drain()
    assert set(world.incidents()) == {"a", "b"}


@pytest.mark.parametrize("trouble", ["refused", "unforeseen"])
def test_what_cannot_be_worked_in_pages_and_holds_up_nothing(world: World, trouble: str) -> None:
    world.receive("a", trouble, "b")
    world.intake.drain()
    assert world.inbox.rows == []
    assert set(world.incidents()) == {"a", UNREADABLE, "b"}
    assert world.pages() == 3
    with world.store.read() as reader:
        (standing_in,) = reader.alerts(world.incidents()[UNREADABLE].id)
    wanted = "There are no alerts in it." if trouble == "refused" else "nobody thought of this"
    assert wanted in standing_in.alert.annotations["description"]


def test_deliveries_that_cannot_be_worked_in_are_one_incident(world: World) -> None:
    world.receive("refused", "unforeseen", "refused")
    world.intake.drain()
    assert list(world.incidents()) == [UNREADABLE]
    assert world.pages() == 1


class AwayOnce:
    """The store, whose database is away at first."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._away = True
        self.read = store.read

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if self._away:
            self._away = False
            raise TemporaryError("The database did not take it: disk full")
        with self._store.transaction() as tx:
            yield tx


def test_while_the_database_is_away_rows_stay_in_the_inbox(world: World) -> None:
    world.receive("a", "b")
    store = AwayOnce(world.store)
    intake = Intake(store, world.inbox, world.rules, FakeClock(), world.counts)
    with pytest.raises(TemporaryError):
        intake.drain()
    assert len(world.inbox.rows) == 2
    assert intake.drain() == 2
    assert set(world.incidents()) == {"a", "b"}


def test_what_the_pager_says_is_counted_by_what_became_of_it(world: World) -> None:
    world.inbox.rows = [Row(1, b"{}", Source.PAGERDUTY)]
    world.intake.drain()
    assert world.counts.counted == {"pager_events other_type": 1}
    assert world.inbox.rows == []


# In which order


def test_the_worst_is_worked_in_first_and_among_equals_the_oldest(world: World) -> None:
    world.receive("a:P2", "b:P0", "c:P3", "d:P1", "e:P0")
    assert [world.intake.drain() for _ in range(5)] == [2, 1, 1, 1, 0]
    assert world.order() == ["b", "e", "d", "a", "c"]


def test_what_cannot_be_read_comes_with_what_pages(world: World) -> None:
    world.receive("a:P2", "refused", "b:P0", "c:P1")
    assert [world.intake.drain() for _ in range(4)] == [1, 2, 1, 0]
    assert world.order() == ["b", UNREADABLE, "c", "a"]


def test_a_resolution_comes_after_what_fires(core: Core) -> None:
    """So what began and ended while nobody looked is told as it was."""
    latency = firing("Latency", "P3")
    core.post(ended(latency, NOW))
    core.post(latency)
    core.drain()
    (incident,) = core.incidents()
    assert incident.state is IncidentState.RESOLVED
    assert core.counts.counted == {"alerts fired": 1, "alerts resolved": 1, "incidents P3": 1}


def test_a_large_delivery_has_a_transaction_of_its_own(core: Core) -> None:
    many = [firing("Latency", "P2", pod=str(number)) for number in range(BATCH_ALERTS)]
    core.post(*many)
    core.post(firing("Errors", "P2"))
    core.post(firing("Outage", "P0"))
    assert [core.intake.drain() for _ in range(4)] == [1, 1, 1, 0]
    assert [one.title.partition(":")[0] for one in core.incidents()] == [
        "Outage",
        "Latency",
        "Errors",
    ]


def test_what_comes_meanwhile_overtakes_what_waits(core: Core) -> None:
    for name in ("Latency", "Errors"):
        core.post(*[firing(name, "P2", pod=str(number)) for number in range(BATCH_ALERTS)])
    core.intake.drain()
    core.post(firing("Outage", "P0"))
    core.intake.drain()
    assert [one.severity for one in core.incidents()] == [Severity.P2, Severity.P0]


def test_what_the_pager_says_is_heard_before_what_fires(core: Core) -> None:
    """An acknowledgement stops an escalation."""
    many = [firing("Outage", "P1", pod=str(number)) for number in range(BATCH_ALERTS)]
    core.post(*many)
    core.inbox.rows.append(Row(99, b"{}", Source.PAGERDUTY))
    assert core.intake.drain() == 1
    assert core.counts.counted == {"pager_events other_type": 1}


def test_more_rows_than_are_looked_at_ahead_are_all_worked_in(core: Core) -> None:
    for number in range(WAITING_ROWS + 10):
        core.post(firing("Latency", "P2", pod=str(number)))
    core.drain()
    assert core.incident().firing == WAITING_ROWS + 10
