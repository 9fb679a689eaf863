"""Attendance: sees to it that somebody answers, for as long as an incident needs anybody.

Every few seconds it looks at the open incidents and asks for what is due: whether a page
stands, the next contact of the fallback chain, the next step of an escalation. All of it is
decided from what is written down, so a look that is late, lost or doubled changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from bot.app.contacts import Contacts
from bot.app.incidents import OPEN
from bot.app.pager_news import ASKED, confirms, done_by_people
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.attendance import escalation_state, overdue
from bot.domain.contact import Contact, Mention, PagerRoute, pagerduty, slack
from bot.domain.effects import Attend
from bot.domain.errors import IllegalTransition, PermanentError, TemporaryError, TocsinError
from bot.domain.escalation import EscalationAction, EscalationDecision, due
from bot.domain.incident import Incident, PageState, decide
from bot.domain.incident_events import (
    Escalated,
    FallbackUsed,
    IncidentEvent,
    PageAction,
    PageConfirmed,
    SecondPageClosed,
    StillOnItAsked,
    Unacknowledged,
)
from bot.domain.page_guard import ASK_EVERY, GuardDecision, guard
from bot.domain.routing import RoutingPolicy
from bot.ports import Clock, PagerRecords, Store

LOOKED_AT = 500
"""Open incidents that are looked at; a storm opens twenty."""

ASK_AGAIN = timedelta(seconds=60)
"""Between two questions about a page that is confirmed: what people did at the pager and
no webhook told is noticed within this time."""


CLOSE_AGAIN = 30.0
"""Seconds until the second pager is told again that it is over."""


class Attendance:
    """Looks after incidents until somebody has them."""

    def __init__(
        self,
        store: Store,
        contacts: Contacts,
        records: PagerRecords | None,
        routing: Callable[[], RoutingPolicy],
        clock: Clock,
        *,
        confirmable: bool,
    ) -> None:
        """`records` None: the pager can't be asked. `confirmable`: its webhooks come here."""
        self._store = store
        self._contacts = contacts
        self._records = records
        self._routing = routing
        self._clock = clock
        self._confirmable = confirmable or records is not None
        self._asked: dict[int, datetime] = {}

    def look(self) -> None:
        """Ask for what is due; called every few seconds."""
        now = self._clock.now()
        with self._store.read() as reader:
            found = [one for one in reader.incidents(OPEN, LOOKED_AT) if self._needs(one, now)]
        if found:
            with self._store.transaction() as tx:
                for incident in found:
                    tx.enqueue(Attend(incident.id, incident.severity))

    def attend(self, effect: Attend) -> None:
        """Do what is due for the incident, one thing after the other."""
        with self._store.transaction() as tx:
            tx.begin(effect)
            incident = tx.incident(effect.incident_id)
        now = self._clock.now()
        incident = self._record(incident, overdue(incident, now))
        incident = self._close_second(incident)
        incident = self._confirm(incident, now)
        incident = self._fall_back(incident, now)
        self._escalate(incident, now)

    def _needs(self, incident: Incident, now: datetime) -> bool:
        """Whether anything is due."""
        guarded = self._guarded(incident, now)
        every = ASK_EVERY if guarded.asks else ASK_AGAIN
        asks = self._records is not None and incident.page is not None
        return bool(
            guarded.contact
            or (asks and self._may_ask(incident, every, now))
            or self._accepted_is_all(incident)
            or overdue(incident, now)
            or self._escalation(incident, now).action
        )

    def _guarded(self, incident: Incident, now: datetime) -> GuardDecision:
        chain = [one for one in self._routing().fallback if self._contacts.has(one)]
        return guard(incident, _reachable_first(incident, chain), now)

    def _may_ask(self, incident: Incident, every: timedelta, now: datetime) -> bool:
        asked = self._asked.get(incident.id)
        return asked is None or now - asked >= every

    def _accepted_is_all(self, incident: Incident) -> bool:
        """Whether the pager has accepted the page, and nothing more can ever be known."""
        return not self._confirmable and _accepted(incident)

    def _confirm(self, incident: Incident, now: datetime) -> Incident:
        """Ask the pager whether the page stands, and what people did there."""
        calling = incident.calling
        if calling and not calling.confirmed_by and self._accepted_is_all(incident):
            by = "by its acceptance only: no webhook and no API token is set to know more"
            return self._record(incident, (PageConfirmed(by),))
        if self._records is None or incident.page is None:
            return incident
        self._asked[incident.id] = now
        try:
            return self._take_news(self._records, incident)
        except TocsinError:
            # The pager can't be asked; the next look asks again.
            return incident

    def _take_news(self, records: PagerRecords, incident: Incident) -> Incident:
        found = records.incident_of(incident.dedup_key)
        calling = incident.calling
        if calling and not calling.confirmed_by and confirms(found, calling.since):
            incident = self._record(incident, (PageConfirmed(ASKED),))
        for done in done_by_people(records, found, incident) if found else ():
            with self._store.transaction() as tx, suppress(IllegalTransition):
                current = tx.incident(incident.id)
                events = decide(current, done.command)
                incident = record_incident(tx, current, events, done.actor, self._clock.now())
        return incident

    def _fall_back(self, incident: Incident, now: datetime) -> Incident:
        contact = self._guarded(incident, now).contact
        if contact is None or incident.calling is None:
            return incident
        waited = (now - incident.calling.since).total_seconds()
        why = "Nobody is known to have been reached by the page"
        failed = self._called(contact, incident, why)
        return self._record(incident, (FallbackUsed(contact, waited, failed),))

    def _escalation(self, incident: Incident, now: datetime) -> EscalationDecision:
        return due(incident.response.plan, escalation_state(incident), now)

    def _escalate(self, incident: Incident, now: datetime) -> Incident:
        decision = self._escalation(incident, now)
        match decision.action:
            case EscalationAction.CALL if decision.step is not None:
                contact = decision.step.contact
                failed = self._called(contact, incident, "Nobody has taken it yet")
                event: IncidentEvent = Escalated(
                    contact, incident.severity, decision.number, failed
                )
            case EscalationAction.ASK:
                self._called(slack(Mention.ON_CALL), incident, "Still on it? Say so on its thread")
                event = StillOnItAsked()
            case EscalationAction.RESUME:
                event = Unacknowledged()
            case _:
                return incident
        return self._record(incident, (event,))

    def _close_second(self, incident: Incident) -> Incident:
        if not incident.second_page or incident.wakes:
            return incident
        second = pagerduty(PagerRoute.SECONDARY)
        try:
            self._contacts.close(second, incident)
        except TemporaryError:
            with self._store.transaction() as tx:
                tx.enqueue(Attend(incident.id, incident.severity), CLOSE_AGAIN)
            return incident
        except PermanentError:
            # It would be refused again, and by now somebody has the incident.
            pass
        return self._record(incident, (SecondPageClosed(),))

    def _called(self, contact: Contact, incident: Incident, why: str) -> str:
        """Turn to the contact; why it did not take it, or empty."""
        try:
            self._contacts.call(contact, incident, why)
        except TocsinError as error:
            return str(error)
        return ""

    def _record(self, incident: Incident, events: Sequence[IncidentEvent]) -> Incident:
        if not events:
            return incident
        with self._store.transaction() as tx:
            current = tx.incident(incident.id)
            return record_incident(tx, current, tuple(events), TOCSIN, self._clock.now())


def _accepted(incident: Incident) -> bool:
    page, calling = incident.page, incident.calling
    return (
        calling is not None
        and not calling.confirmed_by
        and page is not None
        and _is_of_now(page, calling.since)
    )


def _is_of_now(page: PageState, since: datetime) -> bool:
    sent = page.action is PageAction.TRIGGER and not page.refused
    return sent and page.at is not None and page.at >= since


def _reachable_first(incident: Incident, chain: Sequence[Contact]) -> Sequence[Contact]:
    """While the pager is out of reach its second key is too, most likely: it comes last."""
    dark = incident.calling is not None and incident.calling.retry_at is not None
    if not dark:
        return chain
    second = pagerduty(PagerRoute.SECONDARY)
    return sorted(chain, key=lambda one: one == second)
