"""What the tracker was told, and what is to be done after an incident, as sentences."""

from __future__ import annotations

from bot.domain.ticket import TicketAction
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketDelayed,
    TicketRefused,
    TicketTold,
)

TicketEvent = (
    TicketTold | TicketDelayed | TicketRefused | FollowUpAdded | FollowUpDone | FollowUpReopened
)

_TOLD = {
    TicketAction.CREATE: "is entered",
    TicketAction.UPDATE: "is up to date",
    TicketAction.CLOSE: "is closed",
    TicketAction.REOPEN: "is open again",
}


def ticket_sentence(event: TicketEvent) -> str:
    """What happened, without who did it."""
    match event:
        case TicketTold(action, ref, follow_up=follow_up):
            return f"Ticket {ref.name}{_of(follow_up)} {_TOLD[action]}{ref.ending}"
        case TicketDelayed(action, reason, attempt, retry_in, follow_up):
            failed = f"Try {attempt} to {action} the ticket{_of(follow_up)} failed: {reason}"
            return f"{failed} Next try in {retry_in:.0f} s."
        case TicketRefused(action, reason, follow_up=follow_up):
            return f"The tracker refused to {action} the ticket{_of(follow_up)}: {reason}"
        case FollowUpAdded(number, text):
            return f"Follow-up {number}: {text}"
        case FollowUpDone(number):
            return f"Follow-up {number} is done."
        case FollowUpReopened(number):
            return f"Follow-up {number} is to be done again."


def _of(follow_up: int) -> str:
    return f" of follow-up {follow_up}" if follow_up else ""
