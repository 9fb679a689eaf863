"""What an incident is after an event: the one place where its values change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.actor import Actor, ActorKind
from bot.domain.classify import Classification
from bot.domain.clock_step import moved_incident
from bot.domain.contact import PagerRoute, pagerduty
from bot.domain.escalation import StepsDone
from bot.domain.follow_up import FollowUp, changed
from bot.domain.incident import (
    OVERRIDE_RULE,
    Calling,
    Incident,
    IncidentState,
    PageState,
    flaps_after,
)
from bot.domain.incident_events import (
    Absorbed,
    Acknowledged,
    AlertsChanged,
    AlertsTakenOver,
    ClockPutBack,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    Quieted,
    Reopened,
    Resolved,
    RunbooksSuggested,
    SeverityOverridden,
    SeverityRaised,
    Suppressed,
    Unacknowledged,
    Unsuppressed,
)
from bot.domain.page_events import (
    Escalated,
    EscalationPlanned,
    FallbackUsed,
    PageAction,
    PageConfirmed,
    PageDelayed,
    PageRefused,
    PageSent,
    ResponseOverdue,
    SecondPageClosed,
    StillOnItAsked,
)
from bot.domain.ticket import TicketAction, TicketState
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketOpened,
    TicketRefused,
    TicketTold,
)

_S = IncidentState

_SECOND_PAGER = pagerduty(PagerRoute.SECONDARY)
"""Once it was called a page may stand there, even if no answer came: in the end it is closed."""


def opened(incident_id: int, event: IncidentOpened, at: datetime) -> Incident:
    """The incident that its first event makes."""
    incident = Incident(
        id=incident_id,
        group_key=event.group_key,
        title=event.title,
        summary=event.summary,
        classification=event.classification,
        dedup_key=event.dedup_key,
        opened_at=at,
    )
    return _called(incident, at)


def evolve(incident: Incident, event: IncidentEvent, actor: Actor, at: datetime) -> Incident:
    """The incident after the event."""
    return _called(_evolved(_heard(incident, actor, at), event, actor, at), at)


def _heard(incident: Incident, actor: Actor, at: datetime) -> Incident:
    """Whatever a person does to it, somebody is on it."""
    if actor.kind not in (ActorKind.PERSON, ActorKind.PAGERDUTY):
        return incident
    return replace(incident, response=replace(incident.response, heard_at=at))


def _called(incident: Incident, at: datetime) -> Incident:
    """Since when somebody has to be woken; what was done about it counts for that time only."""
    if not incident.wakes:
        return replace(incident, calling=None) if incident.calling else incident
    return incident if incident.calling else replace(incident, calling=Calling(at))


def _evolved(incident: Incident, event: IncidentEvent, actor: Actor, at: datetime) -> Incident:
    match event:
        case AlertsChanged():
            return _counted(incident, event)
        case AlertsTakenOver(firing=firing):
            return replace(incident, firing=firing)
        case SeverityRaised():
            return replace(incident, classification=event.classification)
        case SeverityOverridden():
            return replace(incident, classification=_said(incident, event), overridden_by=actor)
        case Suppressed(window_id):
            return replace(incident, suppressed_by=window_id)
        case Unsuppressed():
            return replace(incident, suppressed_by=None)
        case Quieted(until):
            return replace(incident, quiet_until=until)
        case RunbooksSuggested(new, link):
            suggestions = (*incident.suggestions, *new)
            link = link or incident.runbook_link
            return replace(incident, suggestions=suggestions, runbook_link=link)
        case TicketOpened(due_at):
            return replace(incident, ticket_due_at=due_at)
        case ClockPutBack(by):
            return moved_incident(incident, by)
        case TicketTold(follow_up=0) | TicketRefused(follow_up=0):
            return replace(incident, ticket=_ticketed(incident.ticket, event))
        case _:
            follow_ups = _followed_up(incident.follow_ups, event, actor, at)
            return _paged(replace(incident, follow_ups=follow_ups), event, actor, at)


_OPENS = {TicketAction.CREATE: True, TicketAction.REOPEN: True, TicketAction.CLOSE: False}


def _ticketed(known: TicketState | None, event: TicketTold | TicketRefused) -> TicketState:
    before = known or TicketState("")
    if isinstance(event, TicketRefused):
        return replace(before, says=event.says, refused=event.reason)
    return TicketState(event.says, event.ref, _OPENS.get(event.action, before.open))


def _followed_up(
    known: tuple[FollowUp, ...], event: IncidentEvent, actor: Actor, at: datetime
) -> tuple[FollowUp, ...]:
    """The part of `evolve` about what is to be done afterwards."""
    match event:
        case FollowUpAdded(number, text):
            return (*known, FollowUp(number, text, actor.name, at))
        case FollowUpDone(number):
            return changed(known, number, done=True)
        case FollowUpReopened(number):
            return changed(known, number, done=False)
        case TicketTold(follow_up=number) | TicketRefused(follow_up=number):
            told = next((one.ticket for one in known if one.number == number), None)
            return changed(known, number, ticket=_ticketed(told, event))
        case _:
            return known


def _paged(incident: Incident, event: IncidentEvent, actor: Actor, at: datetime) -> Incident:
    """The part of `evolve` about who was told."""
    calling = incident.calling or Calling(at)
    match event:
        case PageSent(action, severity):
            page = PageState(action, severity, at=at)
            return replace(incident, page=page, calling=replace(calling, retry_at=None))
        case PageRefused(action, reason):
            page = PageState(action, incident.severity, reason, at)
            return replace(incident, page=page, calling=replace(calling, retry_at=None))
        case PageDelayed(retry_in=seconds):
            retry_at = at + timedelta(seconds=seconds)
            return replace(incident, calling=replace(calling, retry_at=retry_at))
        case PageConfirmed(by):
            return replace(incident, calling=replace(calling, confirmed_by=by))
        case FallbackUsed(contact, _, failed):
            calling = replace(
                calling,
                contacts_used=calling.contacts_used + 1,
                fallback_at=calling.fallback_at if failed else at,
            )
            second = incident.second_page or contact == _SECOND_PAGER
            return replace(incident, calling=calling, second_page=second)
        case SecondPageClosed():
            return replace(incident, second_page=False)
        case _:
            return _answered(incident, event, actor, at)


def _answered(incident: Incident, event: IncidentEvent, actor: Actor, at: datetime) -> Incident:
    """The part of `evolve` about who answers."""
    response = incident.response
    match event:
        case EscalationPlanned(plan, times):
            response = replace(response, plan=plan, times=times)
        case Escalated(contact, level, number):
            second = incident.second_page or contact == _SECOND_PAGER
            done = StepsDone(level, number, at)
            return replace(incident, second_page=second, response=replace(response, done=done))
        case StillOnItAsked():
            response = replace(response, asked_at=at)
        case ResponseOverdue():
            response = replace(response, overdue=True)
        case Acknowledged() | Mitigated():
            response = replace(response, first_at=response.first_at or at)
    return _move(replace(incident, response=response), event, actor, at)


def _counted(incident: Incident, change: AlertsChanged) -> Incident:
    return replace(
        incident,
        firing=change.firing,
        unseen=change.unseen,
        flaps=flaps_after(incident, change),
        quiet_until=None if change.firing else incident.quiet_until,
    )


def _said(incident: Incident, event: SeverityOverridden) -> Classification:
    digest = incident.classification.policy_digest
    return Classification(event.level, OVERRIDE_RULE, event.reason, digest)


def _move(incident: Incident, event: IncidentEvent, actor: Actor, at: datetime) -> Incident:
    """The part of `evolve` that changes the state."""
    match event:
        case Acknowledged():
            moved = replace(
                incident, state=_S.ACKNOWLEDGED, acknowledged_by=actor, acknowledged_at=at
            )
        case Unacknowledged():
            moved = replace(
                incident, state=_S.TRIGGERED, acknowledged_by=None, acknowledged_at=None
            )
        case Mitigated():
            moved = replace(incident, state=_S.MITIGATED)
        case Resolved():
            moved = replace(incident, state=_S.RESOLVED, resolved_at=at, quiet_until=None)
        case Absorbed(by):
            moved = replace(
                incident,
                state=_S.RESOLVED,
                resolved_at=at,
                quiet_until=None,
                absorbed_by=by,
                firing=0,
            )
        case Reopened():
            moved = replace(
                incident,
                state=_S.TRIGGERED,
                resolved_at=None,
                acknowledged_by=None,
                acknowledged_at=None,
                absorbed_by=None,
                suppressed_by=None,
            )
        case Closed():
            moved = replace(incident, state=_S.CLOSED, overridden_by=None)
        case _:
            return incident
    return _told_by_pager(moved, event, actor, at)


SAID_BY_PAGER = "by what was done at the pager"
"""How a page is known to stand that somebody opened again there."""

_SAID_BY_PAGER: Mapping[type[IncidentEvent], PageAction] = {
    Acknowledged: PageAction.ACKNOWLEDGE,
    Unacknowledged: PageAction.TRIGGER,
    Resolved: PageAction.RESOLVE,
    Reopened: PageAction.TRIGGER,
}


def _told_by_pager(
    incident: Incident, event: IncidentEvent, actor: Actor, at: datetime
) -> Incident:
    """What the pager itself told us, it need not be told: so no echo goes back."""
    action = _SAID_BY_PAGER.get(type(event))
    if actor.kind is not ActorKind.PAGERDUTY or action is None:
        return incident
    told = replace(incident, page=PageState(action, incident.severity, at=at))
    return replace(told, calling=Calling(at, SAID_BY_PAGER)) if told.wakes else told
