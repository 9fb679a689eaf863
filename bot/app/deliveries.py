"""Deliveries: what one delivery of alerts changes, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app import suppression
from bot.app.homes import Homes
from bot.app.judging import Judge
from bot.app.record import record_incident
from bot.domain import incident as incidents
from bot.domain.actor import ALERTMANAGER
from bot.domain.alert import Alert, AlertGroup, AlertStatus, Delivery, group_of
from bot.domain.backtest import Occurrence
from bot.domain.dedup import Change, KnownAlert, Sorted, sort
from bot.domain.effects import ReviewSeverity
from bot.domain.heartbeat import Beat, beat_of, missing_alert
from bot.domain.incident import Incident
from bot.domain.incident_events import NAMED_ALERTS, AlertsChanged, IncidentEvent
from bot.domain.routing import RoutingPolicy
from bot.ports import Counters, Source, Transaction

REVIEW_EVERY = 60.0
"""Seconds between two looks at the facts that an open incident's level depends on."""

_NOTES = {Source.RECONCILE: "Learned by asking Alertmanager; no webhook told it."}
"""How it was learned, where that is worth saying."""


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery, how it came and when."""

    delivery: Delivery
    source: Source
    at: datetime

    @property
    def origin(self) -> str | None:
        """The Alertmanager that it comes from, if it comes from one."""
        if self.source in (Source.ALERTMANAGER, Source.RECONCILE):
            return self.delivery.external_url
        return None

    @property
    def group(self) -> AlertGroup:
        """The group that it tells of."""
        return group_of(self.delivery, self.at)


class Deliveries:
    """Works deliveries in, by the rules in force."""

    def __init__(
        self, judge: Judge, routing: Callable[[], RoutingPolicy], counters: Counters
    ) -> None:
        self.judge = judge
        self._routing = routing
        self._counters = counters

    def apply(self, tx: Transaction, received: Received, now: datetime) -> None:
        """Write down what the delivery changes, and what follows from it."""
        routing = self._routing()
        homes = Homes(tx, routing, self._counters, now)
        _Work(tx, self.judge, routing, homes, now).take(received, self._counters)


@dataclass(frozen=True, slots=True)
class _Work:
    """One delivery being worked in."""

    tx: Transaction
    judge: Judge
    routing: RoutingPolicy
    homes: Homes
    now: datetime

    def take(self, received: Received, counters: Counters) -> None:
        alerts = self._without_beats(received)
        known = self.tx.known_alerts([alert.fingerprint for alert in alerts])
        self.homes.expect(alerts)
        found = sort(alerts, known, self.homes.key, received.at)
        for news, number in found.news.items():
            counters.count("alerts", number, news=news.value)
        self.tx.save_alerts([KnownAlert(one, None, received.origin) for one in found.homeless])
        unseen = self._unseen(received)
        self._revive(found)
        self._settle(found)
        for incident_id, change in found.known.items():
            self._update(self.tx.incident(incident_id), change, received, unseen)

    def _without_beats(self, received: Received) -> Sequence[Alert]:
        """Note the heartbeats; returns the other alerts, and the end of a silence."""
        others: list[Alert] = []
        for alert in received.delivery.alerts:
            beat = beat_of(self.routing.heartbeats, alert.labels, received.at)
            if beat is None:
                others.append(alert)
            elif alert.status is AlertStatus.FIRING:
                others.extend(self._beaten(beat))
        return others

    def _beaten(self, beat: Beat) -> Sequence[Alert]:
        before = next((one for one in self.tx.beats() if one.key == beat.key), None)
        self.tx.save_beat(beat)
        was_missing = before is not None and before.missing
        return [missing_alert(beat, self.now, AlertStatus.RESOLVED)] if was_missing else []

    def _revive(self, found: Sorted) -> None:
        """What fires anew while its incident is over has fired: nobody is on it.

        Its resolution may never have come: Alertmanager's `send_resolved` can be off.
        """
        for incident_id, change in found.known.items():
            if change.restarted and self.tx.incident(incident_id).state.over:
                for alert in change.restarted:
                    found.fired.setdefault(self.homes.key(alert.labels), []).append(alert)
                change.restarted = []

    def _settle(self, found: Sorted) -> None:
        """Find homes for what has fired, the worst first: it is paged first."""
        groups = [(self.judge.worst(alerts), key) for key, alerts in found.fired.items()]
        for worst, key in sorted(groups, key=lambda one: (one[0].rank, one[1])):
            alerts = found.fired[key]
            home = self.homes.home(key, worst, alerts)
            found.known.setdefault(home.id, Change()).fired.extend(alerts)
            self.tx.save_occurrences([self._occurrence(one, home.id) for one in alerts])

    def _occurrence(self, alert: Alert, incident_id: int) -> Occurrence:
        level = self.judge.judge(alert).classification.level
        return Occurrence(self.now, alert.labels, alert.annotations, level, incident_id)

    def _unseen(self, received: Received) -> int:
        """How many alerts Alertmanager left out when it last told of the group."""
        group = received.group
        if received.source is not Source.ALERTMANAGER:
            return 0
        known = self.tx.alert_group(group.key)
        if known is None or known.received_at <= group.received_at:
            self.tx.save_alert_groups([group])
            known = group
        return known.truncated_alerts if known.status is AlertStatus.FIRING else 0

    def _update(self, incident: Incident, change: Change, received: Received, unseen: int) -> None:
        self._save(change.everything(), incident, received)
        if change.fired or change.resolved:
            events = self._received(incident, change, _NOTES.get(received.source, ""), unseen)
        elif change.reworded:
            events = incidents.raising(incident, self.judge.worst(change.reworded).classification)
            self._save(change.reworded if events else (), incident, received)
        else:
            events = ()
        if events:
            incident = record_incident(self.tx, incident, events, ALERTMANAGER, self.now)
            incident = self.homes.relate(incident, change.fired)
            suppression.review(self.tx, incident, self.now)
            if self.judge.depends_on_facts(change.fired):
                self.tx.enqueue(ReviewSeverity(incident.id), REVIEW_EVERY)

    def _save(self, alerts: Sequence[Alert], incident: Incident, received: Received) -> None:
        self.tx.save_alerts([KnownAlert(one, incident.id, received.origin) for one in alerts])

    def _received(
        self, incident: Incident, change: Change, note: str, unseen: int
    ) -> tuple[IncidentEvent, ...]:
        changed = AlertsChanged(
            fired=_names(change.fired),
            fired_count=len(change.fired),
            resolved=_names(change.resolved),
            resolved_count=len(change.resolved),
            firing=self.tx.count_firing(incident.id),
            unseen=unseen,
            note=note,
        )
        heard = [*change.fired, *change.reworded]
        flaps = incidents.flaps_after(incident, changed)
        worst = self.judge.worst(heard, changed.firing, flaps).classification if heard else None
        return incidents.receive(incident, changed, worst, self.routing.flapping, self.now)


def _names(alerts: Sequence[Alert]) -> tuple[str, ...]:
    """What tells these alerts apart, for people: the summaries of the first few."""
    return tuple(alert.summary for alert in alerts[:NAMED_ALERTS])
