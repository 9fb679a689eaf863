"""The core without vendors: the real store, intake and upkeep on a database; a test's own clock.

Severity is what the alert's label says (``severity=P1``), so that a test is about what
becomes of a level and not about a policy's words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from bot.adapters.clock import HeldClock
from bot.adapters.store import SqlStore
from bot.app.deliveries import Deliveries
from bot.app.facts import FactReader
from bot.app.intake import Intake, IntakeRules, Parse
from bot.app.judging import Judge
from bot.app.maintenance import WindowReview
from bot.app.page_delivery import PageDelivery
from bot.app.pager_events import PagerEvents
from bot.app.record import record_incident
from bot.app.upkeep import Upkeep
from bot.domain.alert import Alert, AlertStatus, Delivery
from bot.domain.classify import Policy, Rule, Severity
from bot.domain.effects import Effect, ReviewSeverity, ReviewWindow, SettleIncident, UpdatePage
from bot.domain.incident import Incident, override
from bot.domain.matcher import Matcher, Operator, Place
from bot.domain.page import Page
from bot.domain.routing import RoutingPolicy
from bot.domain.timeline import Event
from bot.ports import Inbox, InboxRow, Metrics, Source, Store
from tests.support.clock import FakeClock
from tests.support.effect_queue import EffectQueue
from tests.support.examples import ANA, NOW, PAGER_EVENT


def _by_label(level: Severity) -> Rule:
    matcher = Matcher(Place.LABEL, "severity", Operator.EQUAL, level.value)
    return Rule(f"label-{level.value}", level, "Its label says so.", (matcher,))


POLICY = Policy(tuple(map(_by_label, Severity)), Severity.P1, "digest")


UNKNOWN_EVENT = replace(PAGER_EVENT, event_type="service.updated", incident_id="")
"""What all that the pager says is taken for here."""


@dataclass
class Row:
    """Implements `InboxRow`."""

    id: int
    body: bytes
    source: str = Source.ALERTMANAGER
    received_at: float = NOW.timestamp()


@dataclass
class ListInbox:
    """Implements the `Inbox` port on a list."""

    rows: list[Row] = field(default_factory=list)

    def read(self, limit: int, besides: Sequence[int] = ()) -> Sequence[InboxRow]:
        return [row for row in self.rows if row.id not in besides][:limit]

    def remove(self, ids: Sequence[int]) -> None:
        self.rows = [row for row in self.rows if row.id not in ids]


class Counts:
    """Implements the `Counters` port."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        self.counted[" ".join([name, *labels.values()])] += number


