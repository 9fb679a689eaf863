"""Heartbeats: says when one that always came has stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.app.deliveries import Deliveries, Received
from bot.domain.alert import Alert, AlertStatus, Delivery
from bot.domain.heartbeat import missing_alert, review
from bot.ports import Clock, Source, Store


class Heartbeats:
    """Watches over the dead man's switches."""

    def __init__(self, store: Store, deliveries: Deliveries, clock: Clock) -> None:
        """What was silent before now had nobody to hear it."""
        self._store = store
        self._deliveries = deliveries
        self._clock = clock
        self._up_since = clock.now()

    def put_back(self, by: timedelta) -> None:
        """The clock was put back by so much."""
        self._up_since -= by

    def look(self) -> None:
        """Open an incident for each heartbeat that has gone silent since the last look."""
        now = self._clock.now()
        with self._store.read() as reader:
            silent = review(reader.beats(), now, self._up_since)
        if not silent:
            return
        with self._store.transaction() as tx:
            # One may have beaten in between.
            for beat in review(tx.beats(), now, self._up_since):
                tx.save_beat(replace(beat, missing=True))
                alert = missing_alert(beat, now, AlertStatus.FIRING)
                self._deliveries.apply(tx, Received(own(alert), Source.TOCSIN, now), now)


def own(alert: Alert) -> Delivery:
    """A delivery of one alert that Tocsin raises about itself or what it watches."""
    return Delivery("tocsin", alert.status, alert.name, {}, (alert,))
