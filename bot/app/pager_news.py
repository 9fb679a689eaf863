"""What the pager's own records say of an incident: that its page stands, what people did there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.app.record import record_incident
from bot.domain.actor import TOCSIN, Actor, ActorKind
from bot.domain.errors import IllegalTransition, TocsinError
from bot.domain.incident import Command, Incident, IncidentState, decide
from bot.domain.oncall import PagerActionKind, PagerIncident, PagerStatus, Person
from bot.domain.page_events import PageConfirmed
from bot.domain.page_guard import CLOCK_SKEW
from bot.ports import Clock, PagerRecords, Store

ASK_EVERY = timedelta(seconds=15)
"""Between two questions whether a page stands."""

ASK_AGAIN = timedelta(seconds=60)
"""Between two questions about a page that is confirmed: what people did at the pager and
no webhook told is noticed within this time."""

ASKED = "by PagerDuty, when asked"
"""How a page was confirmed that its records hold."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a person did at the pager."""

    command: Command
    actor: Actor


class PagerNews:
    """Asks the pager's records about incidents, and does here what people did there."""

    def __init__(self, store: Store, records: PagerRecords, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._asked: dict[int, datetime] = {}
        """When it was asked about incidents lately; a restart may ask once more."""

    def due(self, incident: Incident, now: datetime) -> bool:
        """Whether it is time to ask about the incident."""
        unsure = incident.calling is not None and not incident.calling.confirmed_by
        asked = self._asked.get(incident.id)
        lately = asked is not None and abs(now - asked) < (ASK_EVERY if unsure else ASK_AGAIN)
        return incident.page is not None and not lately

    def take(self, incident: Incident) -> None:
        """Ask, and write down what is new; where the pager can't be asked, nothing is."""
        now = self._clock.now()
        lately = {key: at for key, at in self._asked.items() if abs(now - at) < ASK_AGAIN}
        self._asked = {**lately, incident.id: now}
        try:
            found = self._records.incident_of(incident.dedup_key)
            done = done_by_people(self._records, found, incident)
        except TocsinError:
            return
        if incident.calling is not None and confirms(found, incident.calling.since):
            self._confirm(incident.id, incident.calling.since)
        for one in done:
            self._do(incident.id, one)

    def _confirm(self, incident_id: int, since: datetime) -> None:
        """The page stands that was asked about, if it is still the one that is needed."""
        with self._store.transaction() as tx:
            current = tx.incident(incident_id)
            calling = current.calling
            if calling is not None and calling.since == since and not calling.confirmed_by:
                record_incident(tx, current, (PageConfirmed(ASKED),), TOCSIN, self._clock.now())

    def _do(self, incident_id: int, done: Done) -> None:
        with self._store.transaction() as tx, suppress(IllegalTransition):
            current = tx.incident(incident_id)
            events = decide(current, done.command)
            record_incident(tx, current, events, done.actor, self._clock.now())


def confirms(found: PagerIncident | None, since: datetime) -> bool:
    """Whether these records show that the page which has been needed since then stands.

    One that is acknowledged there wakes nobody: a person did that, whom we hear of
    otherwise, or we did, before it was given back.
    """
    if found is None or found.status is not PagerStatus.TRIGGERED:
        return False
    # The same key may have an incident of last night's, which nobody resolved there.
    return max(found.last_status_change_at, found.created_at) >= since - CLOCK_SKEW


def done_by_people(
    records: PagerRecords, found: PagerIncident | None, incident: Incident
) -> Sequence[Done]:
    """What people did there, and the incident does not know; asks for the log only if need be."""
    if found is None:
        return ()
    since = incident.calling.since if incident.calling else incident.acknowledged_at
    since = since or incident.opened_at
    if found.status is PagerStatus.ACKNOWLEDGED and incident.state is IncidentState.TRIGGERED:
        acknowledged = [one.by for one in found.acknowledgements if one.by and one.at >= since]
        return [Done(Command.ACKNOWLEDGE, _actor(by)) for by in acknowledged[:1]]
    if found.status is PagerStatus.RESOLVED and not incident.state.over:
        log = records.log_entries(found.id, since)
        resolved = [one.by for one in log if one.kind is PagerActionKind.RESOLVED and one.by]
        return [Done(Command.RESOLVE, _actor(by)) for by in resolved[-1:]]
    return ()


def _actor(person: Person) -> Actor:
    return Actor(ActorKind.PAGERDUTY, person.id, person.name or "PagerDuty")
