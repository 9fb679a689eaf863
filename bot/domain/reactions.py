"""What follows from an event: the effects that bring the outside up to date.

One table for incidents and one rule for runs; whoever wonders "who gets told when
this happens?" reads it here.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.chat_events import MessagePosted
from bot.domain.effects import (
    AdvanceRun,
    Announce,
    Attend,
    Effect,
    ExpireRun,
    InviteOnCall,
    RunSuggested,
    SettleIncident,
    SetUrgency,
    SharePictures,
    UpdateMessage,
    UpdatePage,
    UpdateTicket,
)
from bot.domain.incident import Incident
from bot.domain.incident_events import (
    Absorbed,
    Acknowledged,
    AlertsChanged,
    AlertsTakenOver,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    NoteAdded,
    Quieted,
    Reopened,
    Resolved,
    RunbooksSuggested,
    SeverityOverridden,
    SeverityRaised,
    SilenceCreated,
    SilenceRefused,
    Suppressed,
    Unacknowledged,
    Unsuppressed,
)
from bot.domain.message import Subject, SubjectKind
from bot.domain.page_events import (
    DoneAtPager,
    Escalated,
    FallbackUsed,
    PageAction,
    PageConfirmed,
    PageRefused,
    PageSent,
    ResponseOverdue,
    StillOnItAsked,
)
from bot.domain.run import Run
from bot.domain.run_events import (
    RunAborted,
    RunApproved,
    RunEvent,
    RunFinished,
    RunOverridden,
    RunPlanned,
    RunRequested,
    RunResumed,
    StepAnswered,
    StepApproved,
    StepAsked,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoStarted,
)
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketOpened,
    TicketRefused,
    TicketTold,
)

_TELLS_PAGER = (
    IncidentOpened,
    SeverityRaised,
    SeverityOverridden,
    Suppressed,
    Unsuppressed,
    Absorbed,
    Acknowledged,
    Unacknowledged,
    Mitigated,
    Resolved,
    Reopened,
    Closed,
)
_TELLS_TRACKER = (*_TELLS_PAGER, TicketOpened)
_ABOUT_FOLLOW_UP = (FollowUpAdded, FollowUpDone, FollowUpReopened)
_TELLS_CHAT = (
    *_TELLS_PAGER,
    *_ABOUT_FOLLOW_UP,
    AlertsChanged,
    AlertsTakenOver,
    Quieted,
    SilenceCreated,
    SilenceRefused,
    RunbooksSuggested,
    NoteAdded,
    DoneAtPager,
    TicketOpened,
    TicketTold,
    TicketRefused,
    PageSent,
    PageConfirmed,
    FallbackUsed,
    Escalated,
    StillOnItAsked,
    ResponseOverdue,
    PageRefused,
)
_MAY_WAIT = (
    AlertsChanged,
    Quieted,
    DoneAtPager,
    RunbooksSuggested,
    TicketTold,
    PageSent,
    PageConfirmed,
    StepStarted,
    StepProgressed,
    StepFinished,
    UndoStarted,
)
"""What is shown a moment later, with what else has changed by then."""

_CHANGES_LEVEL = (SeverityRaised, SeverityOverridden)
_NEEDS_PEOPLE = (MessagePosted, SeverityRaised, SeverityOverridden, Reopened)
"""After which those on call have to be where the incident is worked."""

_MOVES_RUN = (
    RunRequested,
    RunApproved,
    RunOverridden,
    RunResumed,
    RunAborted,
    StepApproved,
    StepAnswered,
)
_HAS_DEADLINE = (RunPlanned, StepAsked)


def after_incident(incident: Incident, events: tuple[IncidentEvent, ...]) -> tuple[Effect, ...]:
    """The effects of these events on `incident` (as it is after them), each once."""
    effects: list[Effect] = []
    if _concerns_pager(incident) and _tells_pager(events):
        effects.append(UpdatePage(incident.id, incident.severity))
    if incident.second_page and not incident.wakes and _tells_pager(events):
        effects.append(Attend(incident.id, incident.severity))
    if _page_stands(incident) and any(isinstance(event, _CHANGES_LEVEL) for event in events):
        effects.append(SetUrgency(incident.id))
    if incident.ticket_due_at is not None and _tells_tracker(events):
        effects.append(UpdateTicket(incident.id))
    about = {event.number for event in events if isinstance(event, _ABOUT_FOLLOW_UP)}
    effects.extend(UpdateTicket(incident.id, follow_up=number) for number in sorted(about))
    told = [event for event in events if isinstance(event, _TELLS_CHAT)]
    if told:
        subject = Subject(SubjectKind.INCIDENT, incident.id)
        effects.append(UpdateMessage(subject, soon=_may_wait(told)))
    if incident.wakes and any(isinstance(event, _NEEDS_PEOPLE) for event in events):
        effects.append(InviteOnCall(incident.id))
    if any(isinstance(event, Quieted) for event in events):
        effects.append(SettleIncident(incident.id))
    effects.extend(_run_by_itself(incident, events))
    return tuple(effects)


def _run_by_itself(
    incident: Incident, events: tuple[IncidentEvent, ...]
) -> tuple[RunSuggested, ...]:
    """What is suggested for the first time and may run; not while somebody maintains it."""
    if incident.suppressed_by is not None:
        return ()
    return tuple(
        RunSuggested(incident.id, one.key)
        for event in events
        if isinstance(event, RunbooksSuggested)
        for one in event.suggestions
        if one.auto
    )


def _tells_pager(events: tuple[IncidentEvent, ...]) -> bool:
    return any(isinstance(event, _TELLS_PAGER) for event in events)


def _tells_tracker(events: tuple[IncidentEvent, ...]) -> bool:
    return any(isinstance(event, _TELLS_TRACKER) for event in events)


def _may_wait(events: Sequence[IncidentEvent | RunEvent]) -> bool:
    return all(isinstance(event, _MAY_WAIT) for event in events)


def _concerns_pager(incident: Incident) -> bool:
    return incident.severity.pages or incident.page is not None


def _page_stands(incident: Incident) -> bool:
    told = incident.page is not None and incident.page.action is not PageAction.RESOLVE
    return told and incident.severity.pages and not incident.state.over


def after_run(run: Run, events: tuple[RunEvent, ...]) -> tuple[Effect, ...]:
    """The effects of these events on `run` (as it is after them): its message, its next steps."""
    subject = Subject(SubjectKind.RUN, run.id)
    effects: list[Effect] = [UpdateMessage(subject, soon=_may_wait(events))]
    if any(isinstance(event, _MOVES_RUN) for event in events):
        effects.append(AdvanceRun(run.id))
    effects.extend(
        Announce(Subject(SubjectKind.RUN, run.id, event.step))
        for event in events
        if isinstance(event, StepFinished) and event.outcome.announcements
    )
    if any(isinstance(event, _HAS_DEADLINE) for event in events):
        effects.append(ExpireRun(run.id))
    if run.has_pictures and any(isinstance(event, RunFinished) for event in events):
        effects.append(SharePictures(run.id))
    return tuple(effects)
