"""What the tracker has to be told next, from what is to be done and what it was told.

As with pages, the decision looks at the present: a ticket that comes late, when nothing is
left to do, is not created, and one that a failed try may have created is closed. What was
refused is tried again when there is something else to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from bot.domain.ticket import Ticket, TicketAction, TicketState
from bot.domain.ticket_task import Task

LONGEST_VALUE = 300
MOST_LABELS = 40
"""Characters of a label's value, and labels, on a ticket."""


class TicketReason(StrEnum):
    """Why the tracker is told something, or is not."""

    NOT_ENTERED = "such a level pages and gets no ticket by itself"
    NEVER_NEEDED = "it was over before it had a ticket"
    NOT_CREATED = "it has no ticket yet"
    CHANGED = "the ticket says something else than what is so"
    OVER = "it is over"
    OPEN_AGAIN = "it is open again"
    ELSEWHERE = "the ticket is in a tracker or project that is no longer set"
    MAY_STAND = "a try failed that may have created a ticket, and it is over"
    REFUSED = "the tracker refused just this, and would refuse it again"
    UP_TO_DATE = "the tracker already knows"


@dataclass(frozen=True, slots=True)
class TicketDecision:
    """What to tell the tracker (None: nothing), and why."""

    action: TicketAction | None
    reason: TicketReason


def next_ticket(task: Task, place: str, *, tried: bool = False) -> TicketDecision:
    """The one thing to tell the tracker at `place` now; `tried`: after a try that failed.

    Its answer may be all that was lost: then a ticket stands of which nothing is written down.
    """
    told = task.told
    if not task.entered:
        return TicketDecision(None, TicketReason.NOT_ENTERED)
    if told is not None and told.says == task.digest:
        reason = TicketReason.REFUSED if told.refused else TicketReason.UP_TO_DATE
        return TicketDecision(None, reason)
    if told is None or told.ref is None:
        return _first(task, tried)
    if told.ref.place != place:
        return TicketDecision(None, TicketReason.ELSEWHERE)
    return _further(task, told)


def _first(task: Task, tried: bool) -> TicketDecision:
    if not task.over:
        return TicketDecision(TicketAction.CREATE, TicketReason.NOT_CREATED)
    if tried:
        return TicketDecision(TicketAction.CLOSE, TicketReason.MAY_STAND)
    return TicketDecision(None, TicketReason.NEVER_NEEDED)


def _further(task: Task, told: TicketState) -> TicketDecision:
    """A ticket that people closed or opened themselves is left as they want it."""
    if told.open and task.over:
        return TicketDecision(TicketAction.CLOSE, TicketReason.OVER)
    if not told.open and not task.over:
        return TicketDecision(TicketAction.REOPEN, TicketReason.OPEN_AGAIN)
    return TicketDecision(TicketAction.UPDATE, TicketReason.CHANGED)


def ticket_of(task: Task, labels: Mapping[str, str], link: str) -> Ticket:
    """What the ticket says now; `labels` are those of one of the alerts it is about."""
    return Ticket(
        marker=task.marker,
        title=task.title,
        text="\n".join((*task.facts, "", *_labels(labels))),
        link=link,
        since=task.since,
        severity=task.severity,
        over=task.over,
    )


def _labels(labels: Mapping[str, str]) -> Iterator[str]:
    for name, value in islice(sorted(labels.items()), MOST_LABELS):
        yield f"{name}={' '.join(value.split())[:LONGEST_VALUE]}"
