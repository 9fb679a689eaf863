"""A ticket as a value: what a tracker such as GitHub or Jira is told of an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class TicketRef:
    """Where a ticket stands: its `key` in the tracker and project that `place` names."""

    place: str
    key: str
    name: str
    """How people name it, such as ``shop/web#12`` or ``OPS-12``."""
    url: str


@dataclass(frozen=True, slots=True)
class TicketState:
    """What the tracker was told last; `ref` is None until it has the ticket."""

    says: str
    """The digest of what it was told, or would not take."""
    ref: TicketRef | None = None
    open: bool = True
    refused: str = ""
    """Why the tracker would not take what it was told, or empty."""
