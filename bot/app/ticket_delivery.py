"""Keeps the tracker up to date about incidents that are tickets, and about follow-ups.

As with pages, a job looks at the present, tells the tracker one thing, and writes the
outcome down. Most trackers have no key that makes creating idempotent, so the intent is
written before each try to create, and whoever comes after a try whose outcome is not
known looks for the ticket first, when the tracker has had time to show it.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.app.record import record_incident
from bot.app.retry import ask_again
from bot.domain.actor import TOCSIN
from bot.domain.effects import UpdateTicket
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.incident import Incident
from bot.domain.ticket import Ticket, TicketAction, TicketRef
from bot.domain.ticket_events import TicketDelayed, TicketRefused, TicketTold
from bot.domain.ticket_task import Task, task_of
from bot.domain.ticketing import TicketReason, next_ticket, ticket_of
from bot.ports import Clock, Reader, Store, Tickets, Transaction

SETTLES = 30.0
"""Seconds after a try to create, until another looks for what came of it. Jira Cloud shows
what was written "within seconds" when it is searched
(https://developer.atlassian.com/cloud/jira/platform/search-and-reconcile)."""

_UNKNOWN = (TicketReason.NOT_CREATED, TicketReason.NEVER_NEEDED)
"""When no ticket is known: a try may have died before it could write down what it did."""

EVERY_NTH = 10
"""The timeline names the first failed try and every tenth: a ticket has hours."""


class TicketDelivery:
    """Keeps the tracker up to date about a ticket."""

    def __init__(
        self,
        store: Store,
        tickets: Tickets | None,
        clock: Clock,
        jitter: Callable[[], float],
        public_url: str = "",
    ) -> None:
        """Without `tickets` a ticket is on Tocsin's own list only.

        `public_url` is where people reach Tocsin; empty: tickets link to no incident.
        """
        self._store = store
        self._tickets = tickets
        self._clock = clock
        self._jitter = jitter
        self._public_url = public_url.rstrip("/")

    def update(self, effect: UpdateTicket) -> None:
        """Tell the tracker the one thing that it has to know now, if anything."""
        if self._tickets is None:
            return
        with self._store.transaction() as tx:
            tx.begin(effect)
            incident = tx.incident(effect.incident_id)
            task, tried = task_of(incident, effect.follow_up), effect.attempt > 1
            decision = next_ticket(task, self._tickets.place, tried=tried)
            if decision.reason in _UNKNOWN and not self._is_first_try(tx, effect):
                return
            action = decision.action
            if action is None:
                return
            labels = {} if effect.follow_up else _labels(tx, incident)
            ticket = ticket_of(task, labels, self._link(incident))
        try:
            stands = _standing(self._tickets, ticket, task, tried)
            ref = _tell(self._tickets, action, ticket, stands)
        except TemporaryError as error:
            self._again(effect, action, error)
        except PermanentError as error:
            refused = TicketRefused(action, str(error), task.digest, effect.follow_up)
            self._write(effect, refused, self._tickets.place)
        else:
            if ref is not None:
                told = TicketTold(action, ref, task.digest, effect.follow_up)
                self._write(effect, told, self._tickets.place)

    def _is_first_try(self, tx: Transaction, effect: UpdateTicket) -> bool:
        """Whether no job has tried it under this number; else a later one looks what came of it."""
        key = f"ticket:{effect.incident_id}:{effect.attempt}"
        if effect.follow_up:
            key += f":{effect.follow_up}"
        first = tx.first_time(key, self._clock.now())
        if not first:
            ask_again(tx, effect, SETTLES, self._jitter())
        return first

    def _write(self, effect: UpdateTicket, event: TicketTold | TicketRefused, place: str) -> None:
        """Write the outcome down, and look again: more may have happened meanwhile."""
        with self._store.transaction() as tx:
            incident = tx.incident(effect.incident_id)
            incident = record_incident(tx, incident, (event,), TOCSIN, self._clock.now())
            if next_ticket(task_of(incident, effect.follow_up), place).action is not None:
                tx.enqueue(UpdateTicket(incident.id, follow_up=effect.follow_up))

    def _again(self, effect: UpdateTicket, action: TicketAction, error: TemporaryError) -> None:
        asked = error.retry_after
        if action is TicketAction.CREATE:
            asked = max(asked or 0.0, SETTLES)
        with self._store.transaction() as tx:
            delay = ask_again(tx, effect, asked, self._jitter())
            if effect.attempt == 1 or effect.attempt % EVERY_NTH == 0:
                event = TicketDelayed(action, str(error), effect.attempt, delay, effect.follow_up)
                incident = tx.incident(effect.incident_id)
                record_incident(tx, incident, (event,), TOCSIN, self._clock.now())

    def _link(self, incident: Incident) -> str:
        return f"{self._public_url}/incidents/{incident.id}" if self._public_url else ""


def _standing(tickets: Tickets, ticket: Ticket, task: Task, tried: bool) -> TicketRef | None:
    """Where the ticket stands; what became of a try that failed, the tracker knows."""
    known = task.told.ref if task.told else None
    return tickets.find(ticket) if known is None and tried else known


def _tell(
    tickets: Tickets, action: TicketAction, ticket: Ticket, ref: TicketRef | None
) -> TicketRef | None:
    """Tell it of the ticket at `ref`; where it stands now, None when there is none to close."""
    if ref is None:
        return tickets.create(ticket) if action is TicketAction.CREATE else None
    match action:
        case TicketAction.CLOSE:
            tickets.close(ref, ticket)
        case TicketAction.REOPEN:
            tickets.reopen(ref, ticket)
        case _:
            # One that an earlier try created says what was so then.
            tickets.update(ref, ticket)
    return ref


def _labels(reader: Reader, incident: Incident) -> dict[str, str]:
    """The labels of its newest alert."""
    alerts = reader.alerts(incident.id, limit=1)
    return dict(alerts[0].alert.labels) if alerts else {}
