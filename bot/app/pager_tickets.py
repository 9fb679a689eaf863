"""PagerDuty as the `Tickets`: incidents of a service that wakes nobody.

They are opened, repeated and resolved by events, as pages are, with a key of their own: so
creating is idempotent, and what happens to a ticket there is never taken for its page. Events
tell nothing back, neither an address nor what became of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from bot.app.triggering import trigger
from bot.domain.classify import Severity
from bot.domain.errors import PermanentError, TocsinError
from bot.domain.oncall import PagerStatus
from bot.domain.page import Page
from bot.domain.ticket import Ticket, TicketRef, ticket_key
from bot.ports import Pager, PagerRecords

SETTING = "PAGERDUTY_TICKET_ROUTING_KEY"

NOBODYS = ticket_key("tocsin-check")
"""A key that no ticket has: PagerDuty checks an event about it, and then drops it."""


class PagerTickets:
    """The tickets at the service that `routing_key` leads to; `pager` is that key's own.

    With `records`, one that people resolved there is left alone until its incident is open
    again; else the next change opens it anew.
    """

    def __init__(self, pager: Pager, routing_key: str, records: PagerRecords | None = None) -> None:
        self._pager = pager
        self._records = records
        # The key is a secret, and the place is shown.
        self._place = f"PagerDuty/{hashlib.sha256(routing_key.encode()).hexdigest()[:12]}"

    @property
    def place(self) -> str:
        return self._place

    def find(self, ticket: Ticket) -> TicketRef | None:
        """Always one: its key is known before it stands, and to repeat a trigger does no harm."""
        return self._ref(ticket)

    def create(self, ticket: Ticket) -> TicketRef:
        ref = self._ref(ticket)
        self._trigger(ref, ticket)
        return ref

    def update(self, ref: TicketRef, ticket: Ticket) -> None:
        if not ticket.over and not self._is_resolved(ref):
            self._trigger(ref, ticket)

    def close(self, ref: TicketRef, ticket: Ticket) -> None:
        with _named():
            self._pager.resolve(ref.key)

    def reopen(self, ref: TicketRef, ticket: Ticket) -> None:
        self._trigger(ref, ticket)

    def verify(self) -> str:
        with _named():
            self._pager.resolve(NOBODYS)
        return f"incidents of PagerDuty, which accepts {SETTING}; let its service be low-urgency"

    def _ref(self, ticket: Ticket) -> TicketRef:
        key = ticket_key(ticket.marker)
        return TicketRef(self._place, key, f"{key} in PagerDuty", "")

    def _trigger(self, ref: TicketRef, ticket: Ticket) -> None:
        with _named():
            trigger(self._pager, _event(ref, ticket))

    def _is_resolved(self, ref: TicketRef) -> bool:
        if self._records is None:
            return False
        try:
            found = self._records.incident_of(ref.key)
        except TocsinError:
            return False  # a ticket that comes back is better than one that says what was so
        return found is not None and found.status is PagerStatus.RESOLVED


@contextmanager
def _named() -> Iterator[None]:
    """A refusal names the setting: the key is what a person can put right."""
    try:
        yield
    except PermanentError as error:
        raise PermanentError(f"{SETTING}: {error}") from error


def _event(ref: TicketRef, ticket: Ticket) -> Page:
    """The event. It is never urgent: what became worse is paged by another.

    At PagerDuty severity and urgency only rise
    (https://support.pagerduty.com/main/docs/dynamic-notifications).
    """
    return Page(
        dedup_key=ref.key,
        summary=ticket.title,
        severity=Severity.P2 if ticket.severity.pages else ticket.severity,
        source="Tocsin",
        at=ticket.since,
        details={"ticket": ticket.text},
        link=ticket.link,
    )
