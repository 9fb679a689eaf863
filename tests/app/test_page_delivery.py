"""The pager is told one thing at a time, and what happens meanwhile is told next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.incidents import Incidents
from bot.app.page_delivery import PageDelivery
from bot.app.record import open_incident, record_incident
from bot.domain.actor import ALERTMANAGER
from bot.domain.classify import Severity
from bot.domain.dedup import KnownAlert
from bot.domain.effects import Effect, UpdatePage
from bot.domain.errors import PermanentError, TemporaryError, TocsinError
from bot.domain.incident import Command, Incident, PageState, opening
from bot.domain.incident_events import SeverityRaised
from bot.domain.page import Page
from bot.domain.page_events import PageAction
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, NOW, alert, classification


class FakePager:
    """Implements the `Pager` port; `meanwhile` happens while the next call is under way."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failure: TocsinError | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def trigger(self, page: Page) -> None:
        self._tell(f"trigger {page.severity}")

    def acknowledge(self, dedup_key: str) -> None:
        self._tell("acknowledge")

    def resolve(self, dedup_key: str) -> None:
        self._tell("resolve")

    def _tell(self, what: str) -> None:
        self.told.append(what)
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        if self.failure is not None:
            raise self.failure


class World:
    """One incident that has to page, and who does it."""

    def __init__(self, engine: Engine) -> None:
        self.effects: list[tuple[Effect, float]] = []
        self.store = SqlStore(engine, lambda _, effect, delay: self._ask(effect, delay))
        self.clock, self.pager = FakeClock(NOW), FakePager()
        self.incidents = Incidents(self.store, self.clock)
        self.delivery = PageDelivery(self.store, self.pager, self.clock, lambda: 1.0)
        with self.store.transaction() as tx:
            opened = opening("g", "Title", "Summary", classification(), NOW)
            open_incident(tx, (opened,), ALERTMANAGER, NOW)

    def _ask(self, effect: Effect, delay: float) -> None:
        if isinstance(effect, UpdatePage):
            self.effects.append((effect, delay))

    def deliver(self) -> None:
        """Do what has been asked for, and what that asks for, except retries."""
        while due := [effect for effect, delay in self.effects if delay == 0.0]:
            self.effects = [one for one in self.effects if one[1] > 0.0]
            for effect in due:
                assert isinstance(effect, UpdatePage)
                self.delivery.update(effect)

    def incident(self) -> Incident:
        return self.incidents.get(1)

    def do(self, command: Command) -> None:
        self.incidents.command(1, command, ANA)

    def raise_severity(self) -> None:
        with self.store.transaction() as tx:
            raised = SeverityRaised(Severity.P1, classification(Severity.P0))
            record_incident(tx, tx.incident(1), (raised,), ALERTMANAGER, NOW)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(engine)
    engine.dispose()


def test_a_page_is_sent_once_and_remembered(world: World) -> None:
    world.deliver()
    assert world.pager.told == ["trigger P1"]
    assert world.incident().page == PageState(PageAction.TRIGGER, Severity.P1)
    world.delivery.update(UpdatePage(1, Severity.P1))
    assert world.pager.told == ["trigger P1"]


def test_what_is_acknowledged_during_the_call_is_told_next(world: World) -> None:
    world.pager.meanwhile = lambda: world.do(Command.ACKNOWLEDGE)
    world.deliver()
    assert world.pager.told == ["trigger P1", "acknowledge"]


def test_what_is_resolved_during_the_call_is_told_next(world: World) -> None:
    world.pager.meanwhile = lambda: world.do(Command.RESOLVE)
    world.deliver()
    assert world.pager.told == ["trigger P1", "resolve"]


