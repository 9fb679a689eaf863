"""What deliveries of the same facts lead to, in whatever order, number and company they come.

Of a few alerts in two groups, each firing and ending several times as two Alertmanagers
tell it, all orders, repetitions and batches have to lead to the same: which alerts fire,
and which incidents are open. Two things are left out, because deliveries alone can't
tell them. All are received within `OVERTAKEN` of every end: what fires with its old start
long after its end is taken to fire again, by design. And of the level it is only said
between which two it lies: an alert whose end overtook its begin was never known to fire,
so it raised nothing, and nobody is woken by what is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from bot.adapters import database
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from bot.domain.alert import Alert, AlertStatus
from bot.domain.classify import Severity
from bot.domain.dedup import OVERTAKEN, KnownAlert
from bot.domain.errors import TemporaryError
from bot.domain.heartbeat import missing_alert
from bot.domain.incident import IncidentState
from bot.domain.incident_events import (
    AlertsChanged,
    PageAction,
    PageSent,
    Reopened,
    SeverityRaised,
)
from bot.ports import Reader, Source, Transaction
from tests.support.core import Core, ListInbox, ended, firing
from tests.support.databases import postgres_database, sqlite_database
from tests.support.effect_queue import QUEUE
from tests.support.examples import NOW

GROUPS: Mapping[str, Sequence[Alert]] = {
    "alertname=Latency": (
        firing("Latency", "P1", pod="a"),
        firing("Latency", "P2", pod="b"),
        firing("Latency", "P2", pod="c"),
    ),
    "alertname=Errors": (firing("Errors", "P0", pod="a"), firing("Errors", "P3", pod="b")),
}
"""The alerts by what their group's key ends with."""

ALERTS = [alert for group in GROUPS.values() for alert in group]
RECEIVED = NOW + timedelta(seconds=100)
"""When everything is received: after every end, and within `OVERTAKEN` of it."""

SLOW = settings.default.max_examples if settings.default else 100
FEW = settings(max_examples=max(1, SLOW // 3))
FEWER = settings(max_examples=max(1, SLOW // 10))


def moment(steps: int) -> datetime:
    return NOW + timedelta(seconds=20 * steps)


assert RECEIVED - moment(0) <= OVERTAKEN


@dataclass(frozen=True)
class Post:
    """A webhook, by which Alertmanager, and whether all that waits is worked in after it."""

    alerts: tuple[Alert, ...]
    member: int
    drain: bool


starts = st.integers(0, 3)
fires = st.builds(
    lambda alert, start: firing_at(alert, moment(start)), st.sampled_from(ALERTS), starts
)
ends = st.builds(
    lambda alert, start, lasts: ended(firing_at(alert, moment(start)), moment(start + lasts)),
    st.sampled_from(ALERTS),
    starts,
    st.integers(0, 1),
)
posts = st.builds(
    Post,
    st.lists(fires | ends, min_size=1, max_size=4).map(tuple),
    st.integers(1, 2),
    st.booleans(),
)
histories = st.lists(posts, min_size=1, max_size=7)


def firing_at(alert: Alert, at: datetime) -> Alert:
    return Alert(
        alert.fingerprint, AlertStatus.FIRING, alert.labels, alert.annotations, at
    )


def fires_in_the_end(told: Sequence[Alert]) -> bool:
    """Whether an alert with that life fires: some start is later than every end."""
    begun = [one.starts_at for one in told if one.status is AlertStatus.FIRING]
    over = [one.ends_at for one in told if one.ends_at is not None]
    return bool(begun) and (not over or max(begun) > max(over))


@dataclass(frozen=True)
class Expected:
    """What has to be so in the end; it looks at the set of what was told only."""

    firing: frozenset[str]
    told: frozenset[Alert]

    @classmethod
    def of(cls, history: Sequence[Post]) -> Expected:
        told = [alert for post in history for alert in post.alerts]
        lives: dict[str, list[Alert]] = {}
        for alert in told:
            lives.setdefault(alert.fingerprint, []).append(alert)
        firing_now = {name for name, life in lives.items() if fires_in_the_end(life)}
        return cls(frozenset(firing_now), frozenset())

    def levels(self, group: Sequence[Alert]) -> list[str]:
        return [one.labels["severity"] for one in group if one.fingerprint in self.firing]


def deliver(core: Core, history: Sequence[Post], work: Callable[[], None]) -> None:
    for post in history:
        member = f"http://alertmanager-{post.member}.example"
        core.post(*post.alerts, at=RECEIVED, external_url=member)
        if post.drain:
            work()
    work()


def check_the_end(core: Core, history: Sequence[Post]) -> None:
    """What the set of deliveries demands, whatever their order was."""
    expected = Expected.of(history)
    with core.store.read() as reader:
        assert {one.alert.fingerprint for one in reader.firing_alerts()} == expected.firing
    for key, group in GROUPS.items():
        incidents = [one for one in core.incidents() if one.group_key.endswith(key)]
        assert len(incidents) <= 1
        levels = expected.levels(group)
        assert any(not one.state.over for one in incidents) is bool(levels)
        for one in incidents:
            ever = {alert.labels["severity"] for post in history for alert in post.alerts}
            assert one.firing == len(levels)
            assert one.severity.value in ever
            assert not levels or one.severity.value <= min(levels)


def check_the_pages(core: Core) -> None:
    """Nobody is woken twice for one thing, and no page stands for what is over."""
    for one in core.incidents():
        events = core.events(one.id)
        reopened = sum(isinstance(event, Reopened) for event in events)
        raised = sum(isinstance(event, SeverityRaised) for event in events)
        triggers = sum(
            isinstance(event, PageSent) and event.action is PageAction.TRIGGER for event in events
        )
        assert core.pager.pages[one.dedup_key] <= 1 + reopened
        assert triggers <= 1 + reopened + raised
        stands = one.state is IncidentState.TRIGGERED and one.severity.pages
        assert (one.dedup_key in core.pager.open) is stands


@contextmanager
def sqlite_core() -> Iterator[Core]:
    with TemporaryDirectory() as folder:
        engine = database.create(sqlite_database(Path(folder)))
        core = Core(engine)
        core.clock.advance((RECEIVED - core.clock.now()).total_seconds())
        yield core
        engine.dispose()


def check_any_order(cores: AbstractContextManager[Core], history: Sequence[Post]) -> None:
    with cores as core:
        deliver(core, history, lambda: (core.drain(), core.fast_forward())[0])
        core.fast_forward(hours=1)
        check_the_end(core, history)
        check_the_pages(core)


@FEW
@given(histories)
def test_only_the_set_of_deliveries_decides(history: list[Post]) -> None:
    check_any_order(sqlite_core(), history)
