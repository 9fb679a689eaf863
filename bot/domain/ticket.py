"""A ticket as a value: what a tracker such as GitHub or Jira is told of an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.classify import Severity


class TicketAction(StrEnum):
    """What a tracker is told."""

    CREATE = "create"
    UPDATE = "update"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says. The texts are plain and hostile: alerts wrote parts of them.

    `marker` is the same for all tries and is no other incident's, of whichever Tocsin: by it
    the ticket is found again. It holds letters, digits and hyphens.
    """

    marker: str
    title: str
    text: str
    """Several lines, to be shown as they are."""
    link: str
    """Where to read on (an absolute URL of our own), or empty."""
    since: datetime
    """No such ticket was created before."""
    severity: Severity
    over: bool
    """Whether there is nothing left to do."""


_AT_PAGER = "-ticket"


def ticket_key(marker: str) -> str:
    """The ticket's key where the pager keeps it: not its page's, which may stand there, too."""
    return f"{marker}{_AT_PAGER}"


def is_ticket_key(key: str) -> bool:
    """Whether a key at the pager is a ticket's, and so no page's."""
    return key.startswith("tocsin-") and key.endswith(_AT_PAGER)


@dataclass(frozen=True, slots=True)
class TicketRef:
    """Where a ticket stands: its `key` in the tracker and project that `place` names."""

    place: str
    key: str
    name: str
    """How people name it, such as ``shop/web#12`` or ``OPS-12``."""
    url: str
    """Its page's, or empty where the tracker tells none."""

    @property
    def ending(self) -> str:
        """The end of a sentence that names it: its address, where it has one."""
        return f": {self.url}" if self.url else "."


@dataclass(frozen=True, slots=True)
class TicketState:
    """What the tracker was told last; `ref` is None until it has the ticket."""

    says: str
    """The digest of what it was told, or would not take."""
    ref: TicketRef | None = None
    open: bool = True
    refused: str = ""
    """Why the tracker would not take what it was told, or empty."""

    @property
    def standing(self) -> str:
        """Where it stands, in a few words; what a person must put right comes first."""
        refused = f"REFUSED: {self.refused}" if self.refused else ""
        where = (self.ref.url or self.ref.name) if self.ref else ""
        return " ".join(part for part in (refused, where) if part)
