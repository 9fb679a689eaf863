"""The story of one page, told by a process of its own that may be killed at any boundary.

The process has the real store, inbox, durable queue and pager; only the loop that drives it
is the story's. It acts until the story is where it should be, whoever began it: a process
that is started after a kill takes it up, as Alertmanager and people do who got no answer.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bot.adapters import database
from bot.adapters.alertmanager import parse_delivery
from bot.adapters.clock import SystemClock
from bot.adapters.durable import DurableQueue, DurableWorker
from bot.adapters.inbox import Inbox
from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_webhook import parse_webhook
from bot.adapters.store import SqlStore
from bot.app.attendance import Attendance
from bot.app.contacts import Contacts, Ways
from bot.app.deliveries import Deliveries
from bot.app.facts import FactReader
from bot.app.incidents import Incidents
from bot.app.intake import Intake, IntakeRules
from bot.app.judging import Judge
from bot.app.page_delivery import PageDelivery
from bot.app.pager_events import PagerEvents
from bot.domain.contact import PagerRoute, pagerduty
from bot.domain.effects import Attend, Effect, UpdatePage
from bot.domain.errors import IllegalTransition
from bot.domain.incident import Command
from bot.domain.page_events import PageRefused, PageSent
from bot.domain.routing import RoutingPolicy
from bot.ports import Chat, Source
from tests.support.boundaries import (
    Boundary,
    WatchedInbox,
    WatchedPager,
    WatchedStore,
    crossing,
)
from tests.support.core import POLICY, Counts
from tests.support.examples import ANA
from tests.support.waiting import PATIENCE
from tests.support.ways import ListNotifier
from tests.support.webhook import alert, webhook

KEY, SECOND_KEY = "1" * 32, "2" * 32
ROUTING = RoutingPolicy(fallback=(pagerduty(PagerRoute.SECONDARY),), escalations=())
PAUSE = 0.02
"""Seconds between two looks at what there is to do."""


@dataclass(frozen=True)
class Stage:
    """Where the story takes place; `log` gets a line for each boundary that is reached."""

    database_url: str
    pager_url: str
    second_pager_url: str
    log: Path


@dataclass(frozen=True)
class Act:
    """Something that is done, until all of `told` stands on the timeline."""

    does: str
    told: tuple[str, ...]


ACKNOWLEDGED = Act("acknowledge", ("PageSent (acknowledge)",))
STORIES: dict[str, tuple[Act, ...]] = {
    "confirmed": (
        Act("fire", ("PageConfirmed",)),
        ACKNOWLEDGED,
        Act("end", ("PageSent (resolve)",)),
    ),
    "delayed": (
        Act("fire", ("PageConfirmed",)),
        Act("end", ("PageSent (resolve)",)),
    ),
    "refused": (
        Act("fire", ("PageRefused (trigger)", "FallbackUsed")),
        Act("end", ("PageRefused (resolve)", "SecondPageClosed")),
    ),
}


def tell(stage: Stage, story: str, kill_at: Boundary | None) -> None:
    """Tell the story to its end, or until `kill_at` is reached; never returns."""
    teller = _Teller(stage, kill_at)
    for act in STORIES[story]:
        teller.play(act)
    os._exit(0)


class _Teller:
    """A process that pages."""

    def __init__(self, stage: Stage, kill_at: Boundary | None) -> None:
        self._log = os.open(stage.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._kill_at = kill_at
        engine = database.create(stage.database_url)
        clock = SystemClock()
        store = WatchedStore(SqlStore(engine, DurableQueue(engine).enqueue), self._reach)
        pager = WatchedPager(PagerDutyPager(KEY, stage.pager_url), self._reach)
        second = WatchedPager(
            PagerDutyPager(SECOND_KEY, stage.second_pager_url), self._reach, "second pager"
        )
        ways = Ways(pager, second, ListNotifier(), (), cast(Chat, None), "")
        self._store = store
        self._pages = PageDelivery(store, pager, clock, lambda: 0.0)
        self._attendance = Attendance(
            store, Contacts(store, ways), None, lambda: ROUTING, clock, confirmable=True
        )
        self._people = Incidents(store, clock)
        self._inbox = Inbox(stage.database_url)
        self._intake = _intake(store, WatchedInbox(self._inbox, self._reach), clock)
        self._acts: dict[str, Callable[[], object]] = {
            "fire": lambda: self._deliver(resolved=False),
            "end": lambda: self._deliver(resolved=True),
            "acknowledge": self._acknowledge,
        }
        DurableWorker(engine, "story", self._perform, lambda _run: False).start()

    def _reach(self, boundary: Boundary) -> None:
        os.write(self._log, f"{boundary}\n".encode())
        if boundary == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()

    def _deliver(self, *, resolved: bool) -> None:
        """What Alertmanager delivers, and delivers again while it gets no 200."""
        one = alert("Outage", severity="P0", resolved=resolved)
        with crossing(self._reach, f"inbox: kept ({one['status']})"):
            self._inbox.put(Source.ALERTMANAGER, json.dumps(webhook(one)).encode())

    def _perform(self, effect: Effect) -> None:
        if not isinstance(effect, UpdatePage | Attend):
            return  # Messages are no part of the story.
        with crossing(self._reach, f"job: {type(effect).__name__}"):
            if isinstance(effect, UpdatePage):
                self._pages.update(effect)
            else:
                self._attendance.attend(effect)

    def play(self, act: Act) -> None:
        if self._is_told(act):
            return
        with suppress(IllegalTransition):  # It was done before the kill.
            self._acts[act.does]()
        deadline = time.monotonic() + PATIENCE
        while not self._is_told(act):
            assert time.monotonic() < deadline, f"it does not come to {act.told}"
            self._intake.drain()
            self._attendance.look()
            time.sleep(PAUSE)

    def _is_told(self, act: Act) -> bool:
        return set(act.told) <= set(self._timeline())

    def _timeline(self) -> Sequence[str]:
        with self._store.read() as reader:
            incidents = reader.incidents(limit=1)
            recorded = reader.recorded(incidents[0].id) if incidents else ()
        return [_name(one.event) for one in recorded]

    def _acknowledge(self) -> None:
        (incident,) = self._people.newest()
        self._people.command(incident.id, Command.ACKNOWLEDGE, ANA)


def _name(event: object) -> str:
    action = f" ({event.action})" if isinstance(event, PageSent | PageRefused) else ""
    return f"{type(event).__name__}{action}"


def _intake(store: WatchedStore, inbox: WatchedInbox, clock: SystemClock) -> Intake:
    counts = Counts()
    judge = Judge(lambda: POLICY, FactReader(None, clock))
    rules = IntakeRules(
        {Source.ALERTMANAGER: lambda body, _at: parse_delivery(body)},
        Deliveries(judge, lambda: ROUTING, counts),
        PagerEvents(parse_webhook, can_ask=False),
    )
    return Intake(store, inbox, rules, clock, counts)
