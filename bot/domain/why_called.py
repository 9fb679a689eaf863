"""Why others than the first page's were called, or nobody, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.domain.incident import Incident
from bot.domain.page_events import (
    Escalated,
    FallbackUsed,
    PageConfirmed,
    ResponseOverdue,
    StillOnItAsked,
)
from bot.domain.response_clock import UNCONFIRMED, confirmation, named, next_call, respond_by
from bot.domain.stamps import stamp
from bot.domain.timeline import Recorded

NAMED_CALLS = 6
"""Calls that are named with their time; the latest."""


def why_called(incident: Incident, recorded: Sequence[Recorded]) -> Iterator[str]:
    """How the page was confirmed, who was called besides, what is due, and who is next."""
    calls = [sentence for one in recorded if (sentence := _sentence(one))]
    if len(calls) > NAMED_CALLS:
        yield f"{len(calls) - NAMED_CALLS} earlier calls are on the timeline."
    yield from calls[-NAMED_CALLS:]
    if confirmation(incident) == UNCONFIRMED:
        yield "Nothing has confirmed yet that the page stands at the pager."
    yield from _ahead(incident)


def _sentence(one: Recorded) -> str:
    """What the event says of a call; empty for those that say nothing of one."""
    match one.event:
        case PageConfirmed(by):
            return f"The page was confirmed {by}, {stamp(one.at)}."
        case FallbackUsed(contact, waited, failed):
            why = f"the page was not known to have arrived after {waited:.0f} s"
            return f"{stamp(one.at)}: {why}, so {named(contact)} {_called(failed)}"
        case Escalated(contact, level, number, failed):
            why = f"nobody had taken it, so step {number} of its {level} escalation was due"
            return f"{stamp(one.at)}: {why}; {named(contact)} {_called(failed)}"
        case StillOnItAsked():
            return f"{stamp(one.at)}: whoever took it was asked whether they are still on it."
        case ResponseOverdue(level, within):
            minutes = within // timedelta(minutes=1)
            return f"{stamp(one.at)}: the {minutes} min of a {level} were over; nobody responded."
        case _:
            return ""


def _called(failed: str) -> str:
    return f"was tried, in vain: {failed}" if failed else "was called."


def _ahead(incident: Incident) -> Iterator[str]:
    until, coming = respond_by(incident), next_call(incident)
    if until is not None and incident.severity.pages and not incident.response.overdue:
        yield f"Somebody must respond by {stamp(until)}."
    if coming is not None:
        yield f"If nobody takes it by {stamp(coming.at)}, {named(coming.contact)} will be called."
