"""The whole way of a page in one process: intake, pager, attendance; it may crash anywhere.

What lies in the database, in the inbox and in the queue of effects outlives a crash, and
nothing else does. An effect that was under way is done again, as by the durable queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

from sqlalchemy import Engine

from bot.adapters.clock import HeldClock
from bot.app.attendance import Attendance
from bot.app.clock_watch import ClockWatch, take_up
from bot.app.contacts import Contacts, Ways
from bot.app.incidents import OPEN, Incidents
from bot.app.intake import Intake, IntakeRules, Parse
from bot.app.maintenance import Maintenance, WindowReview
from bot.app.page_delivery import PageDelivery
from bot.app.pager_events import PagerEvents
from bot.app.upkeep import Upkeep
from bot.domain.classify import Severity
from bot.domain.contact import PagerRoute, notifier, pagerduty
from bot.domain.effects import Attend, Effect, UpdatePage
from bot.domain.errors import TocsinError
from bot.domain.escalation_policy import EscalationRule, EscalationStep
from bot.domain.incident import Incident
from bot.domain.page import PagerEvent
from bot.domain.page_guard import GuardDecision
from bot.domain.routing import RoutingPolicy
from bot.domain.storm import StormLimits
from bot.ports import Chat, Inbox, Source, Store
from tests.support.boundaries import Boundary, WatchedInbox, WatchedPager, WatchedStore
from tests.support.core import Core, Row
from tests.support.ways import ListNotifier
from tests.support.weather_pager import WeatherPager

REPLICA = "tocsin"
SMS, SECOND = notifier("sms"), pagerduty(PagerRoute.SECONDARY)
ROUTING = RoutingPolicy(
    storm=StormLimits(incidents=1_000),
    correlations=(),
    fallback=(SMS, SECOND),
    escalations=(
        EscalationRule(
            "all",
            (Severity.P0, Severity.P1),
            (
                EscalationStep(timedelta(minutes=5), SECOND),
                EscalationStep(timedelta(minutes=10), SMS),
            ),
            repeat=1,
            still_on_it=timedelta(minutes=15),
        ),
    ),
)


UNRECORDED = (
    "pager: trigger",
    "commit: PageSent (trigger)",
    "commit: PageDelayed (trigger)",
    "commit: FallbackUsed",
    "commit: Escalated",
)


class Crash(BaseException):
    """The process dies here: no `except Exception` can know of it."""


class NoChat:
    """Nobody is called in the chat here."""


class PagingWorld(Core):
    """All that pages, on `engine`; `restart` begins it anew."""

    def __init__(self, engine: Engine) -> None:
        self.told: list[PagerEvent] = []
        self.put_back: list[timedelta] = []
        """The steps back of the clock that were noticed."""
        self._steps_to_live: int | None = None
        super().__init__(engine, routing=ROUTING)
        self._plain_store = self.store
        self.first = WeatherPager(self.clock, self._needs_page)
        self.second = WeatherPager(self.clock, self._needs_page)
        self.sms = ListNotifier()
        self.late: list[str] = []
        """The keys of pages that were sent about what was over."""
        self.restart()

    def restart(self) -> None:
        """What was only in memory is gone."""
        self._steps_to_live = None
        self.held = HeldClock(self.clock.now, self.clock.steady)
        take_up(self._plain_store, REPLICA, self.held)
        store: Store = WatchedStore(self._plain_store, self._reach)
        pager = WatchedPager(self.first, self._reach)
        second = WatchedPager(self.second, self._reach, "second pager")
        ways = Ways(pager, second, self.sms, ("sms",), cast(Chat, NoChat()), "#x")
        self.page_delivery = PageDelivery(store, pager, self.held, lambda: 1.0)
        self.attendance = Attendance(
            store,
            Contacts(store, ways),
            None,
            lambda: self.routing,
            self.held,
            confirmable=True,
        )
        moved = (self.queue.bring_forward,)
        self.clock_watch = ClockWatch(store, REPLICA, self.held, moved, self.put_back.append)
        self.upkeep = Upkeep(store, lambda: self.deliveries.judge, self.held)
        self.windows = WindowReview(store, None, self.held, lambda: 1.0)
        self.people = Incidents(store, self.held)
        self.maintenance = Maintenance(store, self.held, silences=False)
        self.intake = self.intake_on(store, WatchedInbox(self.inbox, self._reach))

    def intake_on(self, store: Store, inbox: Inbox) -> Intake:
        parsers: dict[Source, Parse] = dict.fromkeys(Source, self._parse)
        events = PagerEvents(lambda body: self.told[int(body)], can_ask=False)
        return Intake(
            store, inbox, IntakeRules(parsers, self.deliveries, events), self.held, self.counts
        )

    def _needs_page(self, key: str) -> None:
        with self.store.read() as reader:
            incident = reader.incident_of_page(key)
        if incident is None or incident.state.over:
            self.late.append(key)

    # Crashes

    def crash_after(self, boundaries: int) -> None:
        """Die when so many more boundaries have been reached."""
        self._steps_to_live = boundaries

    def _reach(self, boundary: Boundary) -> None:
        if self._steps_to_live is None:
            return
        self._steps_to_live -= 1
        if self._steps_to_live <= 0:
            self._forgets_who_was_paged(boundary)
            raise Crash(str(boundary))

    def _forgets_who_was_paged(self, boundary: Boundary) -> None:
        """Died between a page and its record: who takes the incident first leaves it standing."""
        if any(name in str(boundary) for name in UNRECORDED):
            for pager in (self.first, self.second):
                pager.uncertain.update(one.dedup_key for one in pager.standing)

    @contextmanager
    def surviving(self) -> Iterator[None]:
        """Whoever dies in here is started anew."""
        try:
            yield
        except Crash:
            self.restart()

    # What is done

    def ask(self, do: Callable[[], object]) -> None:
        """A person asks for something, which may be refused, or die."""
        with self.surviving():
            try:
                do()
            except TocsinError:
                return  # They are told why not, and nothing has changed.

    def hear(self, event: PagerEvent) -> None:
        """A webhook of the pager's is accepted, and waits."""
        self.told.append(event)
        body = str(len(self.told) - 1).encode()
        at = self.clock.now().timestamp()
        self.inbox.rows.append(Row(1_000_000 + len(self.told), body, Source.PAGERDUTY, at))

    def drain(self) -> None:
        while self.inbox.rows:
            with self.surviving():
                self.intake.drain()

    def look(self) -> None:
        with self.surviving():
            self.clock_watch.look()
            self.attendance.look()

    def perform(self, effect: Effect) -> None:
        try:
            if isinstance(effect, Attend):
                self.attendance.attend(effect)
            else:
                super().perform(effect)
        except Crash:
            self.queue.put_back(effect)
            self.restart()

    def pass_time(self, seconds: float, looks: int) -> None:
        """Let time pass; so often is looked whether somebody must be called."""
        for _ in range(looks):
            self.drain()
            self.fast_forward(seconds=seconds / looks)
            self.drain()
            self.look()
        with self._plain_store.transaction() as tx:
            tx.replica_beats(REPLICA, self.held.now())
        self.fast_forward(seconds=0)

    # What came of it

    def open_incidents(self) -> list[Incident]:
        with self.store.read() as reader:
            return list(reader.incidents(OPEN, 1_000))

    def fallback(self, incident: Incident) -> GuardDecision:
        with self.store.read() as reader:
            return self.attendance.fallback(reader, incident)

    def page_waits(self, incident: Incident) -> bool:
        """Whether a job waits that will bring the pager up to date."""
        pages = [one for one in self.queue.waiting() if isinstance(one, UpdatePage)]
        return any(one.incident_id == incident.id for one in pages)
