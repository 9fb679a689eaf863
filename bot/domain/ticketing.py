"""What the tracker has to be told next, from what the incident is and what it was told.

As with pages, the decision looks at the present: a ticket that comes late, after the
incident is over, is not created, and one that a failed try may have created is closed. Only
what people read on the ticket makes it change: the level, the state, who has it, never the
number of alerts, which changes by the second in a storm. What was refused is tried again when
there is something else to tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from bot.domain.incident import Incident
from bot.domain.ticket import Ticket, TicketAction, TicketState

LONGEST_SUMMARY = 4_000
LONGEST_VALUE = 300
MOST_LABELS = 40
"""Characters and labels on a ticket: together about half of the 32,767 characters that
Jira's description takes, the least of the trackers."""


class TicketReason(StrEnum):
    """Why the tracker is told something, or is not."""

    NOT_ENTERED = "such a level pages and gets no ticket by itself"
    NEVER_NEEDED = "the incident was over before it had one"
    NOT_CREATED = "the incident has none yet"
    CHANGED = "the ticket says something else than what is so"
    OVER = "the incident is over"
    OPEN_AGAIN = "the incident is open again"
    ELSEWHERE = "the ticket is in a tracker or project that is no longer set"
    MAY_STAND = "a try failed that may have created one, and the incident is over"
    REFUSED = "the tracker refused just this, and would refuse it again"
    UP_TO_DATE = "the tracker already knows"


@dataclass(frozen=True, slots=True)
class TicketDecision:
    """What to tell the tracker (None: nothing), and why."""

    action: TicketAction | None
    reason: TicketReason


def next_ticket(incident: Incident, place: str, *, tried: bool = False) -> TicketDecision:
    """The one thing to tell the tracker at `place` now; `tried`: after a try that failed.

    Its answer may be all that was lost: then a ticket stands of which nothing is written down.
    """
    known = incident.ticket
    if incident.ticket_due_at is None:
        return TicketDecision(None, TicketReason.NOT_ENTERED)
    if known is not None and known.says == digest(incident):
        reason = TicketReason.REFUSED if known.refused else TicketReason.UP_TO_DATE
        return TicketDecision(None, reason)
    if known is None or known.ref is None:
        return _first(incident, tried)
    if known.ref.place != place:
        return TicketDecision(None, TicketReason.ELSEWHERE)
    return _further(incident, known)


def _first(incident: Incident, tried: bool) -> TicketDecision:
    if not incident.state.over:
        return TicketDecision(TicketAction.CREATE, TicketReason.NOT_CREATED)
    if tried:
        return TicketDecision(TicketAction.CLOSE, TicketReason.MAY_STAND)
    return TicketDecision(None, TicketReason.NEVER_NEEDED)


def _further(incident: Incident, known: TicketState) -> TicketDecision:
    """A ticket that people closed or opened themselves is left as they want it."""
    if known.open and incident.state.over:
        return TicketDecision(TicketAction.CLOSE, TicketReason.OVER)
    if not known.open and not incident.state.over:
        return TicketDecision(TicketAction.REOPEN, TicketReason.OPEN_AGAIN)
    return TicketDecision(TicketAction.UPDATE, TicketReason.CHANGED)


def ticket_of(incident: Incident, labels: Mapping[str, str], link: str) -> Ticket:
    """What the ticket says now; `labels` are those of one of its alerts."""
    return Ticket(
        marker=incident.dedup_key,
        title=_title(incident),
        text="\n".join((*_facts(incident), "", *_labels(labels))),
        link=link,
        since=incident.opened_at,
        severity=incident.severity,
        over=incident.state.over,
    )


def digest(incident: Incident) -> str:
    """What tells two versions of a ticket apart: SHA-256 over what the incident puts there."""
    says = (_title(incident), *_facts(incident))
    return hashlib.sha256(repr(says).encode("utf-8", "replace")).hexdigest()


def _title(incident: Incident) -> str:
    return f"{incident.severity} {incident.title} ({incident.reference})"


def _facts(incident: Incident) -> Iterator[str]:
    yield incident.summary[:LONGEST_SUMMARY]
    yield ""
    yield f"Level: {incident.severity} {incident.severity.meaning}"
    if incident.severity.pages:
        yield "It became worse: the on-call engineer is paged, and this ticket stays."
    yield f"State: {_state(incident)}"
    why = incident.classification
    yield f"Why: {why.reason} (rule {why.rule})"
    yield f"Opened: {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    if incident.ticket_due_at is not None:
        yield f"Response due by: {incident.ticket_due_at:%Y-%m-%d %H:%M} UTC"


def _state(incident: Incident) -> str:
    if incident.absorbed_by is not None:
        return f"{incident.state}, part of INC-{incident.absorbed_by}"
    if incident.acknowledged_by is not None and not incident.state.over:
        return f"{incident.state} by {incident.acknowledged_by.name}"
    return incident.state.value


def _labels(labels: Mapping[str, str]) -> Iterator[str]:
    for name, value in islice(sorted(labels.items()), MOST_LABELS):
        yield f"{name}={' '.join(value.split())[:LONGEST_VALUE]}"