class FakePager:
    """Implements the `Pager` port as PagerDuty does: a trigger of what is open is no other page."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.pages: Counter[str] = Counter()
        """How often somebody was woken, by key."""

    def trigger(self, page: Page) -> None:
        if page.dedup_key not in self.open:
            self.pages[page.dedup_key] += 1
        self.open.add(page.dedup_key)

    def acknowledge(self, dedup_key: str) -> None:
        pass

    def resolve(self, dedup_key: str) -> None:
        self.open.discard(dedup_key)


class Core:
    """Intake and upkeep on `engine`; `store` may be another one on the same engine."""

    def __init__(
        self,
        engine: Engine,
        *,
        policy: Policy = POLICY,
        routing: RoutingPolicy | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.clock = FakeClock(NOW)
        self.held = HeldClock(self.clock.now, self.clock.steady)
        self.queue = EffectQueue(engine, self.clock)
        self.store = SqlStore(engine, self.queue.enqueue)
        self.policy = policy
        self.routing = routing or RoutingPolicy()
        self.counts, self.inbox, self.pager = Counts(), ListInbox(), FakePager()
        facts = FactReader(metrics, self.held)

        def judge() -> Judge:
            return Judge(lambda: self.policy, facts)

        self.deliveries = Deliveries(judge(), lambda: self.routing, self.counts)
        self.upkeep = Upkeep(self.store, judge, self.held)
        self.windows = WindowReview(self.store, None, self.held, lambda: 1.0)
        self.page_delivery = PageDelivery(self.store, self.pager, self.held, lambda: 1.0)
        self._posted: list[Delivery] = []
        self.intake = self.intake_on(self.store, self.inbox)

    def intake_on(self, store: Store, inbox: Inbox) -> Intake:
        """Another intake, as after a start."""
        parsers: dict[Source, Parse] = dict.fromkeys(Source, self._parse)
        rules = IntakeRules(
            parsers, self.deliveries, PagerEvents(lambda _body: UNKNOWN_EVENT, can_ask=False)
        )
        return Intake(store, inbox, rules, self.held, self.counts)

    def _parse(self, body: bytes, _received_at: datetime) -> Delivery:
        return self._posted[int(body)]

    # What comes in

    def post(
        self,
        *alerts: Alert,
        source: Source = Source.ALERTMANAGER,
        at: datetime | None = None,
        **changes: object,
    ) -> None:
        """A delivery is accepted, and waits."""
        firing = any(one.status is AlertStatus.FIRING for one in alerts)
        status = AlertStatus.FIRING if firing else AlertStatus.RESOLVED
        given = {"external_url": "http://am-1.example", "status": status, **changes}
        self._posted.append(
            Delivery(receiver="tocsin", group_key="{}", group_labels={}, alerts=alerts, **given)  # type: ignore[arg-type]
        )
        body = str(len(self._posted) - 1).encode()
        received_at = (at or self.clock.now()).timestamp()
        self.inbox.rows.append(Row(len(self._posted), body, source, received_at))

    def deliver(self, *alerts: Alert, **changes: object) -> None:
        """A delivery is accepted and worked in."""
        self.post(*alerts, **changes)  # type: ignore[arg-type]
        self.drain()

    def drain(self) -> None:
        while self.intake.drain():
            pass

    def override(self, level: Severity) -> None:
        """Ana sets the level of incident 1 by hand."""
        with self.store.transaction() as tx:
            incident = tx.incident(1)
            events = override(incident, level, "Because.")
            record_incident(tx, incident, events, ANA, self.held.now())

    # Time passes

    def fast_forward(self, **time: float) -> None:
        """Let time pass; what becomes due is done at its time, except for chat."""
        until = self.clock.now() + timedelta(**time)
        while (due := self.queue.next_due(until)) is not None:
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            # A float of seconds, which may round a due time up.
            self.perform(self.queue.take(max(due, self.clock.now())))
        self.clock.advance((until - self.clock.now()).total_seconds())

    def perform(self, effect: Effect) -> None:
        match effect:
            case UpdatePage():
                self.page_delivery.update(effect)
            case SettleIncident():
                self.upkeep.settle(effect)
            case ReviewSeverity():
                self.upkeep.review_severity(effect)
            case ReviewWindow():
                self.windows.review(effect)

    # What came of it

    def incidents(self) -> list[Incident]:
        """Oldest first."""
        with self.store.read() as reader:
            return list(reversed(reader.incidents(limit=1_000)))

    def incident(self, incident_id: int = 1) -> Incident:
        with self.store.read() as reader:
            return reader.incident(incident_id)

    def events(self, incident_id: int = 1) -> list[Event]:
        with self.store.read() as reader:
            return [one.event for one in reader.recorded(incident_id=incident_id)]


def firing(name: str, level: str = "P1", *, at: datetime = NOW, **labels: str) -> Alert:
    """An alert that fires since then; its fingerprint is its labels' own."""
    all_labels = {"alertname": name, "severity": level, "service": "checkout", **labels}
    fingerprint = "/".join(f"{key}={value}" for key, value in sorted(all_labels.items()))
    summary = {"summary": f"{name} on {all_labels['service']}"}
    return Alert(fingerprint, AlertStatus.FIRING, all_labels, summary, at)


def ended(alert: Alert, at: datetime) -> Alert:
    """The same alert, over since then."""
    return Alert(
        alert.fingerprint,
        AlertStatus.RESOLVED,
        alert.labels,
        alert.annotations,
        alert.starts_at,
        at,
    )
