"""Deliveries: what one delivery of alerts changes, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app import suppression
from bot.app.homes import Homes
from bot.app.judging import Judge
from bot.app.record import record_incident
from bot.app.suggestions import Suggest, no_suggestions
from bot.domain import incident as incidents
from bot.domain.actor import ALERTMANAGER, TOCSIN
from bot.domain.alert import Alert, AlertGroup, AlertStatus, Delivery, group_of
from bot.domain.backtest import Occurrence
from bot.domain.dedup import Change, KnownAlert, News, Sorted, sort
from bot.domain.effects import ReviewSeverity
from bot.domain.expression import expression_of
from bot.domain.heartbeat import Beat, beat_of, missing_alert
from bot.domain.incident import Incident
from bot.domain.incident_events import NAMED_ALERTS, AlertsChanged, IncidentEvent
from bot.domain.reconcile import Finding
from bot.domain.routing import RoutingPolicy
from bot.ports import Counters, Source, Transaction

REVIEW_EVERY = 60.0
"""Seconds between two looks at the facts that an open incident's level depends on."""

REVIEW_SOON = 5.0
"""Seconds until the first look at facts for which a storm left no time."""

COUNTED = 1_000
"""Alerts that fire in one incident and are counted anew each time. Counting more takes as long
as there are, for every delivery."""


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
    def note(self) -> str:
        """How it was learned, where that is worth saying."""
        return Finding(self.delivery.group_key).note if self.source is Source.RECONCILE else ""

    @property
    def group(self) -> AlertGroup:
        """The group that it tells of."""
        return group_of(self.delivery, self.at)


class Deliveries:
    """Works deliveries in, by the rules in force."""

    def __init__(
        self,
        judge: Judge,
        routing: Callable[[], RoutingPolicy],
        counters: Counters,
        suggest: Suggest = no_suggestions,
    ) -> None:
        self.judge = judge
        self._suggest = suggest
        self._routing = routing
        self._counters = counters

    def apply(self, tx: Transaction, received: Received, now: datetime) -> None:
        """Write down what the delivery changes, and what follows from it."""
        routing = self._routing()
        homes = Homes(tx, routing, self._counters, now)
        found = _Work(tx, self.judge, self._suggest, routing, homes, received, now).take()
        for news, number in found.items():
            self._counters.count("alerts", number, news=news.value)


