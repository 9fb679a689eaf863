"""The test of a page's whole way: from the inbox to its confirmation."""

from __future__ import annotations

from datetime import datetime

from bot.app.heartbeats import own
from bot.app.policies import Put
from bot.domain.incident import Incident
from bot.domain.synthetic_page import Arrival, arrival, synthetic_alert
from bot.ports import Clock, Store


class SyntheticPage:
    """One such test. `namespace` has to be one that no test had before.

    A test that another process may go on with says when it was `started_at`; None: now.
    """

    def __init__(
        self,
        store: Store,
        put: Put,
        clock: Clock,
        namespace: str,
        started_at: datetime | None = None,
    ) -> None:
        self._store = store
        self._put = put
        self._clock = clock
        self._alert = synthetic_alert(namespace, started_at or clock.now())

    def begin(self) -> None:
        """The alert fires."""
        self._put(own(self._alert))

    def incident(self) -> Incident | None:
        """The incident that has the alert, once there is one."""
        with self._store.read() as reader:
            known = reader.known_alerts([self._alert]).get(self._alert.fingerprint)
            if known is None or known.incident_id is None:
                return None
            return reader.incident(known.incident_id)

    def arrival(self) -> Arrival:
        """How far the page has come."""
        return arrival(self.incident(), self._alert)

    def end(self) -> None:
        """The alert is over, and with it its incident."""
        alert, now = self._alert, self._clock.now()
        self._put(own(synthetic_alert(alert.labels["namespace"], alert.starts_at, now)))
