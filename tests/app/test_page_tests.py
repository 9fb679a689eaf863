"""Test pages go out at their time, once, whatever was down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.cron import next_after
from bot.app.page_tests import PageTests
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.alert import Delivery
from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from bot.domain.page_events import PageConfirmed
from bot.domain.page_test import FAILED_ALERT, PageTest, PageTestPlan, PageTestState
from bot.domain.synthetic_page import NOBODY_TAKES_IT
from bot.ports import Source
from tests.support.core import Core
from tests.support.databases import sqlite_database
from tests.support.examples import NOW

DAILY = PageTestPlan("0 10 * * *", "UTC", timedelta(minutes=5))
HOURS_TO_TEN = 7 * 3600.0
"""From 3 o'clock, where a test's clock begins."""


class World:
    """A core whose policy wants daily tests."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.plan: PageTestPlan | None = DAILY
        self.tests = self.replica()

    def replica(self) -> PageTests:
        """Another worker on the same database, or the same one after a start."""
        core = self.core
        return PageTests(
            core.store, self._put, lambda: self.plan, next_after, core.clock, core.counts
        )

    def _put(self, delivery: Delivery) -> None:
        self.core.post(*delivery.alerts, source=Source.TOCSIN)

    def pass_time(self, seconds: float) -> None:
        self.core.clock.advance(seconds)
        self.tests.look()
        self.core.drain()

    def confirm(self) -> None:
        """The pager says that the page of the newest incident stands."""
        core = self.core
        with core.store.transaction() as tx:
            newest = core.incidents()[-1]
            record_incident(tx, newest, (PageConfirmed("by a webhook"),), TOCSIN, core.clock.now())

    def recorded(self) -> list[PageTest]:
        """Oldest first."""
        with self.core.store.read() as reader:
            return list(reversed(reader.page_tests()))

    def states(self) -> list[PageTestState]:
        return [one.state for one in self.recorded()]

    def titles(self) -> list[str]:
        return [one.title.partition(":")[0] for one in self.core.incidents()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    made = World(Core(engine))
    made.pass_time(0)
    yield made
    engine.dispose()


def test_it_waits_for_its_time(world: World) -> None:
    (test,) = world.recorded()
    at_ten = NOW.replace(hour=10, minute=0, second=0, microsecond=0)
    assert (test.state, test.due_at) == (PageTestState.WAITING, at_ten)
    world.pass_time(HOURS_TO_TEN - 60)
    assert world.core.incidents() == []


def test_a_page_that_arrives_is_on_record_and_leaves_nothing_open(world: World) -> None:
    world.pass_time(HOURS_TO_TEN)
    assert world.titles() == ["TocsinPageTest"]
    world.confirm()
    world.pass_time(5)
    (test,) = world.recorded()
    assert (test.state, test.result) == (PageTestState.ARRIVED, "by a webhook")
    assert test.incident_id == 1
    assert world.core.incident().state is IncidentState.RESOLVED
    assert world.core.counts.counted["page_tests arrived"] == 1
    world.pass_time(5)
    assert world.recorded()[-1].due_at == test.due_at + timedelta(days=1)


def test_one_that_does_not_arrive_pages_about_itself_until_one_does(world: World) -> None:
    world.pass_time(HOURS_TO_TEN)
    world.pass_time(299)
    assert world.states() == [PageTestState.RUNNING]
    world.pass_time(2)
    assert world.states() == [PageTestState.FAILED]
    assert "not sent" in world.recorded()[0].result
    test, failed = world.core.incidents()
    assert (test.state, failed.state) == (IncidentState.RESOLVED, IncidentState.TRIGGERED)
    assert failed.title.startswith(FAILED_ALERT)
    assert failed.severity is Severity.P1
    assert "did not arrive" in failed.summary
    assert world.core.counts.counted["page_tests failed"] == 1

    world.pass_time(5)
    world.pass_time(24 * 3600)
    world.confirm()
    world.pass_time(5)
    assert {one.state for one in world.core.incidents()} == {IncidentState.RESOLVED}


def test_without_intake_it_fails_as_well(world: World) -> None:
    world.core.clock.advance(HOURS_TO_TEN)
    world.tests.look()
    world.core.clock.advance(301)
    world.tests.look()
    assert world.recorded()[0].result == NOBODY_TAKES_IT


def test_after_days_of_downtime_one_late_test_is_made(world: World) -> None:
    world.tests = world.replica()
    world.pass_time(4 * 24 * 3600)
    world.confirm()
    for _ in range(5):
        world.pass_time(5)
    assert world.titles() == ["TocsinPageTest"]
    assert world.states() == [PageTestState.ARRIVED, PageTestState.WAITING]
    assert world.recorded()[-1].due_at > world.core.clock.now()


def test_two_replicas_make_one_test(world: World) -> None:
    other = world.replica()
    for seconds in (HOURS_TO_TEN, 1.0, 1.0):
        world.core.clock.advance(seconds)
        world.tests.look()
        other.look()
        world.core.drain()
    world.confirm()
    world.tests.look()
    other.look()
    assert len(world.core.incidents()) == 1
    assert world.core.counts.counted["page_tests arrived"] == 1


def test_a_replica_that_dies_after_the_alert_leaves_one_test(world: World) -> None:
    """What it did not write down is done again: the same alert is no news."""
    world.core.clock.advance(HOURS_TO_TEN)
    before = world.recorded()[0]
    world.tests.look()
    world.core.drain()
    with world.core.store.transaction() as tx:
        tx.save_page_test(before)
    world.tests = world.replica()
    world.pass_time(5)
    assert world.titles() == ["TocsinPageTest"]
    assert world.states() == [PageTestState.RUNNING]


def test_what_is_due_while_tests_are_off_is_not_made_up_for(world: World) -> None:
    world.plan = None
    world.pass_time(5)
    world.pass_time(HOURS_TO_TEN)
    world.plan = DAILY
    world.pass_time(5)
    world.pass_time(5)
    assert world.core.incidents() == []
    (test,) = world.recorded()
    assert test.due_at > world.core.clock.now()


def test_another_schedule_counts_at_once(world: World) -> None:
    world.plan = PageTestPlan("30 3 * * *")
    world.pass_time(5)
    (test,) = world.recorded()
    assert (test.due_at - NOW) < timedelta(minutes=30)


def test_a_policy_without_tests_keeps_no_record(tmp_path: Path) -> None:
    engine = database.create(sqlite_database(tmp_path))
    world = World(Core(engine))
    world.plan = None
    world.pass_time(5)
    assert world.recorded() == []
    engine.dispose()