class _Work:
    """One delivery being worked in."""

    def __init__(
        self,
        tx: Transaction,
        judge: Judge,
        suggest: Suggest,
        routing: RoutingPolicy,
        homes: Homes,
        received: Received,
        now: datetime,
    ) -> None:
        self._tx = tx
        self._judge = judge
        self._suggest = suggest
        self._routing = routing
        self._homes = homes
        self._received = received
        self._now = now
        self._alerts = self._without_beats()
        self._known = tx.known_alerts(self._alerts)

    def take(self) -> Mapping[News, int]:
        """Do it; returns how many alerts there were of each kind of news."""
        self._homes.expect(self._alerts)
        found = sort(self._alerts, self._known, self._homes.key, self._received.at)
        self._save(found.homeless, None)
        unseen = self._unseen()
        self._revive(found)
        self._settle(found)
        for incident_id in sorted(found.known, key=lambda one: self._may_absorb(found.known[one])):
            self._update(self._tx.incident(incident_id), found.known[incident_id], unseen)
        return found.news

    def _may_absorb(self, change: Change) -> bool:
        """Those come last: what they absorb must have been brought up to date before."""
        return self._homes.are_parents(change.fired)

    def _without_beats(self) -> Sequence[Alert]:
        """Note the heartbeats; returns the other alerts, and the end of a silence."""
        others: list[Alert] = []
        for alert in self._received.delivery.alerts:
            beat = beat_of(self._routing.heartbeats, alert.labels, self._received.at)
            if beat is None:
                others.append(alert)
            elif alert.status is AlertStatus.FIRING:
                others.extend(self._beaten(beat))
        return others

    def _beaten(self, beat: Beat) -> Sequence[Alert]:
        before = next((one for one in self._tx.beats() if one.key == beat.key), None)
        self._tx.save_beat(beat)
        was_missing = before is not None and before.missing
        return [missing_alert(beat, self._now, AlertStatus.RESOLVED)] if was_missing else []

    def _unseen(self) -> int:
        """How many alerts Alertmanager left out when it last told of the group."""
        if self._received.source is not Source.ALERTMANAGER:
            return 0
        group = self._received.group
        known = self._tx.alert_group(group.key)
        if known is None or known.received_at <= group.received_at:
            self._tx.save_alert_groups([group])
            known = group
        return known.truncated_alerts if known.status is AlertStatus.FIRING else 0

    def _revive(self, found: Sorted) -> None:
        """What fires anew while its incident is over has fired: nobody is on it.

        Its resolution may never have come: Alertmanager's `send_resolved` can be off.
        """
        for incident_id, change in found.known.items():
            if change.restarted and self._tx.incident(incident_id).state.over:
                for alert in change.restarted:
                    found.fired.setdefault(self._homes.key(alert), []).append(alert)
                change.restarted = []

    def _settle(self, found: Sorted) -> None:
        """Find homes for what has fired, the worst first: it is paged first."""
        groups = [(self._judge.worst(alerts), key) for key, alerts in found.fired.items()]
        for worst, key in sorted(groups, key=lambda one: (one[0].rank, one[1])):
            alerts = found.fired[key]
            home = self._homes.home(key, worst, alerts)
            found.known.setdefault(home.id, Change()).fired.extend(alerts)
            self._tx.save_occurrences([self._occurrence(one, home.id) for one in alerts])

    def _occurrence(self, alert: Alert, incident_id: int) -> Occurrence:
        level = self._judge.judge(alert).classification.level
        expression = expression_of(alert.generator_url)
        return Occurrence(
            self._now, alert.labels, alert.annotations, level, incident_id, expression
        )

    def _update(self, incident: Incident, change: Change, unseen: int) -> None:
        self._save(change.everything(), incident.id)
        if change.fired or change.resolved:
            events = self._changed(incident, change, unseen)
        elif change.reworded:
            events = incidents.raising(incident, self._judge.worst(change.reworded).classification)
            self._save(change.reworded if events else (), incident.id)
        else:
            events = ()
        if events:
            incident = record_incident(self._tx, incident, events, ALERTMANAGER, self._now)
            incident = self._homes.relate(incident, change.fired)
            incident = suppression.review(self._tx, incident, self._homes.windows, self._now)
            suggested = self._suggest(incident, change.fired)
            if suggested:
                record_incident(self._tx, incident, suggested, TOCSIN, self._now)
            if self._judge.depends_on_facts(change.fired):
                wait = REVIEW_SOON if self._judge.has_put_off(change.fired) else REVIEW_EVERY
                self._tx.enqueue(ReviewSeverity(incident.id), wait)

    def _changed(
        self, incident: Incident, change: Change, unseen: int
    ) -> tuple[IncidentEvent, ...]:
        changed = AlertsChanged(
            fired=_names(change.fired),
            fired_count=len(change.fired),
            resolved=_names(change.resolved),
            resolved_count=len(change.resolved),
            firing=self._firing(incident, change),
            unseen=unseen,
            note=self._received.note,
        )
        heard = [*change.fired, *change.reworded]
        flaps = incidents.flaps_after(incident, changed)
        worst = self._judge.worst(heard, changed.firing, flaps).classification if heard else None
        return incidents.receive(incident, changed, worst, self._routing.flapping, self._now)

    def _firing(self, incident: Incident, change: Change) -> int:
        """How many fire in it now: counted where they are few, added up where they are many."""
        begun = sum(not self._fired_in(incident, alert) for alert in change.fired)
        firing = incident.firing + begun - len(change.resolved)
        return firing if firing > COUNTED else self._tx.count_firing(incident.id)

    def _fired_in(self, incident: Incident, alert: Alert) -> bool:
        known = self._known.get(alert.fingerprint)
        if known is None or known.incident_id != incident.id:
            return False
        return known.alert.status is AlertStatus.FIRING

    def _save(self, alerts: Sequence[Alert], incident_id: int | None) -> None:
        self._tx.save_alerts(
            [
                KnownAlert(alert, incident_id, self._origin(alert), self._received.at)
                for alert in alerts
            ]
        )

    def _origin(self, alert: Alert) -> str | None:
        """Whose the alert is: what asking brought to light leaves it whose it was."""
        known = self._known.get(alert.fingerprint)
        if self._received.source is Source.RECONCILE and known is not None:
            return known.origin
        return self._received.origin


def _names(alerts: Sequence[Alert]) -> tuple[str, ...]:
    """What tells these alerts apart, for people: the summaries of the first few."""
    return tuple(alert.summary for alert in alerts[:NAMED_ALERTS])
