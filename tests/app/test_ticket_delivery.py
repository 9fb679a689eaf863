"""The tracker is told one thing at a time, and a ticket is created once, whatever is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.app.follow_ups import FollowUps
from bot.app.incidents import Incidents
from bot.app.ticket_delivery import SETTLES, TicketDelivery
from bot.domain.classify import Severity
from bot.domain.effects import Effect, UpdateTicket
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.incident import Command
from bot.domain.ticket import TicketAction
from bot.domain.ticket_events import TicketDelayed, TicketRefused, TicketTold
from bot.ports import Tickets
from tests.support.core import Core, ended, firing
from tests.support.databases import sqlite_database
from tests.support.examples import ANA
from tests.support.tickets import FakeTickets

ALERT = firing("DiskFillingUp", "P2")


class World:
    """The core on a database, a tracker, and who keeps it up to date."""

    def __init__(self, core: Core) -> None:
        self.core, self.tracker = core, FakeTickets()
        self.delivery = self.deliveries_to(self.tracker)
        self.incidents = Incidents(core.store, core.clock)
        self.follow_ups = FollowUps(core.store, core.clock)

    def deliveries_to(self, tracker: Tickets | None) -> TicketDelivery:
        url = "https://tocsin.example/"
        return TicketDelivery(self.core.store, tracker, self.core.clock, lambda: 1.0, url)

    def pass_time(self, seconds: float = 1.0) -> None:
        """Do what becomes due for the tracker; pages are the core's own."""
        core = self.core
        until = core.clock.now() + timedelta(seconds=seconds)
        while (due := core.queue.next_due(until)) is not None:
            core.clock.advance(max(0.0, (due - core.clock.now()).total_seconds()))
            effect = core.queue.take(max(due, core.clock.now()))
            if isinstance(effect, UpdateTicket):
                self.delivery.update(effect)
            else:
                core.perform(effect)
        core.clock.advance((until - core.clock.now()).total_seconds())

    def do(self, command: Command) -> None:
        self.incidents.command(1, command, ANA)

    def waiting(self) -> list[Effect]:
        return [one for one in self.core.queue.waiting() if isinstance(one, UpdateTicket)]

    def told(self) -> list[TicketAction]:
        events = self.core.events()
        return [one.action for one in events if isinstance(one, TicketTold)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_a_ticket_is_created_once_and_linked(world: World) -> None:
    world.core.deliver(ALERT)
    world.pass_time()
    world.delivery.update(UpdateTicket(1))
    (entered,) = world.tracker.entered
    assert entered.ticket.link == "https://tocsin.example/incidents/1"
    assert "service=checkout" in entered.ticket.text
    known = world.core.incident().ticket
    assert known is not None
    assert known.ref is not None
    assert known.ref.url == "https://memory.example/1"
    assert world.told() == [TicketAction.CREATE]


@pytest.mark.parametrize("level", ["P0", "P1"])
def test_what_pages_gets_none(world: World, level: str) -> None:
    world.core.deliver(firing("HighErrorRate", level))
    world.pass_time()
    assert world.tracker.told == []


def test_it_is_closed_and_reopened_with_its_incident(world: World) -> None:
    world.core.deliver(ALERT)
    world.pass_time()
    world.core.deliver(ended(ALERT, world.core.clock.now()))
    world.pass_time()
    assert not world.tracker.entered[0].open
    world.do(Command.REOPEN)
    world.pass_time()
    assert world.tracker.entered[0].open
    assert world.tracker.told == ["create", "close", "reopen"]


def test_each_change_is_told_and_what_changes_nothing_is_not(world: World) -> None:
    world.core.deliver(ALERT)
    world.pass_time()
    world.do(Command.ACKNOWLEDGE)
    world.pass_time()
    world.core.deliver(firing("DiskFillingUp", "P2", instance="another"))
    world.pass_time()
    assert world.tracker.told == ["create", "update"]
    assert "acknowledged by ana" in world.tracker.entered[0].ticket.text


def test_a_raised_ticket_stays_and_says_so_and_the_page_goes_out(world: World) -> None:
    world.core.deliver(ALERT)
    world.pass_time()
    world.core.override(Severity.P1)
    world.pass_time()
    assert sum(world.core.pager.pages.values()) == 1
    (entered,) = world.tracker.entered
    assert entered.open
    assert entered.ticket.title.startswith("P1 ")
    assert "this ticket stays" in entered.ticket.text


def test_what_is_over_before_it_could_be_created_never_is(world: World) -> None:
    world.core.deliver(ALERT)
    world.core.deliver(ended(ALERT, world.core.clock.now()))
    world.pass_time()
    assert world.tracker.told == []


def test_what_happens_during_the_call_is_told_next(world: World) -> None:
    world.tracker.meanwhile = lambda: world.do(Command.RESOLVE)
    world.core.deliver(ALERT)
    world.pass_time()
    assert world.tracker.told == ["create", "close"]


def test_the_answer_that_got_lost_makes_no_second_ticket(world: World) -> None:
    world.tracker.failures = {"create": TemporaryError("The line broke.")}
    world.tracker.takes_effect = True
    world.core.deliver(ALERT)
    world.pass_time()
    assert world.waiting() == [UpdateTicket(1, attempt=2)]
    world.tracker.failures = {}
    world.do(Command.ACKNOWLEDGE)
    world.pass_time(SETTLES)
    (entered,) = world.tracker.entered
    assert "acknowledged by ana" in entered.ticket.text, "it says what is so now"
    assert world.told() == [TicketAction.CREATE]


class Died(BaseException):
    """The process is gone in the middle of it."""


@pytest.mark.parametrize("created", [True, False])
def test_a_crash_makes_no_second_ticket(world: World, created: bool) -> None:
    """The job that is taken up again can't know, and the tracker may need a while to show it."""

    class Dying(FakeTickets):
        def create(self, ticket):  # type: ignore[no-untyped-def]
            if created:
                world.tracker.create(ticket)
            raise Died

    world.core.deliver(ALERT)
    with pytest.raises(Died):
        world.deliveries_to(Dying()).update(UpdateTicket(1))
    asked = len(world.tracker.told)
    world.pass_time()
    assert len(world.tracker.told) == asked, "not before the tracker can show it"
    world.pass_time(SETTLES)
    assert len(world.tracker.entered) == 1
    assert world.waiting() == []


def test_what_a_crash_left_is_closed_with_its_incident(world: World) -> None:
    """It ended while nobody was there to write down that there is a ticket."""

    class Dying(FakeTickets):
        def create(self, ticket):  # type: ignore[no-untyped-def]
            world.tracker.create(ticket)
            raise Died

    world.core.deliver(ALERT)
    with pytest.raises(Died):
        world.deliveries_to(Dying()).update(UpdateTicket(1))
    world.do(Command.RESOLVE)
    world.pass_time()
    world.pass_time(SETTLES)
    (entered,) = world.tracker.entered
    assert not entered.open
    assert world.waiting() == []


def test_what_a_lost_answer_created_is_closed_with_its_incident(world: World) -> None:
    world.tracker.failures = {"create": TemporaryError("The line broke.")}
    world.tracker.takes_effect = True
    world.core.deliver(ALERT)
    world.pass_time()
    world.tracker.failures = {}
    world.do(Command.RESOLVE)
    world.pass_time(SETTLES)
    (entered,) = world.tracker.entered
    assert not entered.open
    assert world.told() == [TicketAction.CLOSE]
    world.do(Command.REOPEN)
    world.pass_time()
    assert entered.open
    assert world.tracker.told == ["create", "find", "close", "reopen"]


def test_what_no_try_created_needs_no_closing(world: World) -> None:
    world.tracker.failures = {"create": TemporaryError("The line broke.")}
    world.core.deliver(ALERT)
    world.pass_time()
    world.tracker.failures = {}
    world.do(Command.RESOLVE)
    world.pass_time(SETTLES)
    assert (world.tracker.entered, world.told(), world.waiting()) == ([], [], [])


def test_a_tracker_that_is_down_is_asked_again_ever_more_rarely(world: World) -> None:
    world.tracker.failures = dict.fromkeys(("create", "find"), TemporaryError("502"))
    world.core.deliver(ALERT)
    world.pass_time(3_600)
    delayed = [one for one in world.core.events() if isinstance(one, TicketDelayed)]
    assert [one.attempt for one in delayed] == [1, 10, 20, 30, 40, 50, 60]
    assert len(world.waiting()) == 1
    world.tracker.failures = {}
    world.pass_time(61)
    assert len(world.tracker.entered) == 1


def test_changes_while_it_is_down_begin_no_tries_of_their_own(world: World) -> None:
    world.tracker.failures = dict.fromkeys(("create", "find"), TemporaryError("502"))
    world.core.deliver(ALERT)
    for command in (Command.ACKNOWLEDGE, Command.UNACKNOWLEDGE, Command.MITIGATE):
        world.do(command)
        world.pass_time()
    assert len(world.waiting()) == 1


def test_it_waits_as_long_as_the_tracker_asks(world: World) -> None:
    world.core.deliver(ALERT)
    world.pass_time()
    world.tracker.failures = {"update": TemporaryError("Slow down.", retry_after=90.0)}
    world.do(Command.ACKNOWLEDGE)
    world.pass_time(85)
    assert world.tracker.told.count("update") == 1
    world.tracker.failures = {}
    world.pass_time(10)
    assert world.tracker.told.count("update") == 2


def test_a_refusal_is_said_once_and_tried_again_with_the_next_change(world: World) -> None:
    world.tracker.failures = {"create": PermanentError("Set another token.")}
    world.core.deliver(ALERT)
    world.pass_time(3_600)
    (refused,) = (one for one in world.core.events() if isinstance(one, TicketRefused))
    assert refused.reason == "Set another token."
    assert world.waiting() == []
    world.tracker.failures = {}
    world.do(Command.ACKNOWLEDGE)
    world.pass_time(SETTLES + 1)
    assert len(world.tracker.entered) == 1
    known = world.core.incident().ticket
    assert known is not None
    assert known.refused == ""


def test_without_a_tracker_it_is_on_our_own_list(world: World) -> None:
    world.delivery = world.deliveries_to(None)
    world.core.deliver(ALERT)
    world.pass_time()
    incident = world.core.incident()
    assert incident.ticket_due_at is not None
    assert incident.ticket is None
    assert world.waiting() == []


def test_a_follow_up_gets_a_ticket_of_its_own(world: World) -> None:
    """Of an incident that pages and has none, and also after its end."""
    world.core.deliver(firing("HighErrorRate", "P1"))
    world.do(Command.RESOLVE)
    world.do(Command.CLOSE)
    world.follow_ups.add(1, "Add an index.", ANA)
    world.follow_ups.add(1, "Alert earlier.", ANA)
    world.pass_time()
    assert [one.ticket.title for one in world.tracker.entered] == [
        "Add an index. (INC-1, follow-up 1)",
        "Alert earlier. (INC-1, follow-up 2)",
    ]
    world.follow_ups.mark(1, 2, ANA, done=True)
    world.pass_time()
    assert [one.open for one in world.tracker.entered] == [True, False]
    world.follow_ups.mark(1, 2, ANA, done=False)
    world.pass_time()
    assert [one.open for one in world.tracker.entered] == [True, True]
    assert world.core.incident().ticket is None


def test_a_follow_ups_lost_answer_makes_no_second_ticket(world: World) -> None:
    world.tracker.failures = {"create": TemporaryError("The line broke.")}
    world.tracker.takes_effect = True
    world.core.deliver(firing("HighErrorRate", "P1"))
    world.follow_ups.add(1, "Add an index.", ANA)
    world.pass_time()
    (delayed,) = (one for one in world.core.events() if isinstance(one, TicketDelayed))
    assert delayed.follow_up == 1
    assert world.waiting() == [UpdateTicket(1, attempt=2, follow_up=1)]
    world.tracker.failures = {}
    world.pass_time(SETTLES)
    assert len(world.tracker.entered) == 1
    (known,) = world.core.incident().follow_ups
    assert known.ticket is not None
    assert known.ticket.ref is not None


def test_an_incidents_ticket_and_its_follow_ups_are_told_apart(world: World) -> None:
    world.core.deliver(ALERT)
    world.follow_ups.add(1, "Add an index.", ANA)
    world.pass_time()
    own, follow_up = world.tracker.entered
    assert "service=checkout" in own.ticket.text
    assert "service=checkout" not in follow_up.ticket.text
    world.do(Command.RESOLVE)
    world.pass_time()
    assert [one.open for one in world.tracker.entered] == [False, True]


def test_a_refused_follow_up_leaves_the_incidents_ticket_alone(world: World) -> None:
    world.core.deliver(ALERT)
    world.pass_time()
    world.tracker.failures = {"create": PermanentError("Set another token.")}
    world.follow_ups.add(1, "Add an index.", ANA)
    world.pass_time(3_600)
    incident = world.core.incident()
    assert incident.ticket is not None
    assert incident.ticket.refused == ""
    known = incident.follow_ups[0].ticket
    assert known is not None
    assert known.refused == "Set another token."
    assert world.waiting() == []
