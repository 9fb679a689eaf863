"""Attendance: sees to it that somebody answers, for as long as an incident needs anybody.

Every few seconds it looks at the open incidents and asks for what is due: whether a page
stands, the next contact of the fallback chain, the next step of an escalation. All of it is
decided from what is written down, so a look that is late, lost or doubled changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.app.contacts import Contacts
from bot.app.incidents import OPEN
from bot.app.pager_news import PagerNews
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.attendance import escalation_state, leaves_second_page, overdue, taken_by_pager
from bot.domain.classify import Severity
from bot.domain.contact import Contact, Mention, PagerRoute, pagerduty, slack
from bot.domain.effects import Attend
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.escalation import EscalationAction, EscalationDecision, due
from bot.domain.incident import Incident
from bot.domain.incident_events import IncidentEvent, Unacknowledged
from bot.domain.page_events import (
    Escalated,
    FallbackUsed,
    PageConfirmed,
    SecondPageClosed,
    StillOnItAsked,
)
from bot.domain.page_guard import GuardDecision, guard, tried_since_called
from bot.domain.routing import RoutingPolicy
from bot.ports import Clock, Reader, Store

LOOKED_AT = 5_000
"""Open incidents that are looked at: tickets of weeks, with what has to page among them."""

CLOSE_AGAIN = 30.0
"""Seconds until the second pager is told again that it is over."""

ACCEPTED = "by its acceptance only: no webhook and no API token is set to know more"
"""How a page is confirmed where nothing can tell more about it."""


class Attendance:
    """Looks after incidents until somebody has them."""

    def __init__(
        self,
        store: Store,
        contacts: Contacts,
        news: PagerNews | None,
        routing: Callable[[], RoutingPolicy],
        clock: Clock,
        *,
        confirmable: bool,
        breached: Callable[[Severity], None] = lambda _: None,
    ) -> None:
        """`news` None: the pager can't be asked. `confirmable`: its webhooks come here.

        `breached` is called once for each incident that nobody responded to in time.
        """
        self._store = store
        self._contacts = contacts
        self._news = news
        self._routing = routing
        self._clock = clock
        self._confirmable = confirmable or news is not None
        self._breached = breached

    def look(self) -> None:
        """Ask for what is due; called every few seconds."""
        with self._store.read() as reader:
            found = [one for one in reader.incidents(OPEN, LOOKED_AT) if self._needs(reader, one)]
        if found:
            with self._store.transaction() as tx:
                for incident in found:
                    tx.enqueue(Attend(incident.id, incident.severity))

    def attend(self, effect: Attend) -> None:
        """Do what is due for the incident, one thing after the other."""
        with self._store.transaction() as tx:
            tx.begin(effect)
        steps = (
            self._say_overdue,
            self._close_second,
            self._confirm,
            self._fall_back,
            self._escalate,
        )
        for step in steps:
            # Read anew each time: a call takes seconds, in which somebody may take it.
            with self._store.read() as reader:
                incident = reader.incident(effect.incident_id)
            step(incident)

    def fallback(self, reader: Reader, incident: Incident) -> GuardDecision:
        """What the fallback chain has to do for the incident now."""
        chain = [one for one in self._routing().fallback if self._contacts.has(one)]
        used = incident.calling is not None and incident.calling.contacts_used > 0
        recorded = reader.recorded(incident_id=incident.id) if used else ()
        tried = tried_since_called(incident, recorded)
        return guard(incident, chain, tried, self._clock.now())

    def _needs(self, reader: Reader, incident: Incident) -> bool:
        """Whether anything is due."""
        return bool(
            overdue(incident, self._clock.now())
            or leaves_second_page(incident)
            or self._accepted_is_all(incident)
            or (self._news and self._news.due(incident, self._clock.now()))
            or self.fallback(reader, incident).contact
            or self._escalation(incident).action
        )

    def _say_overdue(self, incident: Incident) -> None:
        for event in overdue(incident, self._clock.now()):
            late = self._record(incident, event, lambda now: bool(overdue(now, self._clock.now())))
            if late:
                self._breached(event.level)

    def _close_second(self, incident: Incident) -> None:
        if not leaves_second_page(incident):
            return
        try:
            self._contacts.close(pagerduty(PagerRoute.SECONDARY), incident)
        except TemporaryError:
            with self._store.transaction() as tx:
                tx.enqueue(Attend(incident.id, incident.severity), CLOSE_AGAIN)
            return
        except PermanentError:
            # It would be refused again, and by now somebody has the incident.
            pass
        self._record(incident, SecondPageClosed())

    def _accepted_is_all(self, incident: Incident) -> bool:
        """Whether the pager has accepted the page, and nothing more can ever be known."""
        return not self._confirmable and taken_by_pager(incident)

    def _confirm(self, incident: Incident) -> None:
        """Find out whether the page stands, and what people did at the pager."""
        if self._accepted_is_all(incident):
            self._record(incident, PageConfirmed(ACCEPTED), self._accepted_is_all)
        elif self._news is not None and self._news.due(incident, self._clock.now()):
            self._news.take(incident)

    def _fall_back(self, incident: Incident) -> None:
        with self._store.read() as reader:
            contact = self.fallback(reader, incident).contact
        if contact is None or incident.calling is None:
            return
        waited = (self._clock.now() - incident.calling.since).total_seconds()
        failed = self._called(contact, incident, "Nobody is known to have been reached by the page")
        self._record(incident, FallbackUsed(contact, waited, failed))

    def _escalation(self, incident: Incident) -> EscalationDecision:
        return due(incident.response.plan, escalation_state(incident), self._clock.now())

    def _escalate(self, incident: Incident) -> None:
        decision = self._escalation(incident)
        match decision.action:
            case EscalationAction.CALL if decision.step is not None:
                contact = decision.step.contact
                failed = self._called(contact, incident, "Nobody has taken it yet")
                level, number = incident.severity, decision.number
                self._record(incident, Escalated(contact, level, number, failed))
            case EscalationAction.ASK:
                self._called(slack(Mention.ON_CALL), incident, "Still on it? Say so on its thread")
                self._record(incident, StillOnItAsked())
            case EscalationAction.RESUME:
                self._record(incident, Unacknowledged(), self._resumes)

    def _resumes(self, incident: Incident) -> bool:
        return self._escalation(incident).action is EscalationAction.RESUME

    def _called(self, contact: Contact, incident: Incident, why: str) -> str:
        """Turn to the contact; why it did not take it, or empty."""
        try:
            self._contacts.call(contact, incident, why)
        except Exception as error:
            # Also what nobody foresaw: one broken way must not keep the next from being used.
            return str(error) or type(error).__name__
        return ""

    def _record(
        self,
        incident: Incident,
        event: IncidentEvent,
        still: Callable[[Incident], bool] = lambda _: True,
    ) -> bool:
        """Write it down, if it still holds of the incident as it is by now; whether it does."""
        with self._store.transaction() as tx:
            current = tx.incident(incident.id)
            if not still(current):
                return False
            after = record_incident(tx, current, (event,), TOCSIN, self._clock.now())
            if leaves_second_page(after):
                # Somebody took it while the second pager was being called.
                tx.enqueue(Attend(after.id, after.severity))
        return True
