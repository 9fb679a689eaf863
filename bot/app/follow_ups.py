"""Follow-ups, and the list of all that is left to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.app.record import record_incident
from bot.domain.actor import Actor
from bot.domain.follow_up import FollowUp, add, finish, reopen
from bot.domain.incident import Incident
from bot.domain.incident_events import IncidentEvent
from bot.domain.ticket_task import Task, in_order, open_tasks
from bot.ports import Clock, Store

LISTED = 500
"""Incidents of which something is left to do, the newest: more, nobody reads."""


class FollowUps:
    """What people do to follow-ups, and what they can ask about tickets."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(self, incident_id: int, text: str, actor: Actor) -> Incident:
        """Write it down as the incident's last. Raises `InvalidInput` and `NotFound`."""
        return self._record(incident_id, lambda known: (add(known, text),), actor)

    def mark(self, incident_id: int, number: int, actor: Actor, *, done: bool) -> Incident:
        """It is done, or is not; nothing happens where that is known. Raises `NotFound`."""
        decide = finish if done else reopen
        return self._record(incident_id, lambda known: decide(known, number), actor)

    def tickets(self) -> Sequence[Task]:
        """What is left to do, what is due first before what has no time."""
        with self._store.read() as reader:
            incidents = reader.with_open_tickets(LISTED)
        return in_order(task for incident in incidents for task in open_tasks(incident))

    def _record(
        self,
        incident_id: int,
        decide: Callable[[Sequence[FollowUp]], tuple[IncidentEvent, ...]],
        actor: Actor,
    ) -> Incident:
        with self._store.transaction() as tx:
            incident = tx.incident(incident_id)
            events = decide(incident.follow_ups)
            return record_incident(tx, incident, events, actor, self._clock.now())
