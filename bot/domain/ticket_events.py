"""What can happen to the ticket of an incident, and to what is to be done after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.ticket import TicketAction, TicketRef


@dataclass(frozen=True, slots=True)
class FollowUpAdded:
    """Something is to be done after the incident; `number` is the next one in it."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class FollowUpDone:
    """A follow-up is done."""

    number: int


@dataclass(frozen=True, slots=True)
class FollowUpReopened:
    """A follow-up that was said to be done is to be done."""

    number: int


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A ticket was entered, because this level does not page; `due_at` is its response time."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class TicketTold:
    """The tracker took this; `says` is the digest of what the ticket says now.

    `follow_up` is the number of the one that the ticket is about, as in the next two; 0: it
    is about the incident.
    """

    action: TicketAction
    ref: TicketRef
    says: str
    follow_up: int = 0


@dataclass(frozen=True, slots=True)
class TicketDelayed:
    """The tracker could not be reached; the next try is in `retry_in` seconds."""

    action: TicketAction
    reason: str
    attempt: int
    retry_in: float
    follow_up: int = 0


@dataclass(frozen=True, slots=True)
class TicketRefused:
    """The tracker will not take this; a person has to look at the configuration.

    `says` is the digest of what the ticket was to say.
    """

    action: TicketAction
    reason: str
    says: str
    follow_up: int = 0


TicketEvent = (
    FollowUpAdded
    | FollowUpDone
    | FollowUpReopened
    | TicketOpened
    | TicketTold
    | TicketDelayed
    | TicketRefused
)
