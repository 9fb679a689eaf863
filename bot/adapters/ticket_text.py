"""A ticket's hostile texts, made to fit trackers: what alerts wrote stays text there.

All of it goes into one preformatted block, in which no tracker looks for markup, HTML,
links or mentions; how a block is kept from being ended from inside is each tracker's own.
"""

from __future__ import annotations

from bot.domain.printable import printable
from bot.domain.ticket import Ticket

NOTE = (
    "Tocsin keeps this text up to date, and closes the ticket when what it is about is over. "
    "Write comments: changes of this text are lost."
)

LONGEST_TITLE = 250
"""Characters; Jira's summary takes 255, GitHub's title 256."""


def title_of(ticket: Ticket) -> str:
    """One line; a character without width keeps an ``@`` from mentioning anybody."""
    line = " ".join(printable(ticket.title).split())
    harmless = line.replace("@", "@\N{ZERO WIDTH SPACE}")
    return harmless if len(harmless) <= LONGEST_TITLE else f"{harmless[: LONGEST_TITLE - 1]}…"


def lines_of(ticket: Ticket) -> str:
    """The text in plain lines, for a preformatted block."""
    return "\n".join(printable(ticket.text).splitlines()).strip()
