"""What is written into the pager's records: notes, and how urgent its incident is.

Events can't say it (PagerDuty's Events API v2 knows neither), so it needs an API token;
without one nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.app.pager_notes import remember_note
from bot.app.retry import ask_again
from bot.domain.effects import SetUrgency, WriteNote
from bot.domain.errors import TemporaryError
from bot.domain.incident import Incident
from bot.domain.oncall import PagerIncident, PagerStatus, Urgency
from bot.ports import Clock, PagerRecords, Store


class PagerAmendments:
    """Brings the pager's records up to date about an incident."""

    def __init__(
        self,
        store: Store,
        records: PagerRecords | None,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._jitter = jitter

    def set_urgency(self, effect: SetUrgency) -> None:
        """Make the pager's incident urgent if the level pages; nothing when it is over."""
        if self._records is not None:
            try:
                self._set_urgency(self._records, self._incident(effect))
            except TemporaryError as error:
                self._again(effect, error)

    def write_note(self, effect: WriteNote) -> None:
        """Write the note; it waits for the page, unless the incident is over before it."""
        if self._records is not None:
            try:
                self._write_note(self._records, self._incident(effect), effect.text)
            except TemporaryError as error:
                self._again(effect, error)

    def _set_urgency(self, records: PagerRecords, incident: Incident) -> None:
        if incident.state.over or not incident.severity.pages:
            return
        found = _held(records, incident)
        if found and found.status is not PagerStatus.RESOLVED and found.urgency is Urgency.LOW:
            records.set_urgency(found.id, high=True)

    def _write_note(self, records: PagerRecords, incident: Incident, text: str) -> None:
        found = _held(records, incident)
        if found is None:
            return
        note_id = records.add_note(found.id, text)
        with self._store.transaction() as tx:
            tx.match_pager(found.id, incident.id)
            remember_note(tx, incident, note_id, self._clock.now())

    def _incident(self, effect: SetUrgency | WriteNote) -> Incident:
        with self._store.read() as reader:
            return reader.incident(effect.incident_id)

    def _again(self, effect: SetUrgency | WriteNote, error: TemporaryError) -> None:
        with self._store.transaction() as tx:
            ask_again(tx, effect, error.retry_after, self._jitter())


def _held(records: PagerRecords, incident: Incident) -> PagerIncident | None:
    """The pager's incident; `TemporaryError` while its records may have it yet."""
    found = records.incident_of(incident.dedup_key)
    if found is None and not incident.state.over:
        raise TemporaryError(f"The pager's records don't have {incident.reference} yet.")
    return found
