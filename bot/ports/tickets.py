"""Where tickets are kept, when not on Tocsin's own list."""

from __future__ import annotations

from typing import Protocol

from bot.domain.ticket import Ticket, TicketRef


class Tickets(Protocol):
    """A tracker. Its answers to `find` may be late: what was just created may be missing.

    One in which a ticket's key is known before the ticket is there finds it always. The other
    calls may be repeated, `create` only where `find` finds nothing. Every method raises
    `TemporaryError` or `PermanentError`; the latter says who must put what right.
    """

    @property
    def place(self) -> str:
        """The tracker and the project in it: tickets of another place are not its own."""
        ...

    def find(self, ticket: Ticket) -> TicketRef | None:
        """The ticket that an earlier try created, by its marker."""
        ...

    def create(self, ticket: Ticket) -> TicketRef:
        """Enter a new ticket; asked again, it may enter another one."""
        ...

    def update(self, ref: TicketRef, ticket: Ticket) -> None:
        """Let it say what `ticket` says; whether it is open stays as it is."""
        ...

    def close(self, ref: TicketRef, ticket: Ticket) -> None:
        """As `update`, and it is done."""
        ...

    def reopen(self, ref: TicketRef, ticket: Ticket) -> None:
        """As `update`, and it is to be done."""
        ...

    def verify(self) -> str:
        """What is there, in a few words; `PermanentError` says what is missing."""
        ...
