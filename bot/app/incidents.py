"""What people do to incidents, and what they can ask about them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.app.pager_notes import note_text, reaches_pager
from bot.app.record import record_incident
from bot.domain.actor import Actor
from bot.domain.classify import Severity
from bot.domain.dedup import KnownAlert
from bot.domain.effects import WriteNote
from bot.domain.errors import InvalidInput
from bot.domain.incident import Command, Incident, IncidentState, decide, override
from bot.domain.incident_events import NoteAdded
from bot.domain.maintenance import Window
from bot.domain.timeline import Entry, entries
from bot.ports import Clock, Reader, Store

LONGEST_NOTE = 3000
"""Characters of a note; one Slack section holds as many."""

OPEN = (IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED)


class Incidents:
    """The use cases about one incident, and the list of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def command(self, incident_id: int, command: Command, actor: Actor) -> Incident:
        """Do it, or raise `NotFound` or `IllegalTransition` and change nothing."""
        with self._store.transaction() as tx:
            incident = tx.incident(incident_id)
            events = decide(incident, command)
            return record_incident(tx, incident, events, actor, self._clock.now())

    def override(
        self, incident_id: int, level: Severity, reason: str, actor: Actor
    ) -> tuple[Severity, Incident]:
        """Set the level by hand; returns what it was before, and the incident as it is now."""
        with self._store.transaction() as tx:
            incident = tx.incident(incident_id)
            events = override(incident, level, reason)
            after = record_incident(tx, incident, events, actor, self._clock.now())
        return incident.severity, after

    def note(self, incident_id: int, text: str, actor: Actor) -> Incident:
        """Write something down on the timeline, and at the pager if it pages."""
        if not text.strip():
            raise InvalidInput("The note is empty; write it after the incident's number.")
        if len(text) > LONGEST_NOTE:
            raise InvalidInput(f"The note is longer than {LONGEST_NOTE} characters; split it.")
        with self._store.transaction() as tx:
            incident = tx.incident(incident_id)
            if reaches_pager(incident):
                tx.enqueue(WriteNote(incident.id, note_text(incident, text, actor)))
            return record_incident(tx, incident, (NoteAdded(text),), actor, self._clock.now())

    def get(self, incident_id: int) -> Incident:
        """Raises `NotFound`."""
        with self._store.read() as reader:
            return reader.incident(incident_id)

    def with_window(self, incident_id: int) -> tuple[Incident, Window | None]:
        """The incident, and the maintenance window that suppresses it."""
        with self._store.read() as reader:
            incident = reader.incident(incident_id)
            return incident, suppressing_window(reader, incident)

    def newest(self, *, only_open: bool = False, limit: int = 50) -> Sequence[Incident]:
        """The newest incidents first."""
        with self._store.read() as reader:
            return reader.incidents(OPEN if only_open else None, limit)

    def alerts(self, incident_id: int | None = None, limit: int = 500) -> Sequence[KnownAlert]:
        """The alerts of one incident, or of all; the latest started first."""
        with self._store.read() as reader:
            return reader.alerts(incident_id, limit)

    def timeline(self, incident_id: int) -> tuple[Incident, Sequence[Entry]]:
        """The incident and its story, its runs' steps included."""
        with self._store.read() as reader:
            incident = reader.incident(incident_id)
            return incident, entries(reader.recorded(incident_id=incident_id))


def suppressing_window(reader: Reader, incident: Incident) -> Window | None:
    """The maintenance window that suppresses the incident, if one does."""
    return None if incident.suppressed_by is None else reader.window(incident.suppressed_by)