def test_who_slept_in_its_call_while_another_replica_took_over_leaves_no_page_standing(
    world: World,
) -> None:
    other = PageDelivery(world.store, world.pager, world.clock, lambda: 1.0)

    def taken_over() -> None:
        other.update(UpdatePage(1, Severity.P1))
        world.do(Command.RESOLVE)
        other.update(UpdatePage(1, Severity.P1))

    world.pager.meanwhile = taken_over
    world.deliver()
    # The first of these may arrive after the others: then only the last one ends it.
    assert world.pager.told == ["trigger P1", "trigger P1", "resolve", "resolve"]


def test_what_becomes_worse_during_the_call_is_told_next(world: World) -> None:
    world.pager.meanwhile = world.raise_severity
    world.deliver()
    assert world.pager.told == ["trigger P1", "trigger P0"]
    assert world.incident().page == PageState(PageAction.TRIGGER, Severity.P0)


def test_the_outcome_asks_for_what_is_left_to_tell(world: World) -> None:
    """Another worker may have looked while the page was not yet recorded, and found nothing."""

    def resolve_and_be_done_with_it() -> None:
        world.do(Command.RESOLVE)
        world.effects.clear()

    world.effects.clear()
    world.pager.meanwhile = resolve_and_be_done_with_it
    world.delivery.update(UpdatePage(1, Severity.P1))
    assert world.effects == [(UpdatePage(1, Severity.P1), 0.0)]
    world.deliver()
    assert world.pager.told == ["trigger P1", "resolve"]


def test_a_failed_try_asks_for_another_one_later(world: World) -> None:
    world.pager.failure = TemporaryError("It timed out.", retry_after=90.0)
    world.deliver()
    assert world.effects == [(UpdatePage(1, Severity.P1, attempt=2), 90.0)]
    (told,) = (one.text for one in world.incidents.timeline(1)[1] if one.kind == "PageDelayed")
    assert told == "The page failed (try 1): It timed out. Next try in 90 s."


@pytest.mark.parametrize(
    ("command", "told"), [(Command.RESOLVE, "resolve"), (Command.ACKNOWLEDGE, "acknowledge")]
)
def test_a_failed_try_may_have_arrived_and_is_ended(
    world: World, command: Command, told: str
) -> None:
    """Its answer was lost; PagerDuty rings, and somebody has the incident already."""
    world.pager.failure = TemporaryError("No answer.")
    world.deliver()
    world.pager.failure = None
    world.do(command)
    world.deliver()
    assert world.pager.told == ["trigger P1"]
    ((retry, _),) = world.effects
    assert isinstance(retry, UpdatePage)
    world.delivery.update(retry)
    assert world.pager.told == ["trigger P1", told]


def test_a_refusal_asks_for_none(world: World) -> None:
    world.pager.failure = PermanentError("Invalid routing key")
    world.deliver()
    assert world.effects == []
    assert world.incident().page == PageState(
        PageAction.TRIGGER, Severity.P1, "Invalid routing key"
    )


class KeepingPager(FakePager):
    """Keeps the page itself."""

    page: Page

    def trigger(self, page: Page) -> None:
        self.page = page


@pytest.mark.parametrize("public_url", ["https://tocsin.example", "https://tocsin.example/"])
def test_a_page_leads_to_its_incident(world: World, public_url: str) -> None:
    pager = KeepingPager()
    with_link = PageDelivery(world.store, pager, world.clock, lambda: 1.0, public_url)
    with world.store.transaction() as tx:
        tx.save_alerts([KnownAlert(alert(annotations={"runbook_url": "https://runbook"}), 1)])
    with_link.update(UpdatePage(1, Severity.P1))

    assert pager.page.link == "https://tocsin.example/incidents/1"
    assert pager.page.details["runbook"] == "https://runbook"


def test_without_an_address_a_page_leads_to_the_runbook(world: World) -> None:
    world.delivery = PageDelivery(world.store, pager := KeepingPager(), world.clock, lambda: 1.0)
    with world.store.transaction() as tx:
        tx.save_alerts([KnownAlert(alert(annotations={"runbook_url": "https://runbook"}), 1)])
    world.deliver()

    assert pager.page.link == "https://runbook"
