"""Reconcile's rounds: what reaches the inbox, and what does not when something fails."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.reconcile import Reconciler
from bot.domain.alert import AlertGroup, AlertStatus, Delivery
from bot.domain.dedup import KnownAlert
from bot.domain.errors import TemporaryError
from bot.domain.matcher import Matcher
from bot.domain.observation import Member, Observation, Sighting, State
from bot.domain.reconcile import GRACE, RECEIVER, SETTLED, Finding, Verdict
from tests.support.clock import START, FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import alert

URL = "http://am:9093"


@dataclass
class Alertmanager:
    """An `AlertSource` that holds what a test gives it, and may be down; it takes no silence."""

    holds: list[Sighting] = field(default_factory=list)
    down: bool = False

    url: str = URL

    def alerts(self) -> Observation:
        if self.down:
            raise TemporaryError("it does not answer")
        return Observation((Member(self.url, SETTLED),), tuple(self.holds))

    def silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
    ) -> str:
        raise AssertionError("reconcile makes no silences")

    def expire_silence(self, silence_id: str) -> None:
        raise AssertionError("reconcile ends no silences")


class Bench:
    """A reconciler with all that is around it: a real store, and an inbox that is a list."""

    def __init__(self, database_url: str) -> None:
        self.store = SqlStore(database.create(database_url), lambda *_: None)
        self.alertmanager = Alertmanager()
        self.inbox: list[Delivery] = []
        self.full = False
        self.clock = FakeClock()
        self.reconciler = self.with_source(self.alertmanager)
        with self.store.transaction() as tx:
            began = self.clock.now()
            tx.save_alert_groups(
                [AlertGroup(URL, "tocsin", "{}:{}", AlertStatus.FIRING, {}, began)]
            )

    def knows(self, *firing: KnownAlert) -> None:
        with self.store.transaction() as tx:
            tx.save_alerts(firing)

    def with_source(self, source: Alertmanager | None) -> Reconciler:
        return Reconciler(self.store, source, self.put, lambda labels: False, self.clock)

    def put(self, delivery: Delivery) -> None:
        if self.full:
            raise TemporaryError("the disk is full")
        self.inbox.append(delivery)

    def later(self) -> None:
        self.clock.advance(GRACE / timedelta(seconds=1))

    def restart(self) -> None:
        self.reconciler = self.with_source(self.alertmanager)

    def look_twice(self) -> None:
        """Once to see a difference, once more after the grace."""
        self.reconciler.round()
        self.later()
        self.reconciler.round()


def there(fingerprint: str) -> Sighting:
    return Sighting(alert(fingerprint=fingerprint), State.ACTIVE, frozenset({"tocsin"}))


def firing_here(fingerprint: str) -> KnownAlert:
    return KnownAlert(alert(fingerprint=fingerprint, starts_at=START), None, URL)


def posted(until: datetime) -> KnownAlert:
    return KnownAlert(alert(fingerprint="posted", starts_at=START - GRACE, ends_at=until), None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(sqlite_database(tmp_path))


def test_what_was_missed_comes_into_the_inbox(bench: Bench) -> None:
    bench.alertmanager.holds = [there("f1")]

    bench.reconciler.round()
    assert bench.inbox == []
    bench.later()
    bench.reconciler.round()

    (delivery,) = bench.inbox
    assert (delivery.receiver, delivery.group_key) == (RECEIVER, Finding.MISSED)
    assert (delivery.status, delivery.external_url) == (AlertStatus.FIRING, URL)
    assert delivery.alerts == (there("f1").alert,)


def test_what_ended_unseen_comes_into_the_inbox(bench: Bench) -> None:
    bench.knows(firing_here("f1"))

    bench.reconciler.round()
    bench.later()
    decision = bench.reconciler.round()

    assert decision is not None
    assert decision.verdicts == {Verdict.ENDED: 1}
    (delivery,) = bench.inbox
    assert (delivery.status, delivery.group_key) == (AlertStatus.RESOLVED, Finding.ENDED)
    assert [one.ends_at for one in delivery.alerts] == [START]


def test_what_ended_while_tocsin_was_down_is_learned_whatever_its_alertmanager_calls_itself(
    bench: Bench,
) -> None:
    elsewhere = replace(firing_here("f1"), origin="https://alerts.example.com")
    bench.knows(elsewhere)
    bench.alertmanager.holds = [there("f1")]
    bench.reconciler.round()

    bench.restart()
    bench.alertmanager.holds = []
    bench.look_twice()

    (delivery,) = bench.inbox
    assert (delivery.group_key, delivery.alerts[0].fingerprint) == (Finding.ENDED, "f1")


def test_what_another_alertmanager_called_itself_proves_nothing(bench: Bench) -> None:
    bench.knows(replace(firing_here("f1"), origin="https://alerts.example.com"))
    bench.alertmanager.holds = [there("f1")]
    bench.reconciler.round()

    bench.restart()
    bench.alertmanager.holds, bench.alertmanager.url = [], "http://another:9093"
    bench.look_twice()

    assert bench.inbox == []


def test_after_a_truncated_delivery_the_rest_is_fetched_at_once(bench: Bench) -> None:
    bench.alertmanager.holds = [there("f1"), there("f2")]

    bench.reconciler.round(truncated=True)

    assert [one.fingerprint for one in bench.inbox[0].alerts] == ["f1", "f2"]


def test_nothing_is_concluded_while_alertmanager_does_not_answer(bench: Bench) -> None:
    bench.knows(firing_here("f1"))
    bench.reconciler.round()
    bench.alertmanager.down = True
    for _ in range(3):
        bench.later()
        with pytest.raises(TemporaryError, match="does not answer"):
            bench.reconciler.round()

    assert bench.inbox == []


def test_what_could_not_be_kept_is_found_again(bench: Bench) -> None:
    bench.alertmanager.holds = [there("f1")]
    bench.reconciler.round()
    bench.later()
    bench.full = True
    with pytest.raises(TemporaryError, match="full"):
        bench.reconciler.round()

    bench.full = False
    bench.reconciler.round()

    assert len(bench.inbox) == 1


@pytest.mark.parametrize("down", [False, True])
def test_posted_alerts_expire_whether_alertmanager_answers_or_not(bench: Bench, down: bool) -> None:
    bench.knows(posted(until=START))
    bench.alertmanager.down = down

    with pytest.raises(TemporaryError) if down else nullcontext():
        bench.reconciler.round()

    (delivery,) = bench.inbox
    assert (delivery.group_key, delivery.alerts[0].ends_at) == (Finding.EXPIRED, START)


def test_without_an_alertmanager_only_posted_alerts_are_looked_after(bench: Bench) -> None:
    bench.knows(posted(until=START), firing_here("f1"))

    assert bench.with_source(None).round() is None

    assert [one.alerts[0].fingerprint for one in bench.inbox] == ["posted"]
