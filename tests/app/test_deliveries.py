"""What deliveries of the same facts lead to, in whatever order, number and company they come.

Of a few alerts in two groups, each firing and ending several times as two Alertmanagers
tell it, all orders, repetitions and batches have to lead to the same: which alerts fire,
and which incidents are open. Two things are left out, because deliveries alone can't
tell them. All are received within `OVERTAKEN` of each other, and long after they happened:
what fires with its old start long after its end was told is taken to fire again, by design.
And of an incident's level it is only said between which two it lies: an alert whose end
overtook its begin was never known to fire, so it raised nothing, and nobody is woken by
what is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from bot.adapters import database
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from bot.app.deliveries import COUNTED
from bot.app.record import record_incident
from bot.domain.alert import Alert, AlertStatus
from bot.domain.errors import TemporaryError
from bot.domain.incident import Command, Incident, IncidentState, decide
from bot.domain.incident_events import IncidentOpened, Reopened, SeverityRaised
from bot.domain.page_events import PageAction, PageSent
from bot.ports import InboxRow, Transaction
from tests.support.core import Core, ListInbox, ended, firing
from tests.support.databases import postgres_database, sqlite_database
from tests.support.effect_queue import QUEUE
from tests.support.examples import ANA, NOW
from tests.support.stores import empty

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

EXAMPLES = settings.default.max_examples if settings.default else 100
FEW, FEWER = (settings(max_examples=max(1, EXAMPLES // part)) for part in (4, 10))


def moment(step: int) -> datetime:
    return NOW + timedelta(seconds=20 * step)


RECEIVED = NOW + timedelta(days=300)


@dataclass(frozen=True)
class Post:
    """A webhook, by which Alertmanager, and whether all that waits is worked in after it."""

    alerts: tuple[Alert, ...]
    member: int
    drain: bool


def fires(alert: Alert, start: int) -> Alert:
    return replace(alert, starts_at=moment(start))


def ends(alert: Alert, start: int, lasts: int) -> Alert:
    return ended(fires(alert, start), moment(start + lasts))


one_alert, starts = st.sampled_from(ALERTS), st.integers(0, 3)
told = st.builds(fires, one_alert, starts) | st.builds(ends, one_alert, starts, st.integers(0, 1))
posts = st.builds(
    Post, st.lists(told, min_size=1, max_size=4).map(tuple), st.integers(1, 2), st.booleans()
)


@st.composite
def histories(draw: st.DrawFn) -> list[Post]:
    """Some webhooks, some of them again, in any order."""
    some = draw(st.lists(posts, min_size=1, max_size=5))
    again = draw(st.lists(st.sampled_from(some), max_size=3))
    return draw(st.permutations([*some, *again]))


# What the set of deliveries demands


def fires_in_the_end(alert: Alert, history: Sequence[Post]) -> bool:
    """Whether some start of it is later than every end."""
    life = [one for one in everything(history) if one.fingerprint == alert.fingerprint]
    begun = [one.starts_at for one in life if one.status is AlertStatus.FIRING]
    over = [one.ends_at for one in life if one.ends_at is not None]
    return bool(begun) and (not over or max(begun) > max(over))


def everything(history: Sequence[Post]) -> list[Alert]:
    return [alert for post in history for alert in post.alerts]


def level(alert: Alert) -> str:
    return alert.labels["severity"]


def check_the_end(core: Core, history: Sequence[Post]) -> None:
    fire = {one.fingerprint for one in ALERTS if fires_in_the_end(one, history)}
    with core.store.read() as reader:
        assert {one.alert.fingerprint for one in reader.firing_alerts()} == fire
    for key, group in GROUPS.items():
        incidents = [one for one in core.incidents() if one.group_key.endswith(key)]
        still = [level(one) for one in group if one.fingerprint in fire]
        assert len(incidents) <= 1
        assert any(not one.state.over for one in incidents) is bool(still)
        for one in incidents:
            heard = [level(alert) for alert in everything(history) if alert.labels in labels(group)]
            assert one.firing == len(still)
            assert min(heard) <= one.severity.value <= min(still, default="P3")


def labels(group: Sequence[Alert]) -> list[Mapping[str, str]]:
    return [one.labels for one in group]


def check_the_pages(core: Core) -> None:
    """Nobody is woken twice for one thing, and no page stands for what is over."""
    for one in core.incidents():
        assert core.pager.pages[one.dedup_key] <= openings(core, one)
        assert triggers(core, one) <= openings(core, one) + raised(core, one)
        stands = one.state is IncidentState.TRIGGERED and one.severity.pages
        assert (one.dedup_key in core.pager.open) is stands


def openings(core: Core, incident: Incident) -> int:
    return sum(isinstance(one, IncidentOpened | Reopened) for one in core.events(incident.id))


def raised(core: Core, incident: Incident) -> int:
    return sum(isinstance(one, SeverityRaised) for one in core.events(incident.id))


def triggers(core: Core, incident: Incident) -> int:
    sent = [one for one in core.events(incident.id) if isinstance(one, PageSent)]
    return sum(one.action is PageAction.TRIGGER for one in sent)


# On a database that works


@contextmanager
def core_on(engine: Engine) -> Iterator[Core]:
    core = Core(engine)
    core.clock.advance((RECEIVED - core.clock.now()).total_seconds())
    yield core
    engine.dispose()


@contextmanager
def sqlite_core() -> Iterator[Core]:
    with (
        TemporaryDirectory() as folder,
        core_on(database.create(sqlite_database(Path(folder)))) as core,
    ):
        yield core


def live_through(core: Core, history: Sequence[Post]) -> None:
    for post in history:
        core.post(*post.alerts, external_url=f"http://alertmanager-{post.member}.example")
        if post.drain:
            core.drain()
            core.fast_forward()
    core.drain()
    core.fast_forward(hours=1)


@FEW
@given(histories())
def test_only_the_set_of_deliveries_decides(history: list[Post]) -> None:
    with sqlite_core() as core:
        live_through(core, history)
        check_the_end(core, history)
        check_the_pages(core)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres_database() as url:
        engine = database.create(url)
        migrate(engine)
        engine.dispose()
        yield url


@FEWER
@given(histories())
def test_only_the_set_decides_on_postgresql_too(postgres_url: str, history: list[Post]) -> None:
    engine = database.create(postgres_url)
    empty(engine)
    QUEUE.drop(engine, checkfirst=True)
    with core_on(engine) as core:
        live_through(core, history)
        check_the_end(core, history)
        check_the_pages(core)


@FEWER
@given(st.permutations(ALERTS), st.data())
def test_what_only_fires_pages_once_however_often_it_is_told(
    order: list[Alert], data: st.DataObject
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(ALERTS), max_size=5))
    history = [
        Post((alert,), member, data.draw(st.booleans()))
        for alert in (*order, *repeated)
        for member in (1, 2)
    ]
    with sqlite_core() as core:
        live_through(core, history)
        assert sorted(core.pager.pages.values()) == [1, 1]
        assert [one.severity.value for one in core.incidents()] in (["P0", "P1"], ["P1", "P0"])


# On a database that fails


def fail_perhaps(chance: Random) -> None:
    if chance.random() < 0.3:
        raise TemporaryError("The database did not take it: disk full")


class UnreliableStore:
    """The store of a database that fails before a transaction, within it, or after its commit."""

    def __init__(self, store: SqlStore, chance: Random) -> None:
        self.read = store.read
        self._store = store
        self._chance = chance

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        fail_perhaps(self._chance)
        with self._store.transaction() as tx:
            yield tx
            fail_perhaps(self._chance)
        fail_perhaps(self._chance)


class UnreliableInbox:
    """An inbox that can't be read now and then, and does not always say what it removed."""

    def __init__(self, inbox: ListInbox, chance: Random) -> None:
        self._inbox = inbox
        self._chance = chance

    def read(self, limit: int, besides: Sequence[int] = ()) -> Sequence[InboxRow]:
        fail_perhaps(self._chance)
        return self._inbox.read(limit, besides)

    def remove(self, ids: Sequence[int]) -> None:
        fail_perhaps(self._chance)
        self._inbox.remove(ids)
        fail_perhaps(self._chance)


