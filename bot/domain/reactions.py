"""What follows from an event: the effects that bring the outside up to date.

One table for incidents and one rule for runs; whoever wonders "who gets told when
this happens?" reads it here.
"""

from __future__ import annotations

from bot.domain.effects import AdvanceRun, Effect, UpdateMessage, UpdatePage
from bot.domain.incident import Incident
from bot.domain.incident_events import (
    Acknowledged,
    AlertsChanged,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    NoteAdded,
    PageRefused,
    PageSent,
    Reopened,
    Resolved,
    SeverityRaised,
    TicketOpened,
    Unacknowledged,
)
from bot.domain.message import Subject, SubjectKind
from bot.domain.run_events import RunApproved, RunEvent, RunRequested

_TELLS_PAGER = (
    IncidentOpened,
    SeverityRaised,
    Acknowledged,
    Unacknowledged,
    Mitigated,
    Resolved,
    Reopened,
    Closed,
)
_TELLS_CHAT = (
    *_TELLS_PAGER,
    AlertsChanged,
    NoteAdded,
    TicketOpened,
    PageSent,
    PageRefused,
)
_MOVES_RUN = (RunRequested, RunApproved)


def after_incident(incident: Incident, events: tuple[IncidentEvent, ...]) -> tuple[Effect, ...]:
    """The effects of these events on `incident` (as it is after them), each once."""
    effects: list[Effect] = []
    if _concerns_pager(incident) and any(isinstance(event, _TELLS_PAGER) for event in events):
        effects.append(UpdatePage(incident.id, incident.severity))
    if any(isinstance(event, _TELLS_CHAT) for event in events):
        effects.append(UpdateMessage(Subject(SubjectKind.INCIDENT, incident.id)))
    return tuple(effects)


def _concerns_pager(incident: Incident) -> bool:
    return incident.severity.pages or incident.page is not None


def after_run(run_id: int, events: tuple[RunEvent, ...]) -> tuple[Effect, ...]:
    """The effects of these events on a run: its message, and its next steps."""
    effects: list[Effect] = [UpdateMessage(Subject(SubjectKind.RUN, run_id))]
    if any(isinstance(event, _MOVES_RUN) for event in events):
        effects.append(AdvanceRun(run_id))
    return tuple(effects)
