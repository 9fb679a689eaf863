"""Whether intake gets slower with what is stored: the same alerts, few and very many before.

The worker's intake runs in this process, from the inbox to classified incidents, with as
many alerts in the store as it is to have: those of the storm's rules that fired before, for
all services of a large company. Each database is used several times, in turns.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.servers import REPOSITORY
from bench.storm import ALERTS, storm_webhook
from bot.adapters import database
from bot.adapters.alertmanager import parse_delivery
from bot.adapters.clock import SystemClock
from bot.adapters.durable import DurableQueue
from bot.adapters.inbox import Inbox
from bot.adapters.metrics import PrometheusCounters
from bot.adapters.pagerduty_webhook import parse_webhook
from bot.adapters.policy import load_policy
from bot.adapters.schema import migrate
from bot.adapters.store import SqlStore
from bot.app.deliveries import Deliveries
from bot.app.facts import FactReader
from bot.app.intake import Intake, IntakeRules
from bot.app.judging import Judge
from bot.app.pager_events import PagerEvents
from bot.domain.alert import Alert, AlertStatus
from bot.domain.dedup import KnownAlert
from bot.domain.routing import RoutingPolicy
from bot.ports import Source

FEW = 1_000
WARM_UP = 5
"""Rounds before the measured ones: a service that has run for a day has its index in memory."""

ROUNDS = 5
RULES, NAMESPACES, SERVICES = 50, 200, 5
"""Of what the stored alerts are; each namespace has as many services."""

WEBHOOKS = 20
"""A round's webhooks, of `ALERTS` alerts each."""

GOAL = 1.1
"""Times as long as with `FEW` alerts stored, at most."""

CHUNK = 10_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run(stored: int, folder: Path) -> dict[str, Any]:
    """Measure, print a line and return the figures."""
    few, many = _Bench(folder / "few.db", FEW), _Bench(folder / "many.db", stored)
    times: dict[_Bench, list[float]] = {few: [], many: []}
    for number in range(WARM_UP + ROUNDS):
        for bench in times:
            taken = bench.round(number)
            times[bench].extend([taken] if number >= WARM_UP else [])
    alerts = WEBHOOKS * ALERTS
    figures = {
        "stored": stored,
        "alerts_s_few": alerts / median(times[few]),
        "alerts_s_many": alerts / median(times[many]),
        "x_few": median(times[many]) / median(times[few]),
    }
    said = "met" if figures["x_few"] <= GOAL else "NOT MET"
    print(
        f"intake: {figures['alerts_s_many']:.0f} alerts/s with {stored} alerts stored,"
        f" {figures['alerts_s_few']:.0f} with {FEW}: {figures['x_few']:.2f} x the time"
        f" (goal: at most {GOAL}; {said})"
    )
    return figures


class _Bench:
    """An intake on a database of its own."""

    def __init__(self, file: Path, stored: int) -> None:
        url = f"sqlite:///{file}"
        engine = database.create(url)
        migrate(engine)
        store = SqlStore(engine, DurableQueue(engine).enqueue)
        _fill(store, stored)
        policy = load_policy(REPOSITORY / "policy" / "severity.yaml")
        clock, counters = SystemClock(), PrometheusCounters()
        judge = Judge(lambda: policy, FactReader(None, clock))
        deliveries = Deliveries(judge, RoutingPolicy, counters)
        parsers = {Source.ALERTMANAGER: lambda body, _at: parse_delivery(body)}
        rules = IntakeRules(parsers, deliveries, PagerEvents(parse_webhook, can_ask=False))
        self._inbox = Inbox(url)
        self._intake = Intake(store, self._inbox, rules, clock, counters)

    def round(self, number: int) -> float:
        """Seconds that one round's alerts take; they are new in every round."""
        for webhook in range(WEBHOOKS):
            self._inbox.put(Source.ALERTMANAGER, storm_webhook(number * WEBHOOKS + webhook))
        begun = time.perf_counter()
        while self._intake.drain():
            pass
        return time.perf_counter() - begun


def _fill(store: SqlStore, stored: int) -> None:
    for start in range(0, stored, CHUNK):
        with store.transaction() as tx:
            tx.save_alerts(list(_resolved(start, min(start + CHUNK, stored))))


def _resolved(start: int, end: int) -> Iterator[KnownAlert]:
    """Alerts that were resolved long ago, as large as the storm's; now this group's, now that's."""
    raw = json.loads(storm_webhook(0))["alerts"][0]
    for number in range(start, end):
        began = NOW - timedelta(seconds=number)
        service, rule = divmod(number, RULES)
        labels = raw["labels"] | {
            "alertname": f"StormPodCrashLooping{rule}",
            "namespace": f"shop-{service % NAMESPACES}",
            "service": f"api-{service // NAMESPACES % SERVICES}",
            "pod": f"pod-{number}",
        }
        # Fingerprints are spread evenly, as Alertmanager's hashes are.
        fingerprint = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
        annotations = raw["annotations"]
        alert = Alert(fingerprint, AlertStatus.RESOLVED, labels, annotations, began, began)
        yield KnownAlert(alert, None)
