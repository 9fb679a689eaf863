"""No page is lost, whatever happens in whatever order: a machine that tries to lose one.

Alerts fire and stop, people click here and in the pager, the process dies at any commit or
request, the clock jumps, the pager fails, is slow and lies, its webhooks are lost, doubled
and mixed up. After every step each open P0 and P1 is looked after; in the end, when all
works again, somebody has been reached about each.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from bot.adapters import database
from bot.domain.alert import Alert
from bot.domain.classify import Severity
from bot.domain.incident import Command, Incident
from bot.domain.matcher_text import parse_quick_matcher
from bot.domain.page_guard import CONFIRM_WITHIN, NEXT_ROUND_AFTER
from bot.domain.paging import next_page
from tests.support.core import ended, firing
from tests.support.databases import sqlite_database, without_fsync
from tests.support.examples import ANA
from tests.support.paging_world import PagingWorld
from tests.support.weather_pager import Fault

NAMES = st.sampled_from(["Api", "Database"])
LEVELS = st.sampled_from(list(Severity))
PAUSES = st.sampled_from([(2, 1), (30, 3), (100, 10), (400, 10)])
"""Seconds, and how often is looked meanwhile whether somebody must be called."""

TIME_TO_REACH = CONFIRM_WITHIN + timedelta(minutes=1)
"""Within which somebody is reached when all works: the fallback chain needs a look or two."""

STEPS = 50
EXAMPLES = settings().max_examples // 4
"""Of `STEPS` steps each: 1,250 steps every time, and 62,500 with the nightly profile."""
NIGHT = 8 * 3600
"""Seconds that it may take at night; every time it takes half a minute."""


class PagingMachine(RuleBasedStateMachine):
    """Everything that can happen to pages."""

    @initialize()
    def start(self) -> None:
        self.folder = TemporaryDirectory()
        self.engine = database.create(sqlite_database(Path(self.folder.name)))
        # What is committed need not survive the loss of power here, only the process.
        event.listen(self.engine, "connect", without_fsync)
        self.world = PagingWorld(self.engine)
        self.alerts: dict[str, Alert] = {}

    # Alerts

    @rule(name=NAMES, level=LEVELS)
    def fire(self, name: str, level: Severity) -> None:
        fired = firing(name, level.value, at=self.world.clock.now())
        self.alerts[fired.fingerprint] = fired
        self.world.deliver(fired)

    @rule()
    def repeat(self) -> None:
        if self.alerts:
            self.world.deliver(*self.alerts.values())

    @rule(name=NAMES)
    def stop(self, name: str) -> None:
        stopped = [one for one in self.alerts.values() if one.name == name]
        for one in stopped:
            del self.alerts[one.fingerprint]
        if stopped:
            self.world.deliver(*(ended(one, self.world.clock.now()) for one in stopped))

    # People

    @rule(command=st.sampled_from(list(Command)), number=st.integers(1, 3))
    def click(self, command: Command, number: int) -> None:
        self.world.ask(lambda: self.world.people.command(number, command, ANA))

    @rule(level=LEVELS, number=st.integers(1, 3))
    def set_level(self, level: Severity, number: int) -> None:
        self.world.ask(lambda: self.world.people.override(number, level, "Because.", ANA))

    @rule(name=NAMES, minutes=st.sampled_from([1, 5]))
    def maintain(self, name: str, minutes: int) -> None:
        matchers = [parse_quick_matcher(f"alertname={name}")]
        lasts = timedelta(minutes=minutes)
        plan = self.world.maintenance.plan
        self.world.ask(lambda: plan(matchers, None, lasts, "Moving it.", ANA))

    @rule(
        data=st.data(),
        verb=st.sampled_from(["acknowledged", "unacknowledged", "resolved", "reopened"]),
    )
    def act_at_the_pager(self, data: st.DataObject, verb: str) -> None:
        standing = self.world.first.standing
        if standing:
            self.world.first.do(data.draw(st.sampled_from(standing)), verb)

    # The pager's webhooks

    @rule()
    def deliver_webhooks(self) -> None:
        while self.world.first.webhooks:
            self.world.hear(self.world.first.webhooks.popleft())
        self.world.drain()

    @rule(data=st.data())
    def deliver_any_webhook(self, data: st.DataObject) -> None:
        """Out of its turn, and perhaps again later."""
        webhooks = self.world.first.webhooks
        if webhooks:
            one = data.draw(st.sampled_from(list(webhooks)))
            if data.draw(st.booleans()):
                webhooks.remove(one)
            self.world.hear(one)
            self.world.drain()

    @rule()
    def lose_a_webhook(self) -> None:
        if self.world.first.webhooks:
            lost = self.world.first.webhooks.popleft()
            self.world.first.uncertain.add(lost.dedup_key)

    # What goes wrong

    @rule(fault=st.sampled_from(list(Fault)), times=st.integers(1, 6))
    def break_the_pager(self, fault: Fault, times: int) -> None:
        self.world.first.faults.extend([fault] * times)

    @rule(fault=st.sampled_from(list(Fault)), dark=st.booleans())
    def break_the_fallback(self, fault: Fault, dark: bool) -> None:
        self.world.second.faults.append(fault)
        self.world.sms.dark = dark

    @rule(boundaries=st.integers(1, 12))
    def die_soon(self, boundaries: int) -> None:
        self.world.crash_after(boundaries)

    @rule(minutes=st.sampled_from([0, 3, 60]))
    def be_down(self, minutes: int) -> None:
        self.world.clock.advance(minutes * 60)
        self.world.restart()

    @rule(minutes=st.sampled_from([-60, -10, 10, 60]))
    def put_the_clock(self, minutes: int) -> None:
        self.world.clock.put(minutes * 60)

    @rule(pause=PAUSES)
    def wait(self, pause: tuple[int, int]) -> None:
        self.world.pass_time(*pause)

    # What must hold

    @invariant()
    def nobody_is_forgotten(self) -> None:
        for incident in self.world.open_incidents():
            self._check(incident)

    def _check(self, incident: Incident) -> None:
        if next_page(incident).action is not None:
            assert self.world.page_waits(incident), f"no job will page: {incident}"
        if not incident.wakes:
            return
        assert incident.calling is not None
        if incident.calling.confirmed_by:
            return
        next_call = self.world.fallback(incident)
        assert next_call.due_at is not None, f"nobody will ever be called: {incident}"
        latest = self.world.held.now() + NEXT_ROUND_AFTER
        assert next_call.contact or next_call.due_at <= latest, f"called too late: {incident}"

    @invariant()
    def nobody_is_woken_for_what_is_over(self) -> None:
        assert self.world.late == []

    def teardown(self) -> None:
        self._recover()
        for incident in self.world.open_incidents():
            calling = incident.calling
            if calling is not None and self.world.held.now() - calling.since > TIME_TO_REACH:
                assert calling.confirmed_by or calling.fallback_at, f"nobody knows of {incident}"
        self._check_what_is_over()
        self.engine.dispose()
        self.folder.cleanup()

    def _recover(self) -> None:
        """All works again, for a quarter of an hour."""
        self.world.restart()
        self.world.first.faults.clear()
        self.world.second.faults.clear()
        self.world.sms.dark = False
        self.deliver_webhooks()
        for _ in range(3):
            self.world.pass_time(300, 30)
            self.deliver_webhooks()

    def _check_what_is_over(self) -> None:
        """No page stands about it, unless the pager lied or its webhooks were lost."""
        for pager in (self.world.first, self.world.second):
            for one in pager.standing:
                if one.status == "resolved" or one.dedup_key in pager.uncertain:
                    continue
                with self.world.store.read() as reader:
                    incident = reader.incident_of_page(one.dedup_key)
                assert incident is not None
                assert not incident.state.over, f"its page still stands: {incident}"


PagingMachine.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=STEPS)
TestPaging = pytest.mark.timeout(NIGHT)(PagingMachine.TestCase)
