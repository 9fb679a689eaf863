"""Attendance: what is due is done once, and what has changed meanwhile stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.adapters import database
from bot.app.attendance import ACCEPTED, CLOSE_AGAIN, Attendance
from bot.app.contacts import Contacts, Ways
from bot.app.incidents import Incidents
from bot.domain.classify import Severity
from bot.domain.contact import PagerRoute, notifier, pagerduty
from bot.domain.effects import Attend
from bot.domain.incident import Command, IncidentState
from bot.domain.notice import Notice
from bot.domain.routing import RoutingPolicy
from bot.ports import Chat
from tests.support.core import Core, firing
from tests.support.databases import sqlite_database
from tests.support.examples import ANA
from tests.support.ways import ListNotifier, ListPager

SMS, SECOND = notifier("sms"), pagerduty(PagerRoute.SECONDARY)
MINUTE = timedelta(minutes=1)


class Sms(ListNotifier):
    """`meanwhile` happens while it is being sent."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def notify(self, name: str, notice: Notice) -> None:
        self.meanwhile()
        super().notify(name, notice)


class NoChat:
    """Nobody is called in the chat here."""


class World:
    """A P0, and who attends to it; no escalation unless `routing` says so."""

    def __init__(self, core: Core, *, confirmable: bool = True) -> None:
        self.core, self.sms, self.second = core, Sms(), ListPager()
        ways = Ways(core.pager, self.second, self.sms, ("sms",), cast(Chat, NoChat()), "#x")
        self.breaches: list[Severity] = []
        self.routing = RoutingPolicy(fallback=(SMS, SECOND))
        core.routing = replace(core.routing, escalations=())
        self.attendance = Attendance(
            core.store,
            Contacts(core.store, ways),
            None,
            lambda: self.routing,
            core.clock,
            confirmable=confirmable,
            breached=self.breaches.append,
        )
        core.deliver(firing("Outage", "P0"))
        core.fast_forward(seconds=1)

    def waiting(self) -> list[Attend]:
        return [one for one in self.core.queue.waiting() if isinstance(one, Attend)]

    def attend(self) -> None:
        self.attendance.attend(Attend(1, Severity.P0))

    def do(self, command: Command) -> None:
        Incidents(self.core.store, self.core.clock).command(1, command, ANA)

    def told(self) -> list[str]:
        return [type(one).__name__ for one in self.core.events()]


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    engine = database.create(sqlite_database(tmp_path))
    yield Core(engine)
    engine.dispose()


@pytest.fixture
def world(core: Core) -> World:
    return World(core)


def test_a_look_asks_for_what_is_due_and_for_nothing_before(world: World) -> None:
    world.attendance.look()
    assert world.waiting() == []
    world.core.clock.advance(90)
    for _ in range(3):
        world.attendance.look()
    assert world.waiting() == [Attend(1, Severity.P0)]


def test_what_is_due_is_done_once(world: World) -> None:
    world.core.clock.advance(90)
    for _ in range(3):
        world.attend()
    assert len(world.sms.sent) == 1
    assert world.told().count("FallbackUsed") == 1


def test_where_nothing_more_can_be_known_an_acceptance_is_all(core: Core) -> None:
    world = World(core, confirmable=False)
    world.attendance.look()
    assert world.waiting() == [Attend(1, Severity.P0)]
    world.attend()
    world.attend()
    calling = core.incident().calling
    assert calling is not None
    assert calling.confirmed_by == ACCEPTED
    assert world.told().count("PageConfirmed") == 1
    core.clock.advance(900)
    world.attend()
    assert world.sms.sent == []


def test_who_takes_it_during_a_call_has_it(world: World) -> None:
    world.sms.meanwhile = lambda: world.do(Command.ACKNOWLEDGE)
    world.core.clock.advance(90)
    world.attend()
    assert world.core.incident().state is IncidentState.ACKNOWLEDGED
    assert world.core.incident().calling is None
    world.core.clock.advance(90)
    world.attend()
    assert (len(world.sms.sent), world.second.told) == (1, [])


def test_a_second_pager_that_is_dark_is_told_later(world: World) -> None:
    world.core.clock.advance(90)
    world.attend()
    world.core.clock.advance(30)
    world.attend()
    assert [action for action, _ in world.second.told] == ["trigger"]
    world.do(Command.RESOLVE)
    world.second.dark = True
    for _ in world.waiting():
        world.attend()
    assert world.core.incident().second_page
    due = world.core.clock.now() + timedelta(seconds=CLOSE_AGAIN)
    assert world.core.queue.next_due(due) is not None
    world.second.dark = False
    world.attend()
    assert [action for action, _ in world.second.told] == ["trigger", "resolve"]
    assert not world.core.incident().second_page


def test_a_response_in_time_is_not_overdue(world: World) -> None:
    world.do(Command.ACKNOWLEDGE)
    world.core.clock.advance(16 * 60)
    world.attend()
    assert "ResponseOverdue" not in world.told()
    assert world.breaches == []


def test_a_response_that_is_overdue_is_said_once(world: World) -> None:
    world.core.clock.advance(16 * 60)
    world.attend()
    world.attend()
    assert world.told().count("ResponseOverdue") == 1
    assert world.breaches == [Severity.P0]


def test_nothing_is_done_about_what_is_over(world: World) -> None:
    world.do(Command.RESOLVE)
    world.core.clock.advance(3600)
    world.attendance.look()
    before = world.told()
    world.attend()
    assert world.told() == before
    assert world.sms.sent == []