PATIENT = 500
"""Tries after which an inbox must be empty; three in ten fail at each of five places."""


def work_off(core: Core, chance: Random) -> None:
    """Until nothing waits; whatever fails is tried again, now and then by a new process."""
    store, inbox = UnreliableStore(core.store, chance), UnreliableInbox(core.inbox, chance)
    intake = core.intake_on(store, inbox)
    for _ in range(PATIENT):
        if not core.inbox.rows:
            return
        if chance.random() < 0.2:
            intake = core.intake_on(store, inbox)
        with suppress(TemporaryError):
            intake.drain()
    raise AssertionError(f"never worked in: {core.inbox.rows}")


@FEW
@given(histories(), st.integers(0, 2**32))
def test_nothing_accepted_is_lost_or_done_twice_while_the_database_fails(
    history: list[Post], seed: int
) -> None:
    chance = Random(seed)
    with sqlite_core() as core:
        for post in history:
            core.post(*post.alerts, external_url=f"http://alertmanager-{post.member}.example")
            if post.drain:
                work_off(core, chance)
        work_off(core, chance)
        core.fast_forward(hours=1)
        check_the_end(core, history)
        check_the_pages(core)


# Very many in one incident


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[tuple[Core, Sequence[Alert]]]:
    """More alerts fire in one incident than are counted."""
    engine = database.create(sqlite_database(tmp_path))
    core = Core(engine)
    alerts = [firing("Latency", "P3", pod=str(number)) for number in range(COUNTED + 100)]
    core.deliver(*alerts)
    yield core, alerts
    engine.dispose()


def test_how_many_fire_is_known_of_very_many(crowded: tuple[Core, Sequence[Alert]]) -> None:
    core, alerts = crowded
    core.deliver(*alerts[:50], firing("Latency", "P3", pod="another"))
    assert core.incident().firing == COUNTED + 101
    core.deliver(*(ended(one, NOW) for one in alerts[:50]))
    assert core.incident().firing == COUNTED + 51


def test_very_many_that_begin_anew_after_a_person_resolved_are_counted_once(
    crowded: tuple[Core, Sequence[Alert]],
) -> None:
    core, alerts = crowded
    with core.store.transaction() as tx:
        record_incident(tx, core.incident(), decide(core.incident(), Command.RESOLVE), ANA, NOW)
    core.deliver(*(replace(one, starts_at=NOW + timedelta(minutes=1)) for one in alerts))
    assert core.incident().state is IncidentState.TRIGGERED
    assert core.incident().firing == COUNTED + 100
