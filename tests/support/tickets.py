"""Tickets for tests: one, and a tracker in memory that keeps to the port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.classify import Severity
from bot.domain.errors import TocsinError
from bot.domain.ticket import Ticket, TicketRef
from tests.support.examples import NOW, TICKET

PLACE = TICKET.place


def a_ticket(**changes: Any) -> Ticket:
    plain = Ticket(
        marker="tocsin-0123456789abcdef",
        title="P2 DiskFillingUp: db in payments (INC-7)",
        text="The disk is 85 % full.\n\nLevel: P2 Medium\n\nservice=db",
        link="https://tocsin.example/incidents/7",
        since=NOW,
        severity=Severity.P2,
        over=False,
    )
    return replace(plain, **changes)


@dataclass
class Entered:
    """A ticket as it stands."""

    ticket: Ticket
    open: bool = True


class FakeTickets:
    """Implements the `Tickets` port. `meanwhile` happens while the next call is under way;
    `failures` are raised by the methods named, after their effect where `takes_effect`."""

    place = PLACE

    def __init__(self) -> None:
        self.entered: list[Entered] = []
        self.told: list[str] = []
        self.failures: dict[str, TocsinError] = {}
        self.takes_effect = False
        self.meanwhile: Callable[[], object] = lambda: None

    def find(self, ticket: Ticket) -> TicketRef | None:
        self._tell("find", lambda: None)
        found = [n for n, one in enumerate(self.entered, 1) if one.ticket.marker == ticket.marker]
        return _ref(found[0]) if found else None

    def create(self, ticket: Ticket) -> TicketRef:
        self._tell("create", lambda: self.entered.append(Entered(ticket)))
        return _ref(len(self.entered))

    def update(self, ref: TicketRef, ticket: Ticket) -> None:
        self._tell("update", lambda: self._set(ref, ticket, self._of(ref).open))

    def close(self, ref: TicketRef, ticket: Ticket) -> None:
        self._tell("close", lambda: self._set(ref, ticket, False))

    def reopen(self, ref: TicketRef, ticket: Ticket) -> None:
        self._tell("reopen", lambda: self._set(ref, ticket, True))

    def verify(self) -> str:
        return "in memory"

    def _of(self, ref: TicketRef) -> Entered:
        assert ref == _ref(int(ref.key)), f"not from here: {ref}"
        return self.entered[int(ref.key) - 1]

    def _set(self, ref: TicketRef, ticket: Ticket, is_open: bool) -> None:
        self._of(ref).ticket, self._of(ref).open = ticket, is_open

    def _tell(self, what: str, does: Callable[[], object]) -> None:
        self.told.append(what)
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        failure = self.failures.get(what)
        if failure is None or self.takes_effect:
            does()
        if failure is not None:
            raise failure


def _ref(number: int) -> TicketRef:
    return TicketRef(PLACE, str(number), f"memory#{number}", f"https://memory.example/{number}")
