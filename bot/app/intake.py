"""Intake: what lies in the inbox becomes incidents.

Rows are worked in by batches, one transaction a batch; a row that makes its batch fail
is tried alone, so that it holds up no other. Rows leave the inbox only after the
transaction that worked them in, and are recognised if they come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.app.pager_events import PagerEvents
from bot.app.record import open_incident, record_incident
from bot.domain import incident as incidents
from bot.domain.actor import ALERTMANAGER
from bot.domain.alert import Alert, AlertStatus, Delivery
from bot.domain.classify import Classification, Policy, classify
from bot.domain.dedup import Change, KnownAlert, Sorted, sort
from bot.domain.errors import InvalidInput, TemporaryError
from bot.domain.grouping import group_key, group_title
from bot.domain.incident import Incident
from bot.domain.incident_events import NAMED_ALERTS, AlertsChanged
from bot.domain.unreadable import unreadable
from bot.ports import Clock, Counters, Inbox, InboxRow, Source, Store, Transaction

BATCH = 64
"""Inbox rows a transaction; large enough that the commit's fsync is shared, small
enough that the write lock is held for milliseconds."""


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """How what was received is read and judged."""

    parse: Callable[[bytes], Delivery]
    policy: Policy
    pager_events: PagerEvents


class Intake:
    """Works in what was accepted."""

    def __init__(
        self, store: Store, inbox: Inbox, rules: IntakeRules, clock: Clock, counters: Counters
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._rules = rules
        self._clock = clock
        self._counters = counters

    def drain(self) -> int:
        """Work in one batch; returns how many rows that were (0: the inbox is empty)."""
        rows = self._inbox.read(BATCH)
        if rows:
            self._work_in(rows)
            self._inbox.remove([row.id for row in rows])
        return len(rows)

    def _work_in(self, rows: Sequence[InboxRow]) -> None:
        try:
            self._commit(rows, self._read)
        except TemporaryError:
            raise
        except Exception as error:
            if len(rows) > 1:
                for row in rows:
                    self._work_in([row])
                return
            problem = f"Working it in failed: {error!r}"
            self._commit(
                rows, lambda tx, _row, now: self._apply(tx, unreadable(problem, now), now, now)
            )

    def _commit(
        self, rows: Sequence[InboxRow], work: Callable[[Transaction, InboxRow, datetime], None]
    ) -> None:
        now = self._clock.now()
        with self._store.transaction() as tx:
            for row in rows:
                # The time is part of the key: a new inbox file counts from 1 again.
                if tx.first_time(f"inbox:{row.id}:{row.received_at}", now):
                    work(tx, row, now)

    def _read(self, tx: Transaction, row: InboxRow, now: datetime) -> None:
        if row.source == Source.PAGERDUTY:
            reason = self._rules.pager_events.apply(tx, row.body, now)
            self._counters.count("pager_events", reason=reason.value)
            return
        try:
            delivery = self._rules.parse(row.body)
        except InvalidInput as problem:
            delivery = unreadable(str(problem), now)
        self._apply(tx, delivery, datetime.fromtimestamp(row.received_at, UTC), now)

    def _apply(
        self, tx: Transaction, delivery: Delivery, received_at: datetime, now: datetime
    ) -> None:
        known = tx.known_alerts([alert.fingerprint for alert in delivery.alerts])
        found = sort(delivery.alerts, known, group_key, received_at)
        for news, number in found.news.items():
            self._counters.count("alerts", number, news=news.value)
        tx.save_alerts([KnownAlert(alert, None) for alert in found.homeless])
        _revive(tx, found)
        for key, alerts in found.fired.items():
            home = self._home(tx, key, alerts, now)
            found.known.setdefault(home.id, Change()).fired.extend(alerts)
        unseen = delivery.truncated_alerts if delivery.status is AlertStatus.FIRING else 0
        for incident_id, change in found.known.items():
            self._update(tx, tx.incident(incident_id), change, unseen, now)

    def _home(self, tx: Transaction, key: str, alerts: Sequence[Alert], now: datetime) -> Incident:
        """The incident that these firing alerts belong to; opened if there is none."""
        latest = tx.latest_incident(key)
        if latest is not None and incidents.rejoins(latest, now):
            return latest
        first = alerts[0]
        opening = incidents.opening(
            key, group_title(first.labels), first.summary, self._worst(alerts), now
        )
        self._counters.count("incidents", 1, severity=opening[0].classification.level.value)
        return open_incident(tx, opening, ALERTMANAGER, now)

    def _update(
        self, tx: Transaction, incident: Incident, change: Change, unseen: int, now: datetime
    ) -> None:
        tx.save_alerts([KnownAlert(alert, incident.id) for alert in change.everything()])
        if not (change.fired or change.resolved):
            return
        changed = AlertsChanged(
            fired=_names(change.fired),
            fired_count=len(change.fired),
            resolved=_names(change.resolved),
            resolved_count=len(change.resolved),
            firing=tx.count_firing(incident.id),
            unseen=unseen,
        )
        worst = self._worst(change.fired) if change.fired else None
        record_incident(
            tx, incident, incidents.receive(incident, changed, worst), ALERTMANAGER, now
        )

    def _worst(self, alerts: Sequence[Alert]) -> Classification:
        judged = (classify(self._rules.policy, one.labels, one.annotations) for one in alerts)
        return min(judged, key=lambda classification: classification.level.value)


def _revive(tx: Transaction, found: Sorted) -> None:
    """What fires anew while its incident is over has fired: nobody is on it.

    Its resolution may never have come: Alertmanager's `send_resolved` can be off.
    """
    for incident_id, change in found.known.items():
        if change.restarted and tx.incident(incident_id).state.over:
            for alert in change.restarted:
                found.fired.setdefault(group_key(alert.labels), []).append(alert)
            change.restarted = []


def _names(alerts: Sequence[Alert]) -> tuple[str, ...]:
    """What tells these alerts apart, for people: the summaries of the first few."""
    return tuple(alert.summary for alert in alerts[:NAMED_ALERTS])
