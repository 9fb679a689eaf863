"""Upkeep: what an incident needs later, without anything having been received."""

from __future__ import annotations

from collections.abc import Callable

from bot.app.deliveries import REVIEW_EVERY
from bot.app.judging import Judge
from bot.app.record import record_incident
from bot.domain import incident as incidents
from bot.domain.actor import TOCSIN
from bot.domain.effects import ReviewSeverity, SettleIncident
from bot.ports import Clock, Store


class Upkeep:
    """Resolves what has stayed quiet, and raises what the facts have made worse."""

    def __init__(self, store: Store, judges: Callable[[], Judge], clock: Clock) -> None:
        """`judges` makes one for each review: the facts that one has asked for are its own."""
        self._store = store
        self._judges = judges
        self._clock = clock

    def settle(self, effect: SettleIncident) -> None:
        """Resolve the incident if it has been quiet for as long as it had to be."""
        now = self._clock.now()
        with self._store.transaction() as tx:
            incident = tx.incident(effect.incident_id)
            events = incidents.settle(incident, now)
            if events:
                record_incident(tx, incident, events, TOCSIN, now)
            elif incident.quiet_until is not None and not incident.state.over:
                tx.enqueue(effect, (incident.quiet_until - now).total_seconds())

    def review_severity(self, effect: ReviewSeverity) -> None:
        """Judge the incident's alerts by the facts of now; look again while it is open."""
        with self._store.read() as reader:
            firing = [one.alert for one in reader.firing_alerts(effect.incident_id)]
        judge = self._judges()
        asked = judge.prepare(firing)
        with self._store.transaction() as tx:
            tx.begin(effect)
            incident = tx.incident(effect.incident_id)
            if not asked or incident.state.over:
                return
            worst = judge.worst(firing, incident.firing, incident.flaps).classification
            events = incidents.raising(incident, worst)
            if events:
                record_incident(tx, incident, events, TOCSIN, self._clock.now())
            tx.enqueue(ReviewSeverity(effect.incident_id), REVIEW_EVERY)
