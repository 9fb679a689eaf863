"""A ticket's hostile texts, made to fit trackers: what alerts wrote stays text there.

All of it goes into one preformatted block, in which no tracker looks for markup, HTML,
links or mentions; how a block is kept from being ended from inside is each tracker's own.
"""

from __future__ import annotations

import re

from bot.domain.ticket import Ticket

NOTE = (
    "Tocsin keeps this text up to date, and closes and reopens the ticket with its incident. "
    "Write comments: changes of this text are lost."
)

LONGEST_TITLE = 250
"""Characters; Jira's summary takes 255, GitHub's title 256."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters
    "\u202a-\u202e\u2066-\u2069"  # these reorder what stands around them
    "\ud800-\udfff]"  # halves of a character, which no encoding can carry
)


def title_of(ticket: Ticket) -> str:
    """One line; a character without width keeps an ``@`` from mentioning anybody."""
    line = " ".join(_printable(ticket.title).split())
    harmless = line.replace("@", "@\N{ZERO WIDTH SPACE}")
    return harmless if len(harmless) <= LONGEST_TITLE else f"{harmless[: LONGEST_TITLE - 1]}…"


def lines_of(ticket: Ticket) -> str:
    """The text in plain lines, for a preformatted block."""
    return "\n".join(_printable(ticket.text).splitlines()).strip()


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
