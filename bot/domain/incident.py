"""An incident: one problem, from its first alert to its review.

`TRANSITIONS` is the whole state machine for what people do. What alerts do is
`receive`. Both decide without changing anything: they return events, and `evolve`
applies them. Severity is raised by rules at any time and lowered only by people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.actor import Actor, ActorKind
from bot.domain.classify import Classification, Severity
from bot.domain.errors import IllegalTransition
from bot.domain.incident_events import (
    Acknowledged,
    AlertsChanged,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    PageAction,
    PageRefused,
    PageSent,
    Reopened,
    Resolved,
    SeverityRaised,
    TicketOpened,
    Unacknowledged,
)


class IncidentState(StrEnum):
    """Where an incident stands."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def over(self) -> bool:
        """Whether nobody needs to act on it."""
        return self in (IncidentState.RESOLVED, IncidentState.CLOSED)


class Command(StrEnum):
    """What a person can do to an incident."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"


_S, _C = IncidentState, Command
TRANSITIONS: Mapping[tuple[IncidentState, Command], IncidentState] = {
    (_S.TRIGGERED, _C.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.TRIGGERED, _C.MITIGATE): _S.MITIGATED,
    (_S.TRIGGERED, _C.RESOLVE): _S.RESOLVED,
    (_S.ACKNOWLEDGED, _C.UNACKNOWLEDGE): _S.TRIGGERED,
    (_S.ACKNOWLEDGED, _C.MITIGATE): _S.MITIGATED,
    (_S.ACKNOWLEDGED, _C.RESOLVE): _S.RESOLVED,
    (_S.MITIGATED, _C.UNACKNOWLEDGE): _S.TRIGGERED,
    (_S.MITIGATED, _C.RESOLVE): _S.RESOLVED,
    (_S.RESOLVED, _C.REOPEN): _S.TRIGGERED,
    (_S.RESOLVED, _C.CLOSE): _S.CLOSED,
    (_S.CLOSED, _C.REOPEN): _S.TRIGGERED,
}
"""Every transition that people can cause; a pair that is missing is refused."""

REJOIN_WINDOW = timedelta(minutes=15)
"""How long after its resolution a group's next alert rejoins the same incident.

Three times Prometheus' usual `for: 5m`, so that a condition that comes and goes around
its threshold stays one incident, and one page.
"""

RESPONSE_TIMES: Mapping[Severity, timedelta] = {
    Severity.P0: timedelta(minutes=15),
    Severity.P1: timedelta(hours=1),
    Severity.P2: timedelta(hours=4),
    Severity.P3: timedelta(hours=24),
}
"""How soon somebody must respond, by level (design.md, "The seed's numbers")."""


@dataclass(frozen=True, slots=True)
class PageState:
    """What the pager was told last, and the urgency it was told; None before the first page."""

    action: PageAction
    severity: Severity
    refused: str = ""
    """Why the pager would not take what it was told, or empty."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as its events have made it."""

    id: int
    group_key: str
    title: str
    summary: str
    classification: Classification
    dedup_key: str
    opened_at: datetime
    state: IncidentState = IncidentState.TRIGGERED
    firing: int = 0
    unseen: int = 0
    acknowledged_by: Actor | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    ticket_due_at: datetime | None = None
    page: PageState | None = None

    @property
    def severity(self) -> Severity:
        """The level that it has now."""
        return self.classification.level

    @property
    def reference(self) -> str:
        """How people name it."""
        return f"INC-{self.id}"


def opening(
    group_key: str, title: str, summary: str, classification: Classification, now: datetime
) -> tuple[IncidentOpened, *tuple[IncidentEvent, ...]]:
    """The events that open an incident; levels that don't page enter a ticket as well.

    The pager's key is derived from what is committed with the incident, so every try
    to page it, by whichever process, uses the same one.
    """
    seed = f"{group_key}\n{now.isoformat()}"
    dedup_key = f"tocsin-{hashlib.sha256(seed.encode()).hexdigest()[:32]}"
    opened = IncidentOpened(group_key, title, summary, classification, dedup_key)
    if classification.level.pages:
        return (opened,)
    return (opened, TicketOpened(now + RESPONSE_TIMES[classification.level]))


def rejoins(incident: Incident, now: datetime) -> bool:
    """Whether a firing alert of the same group belongs to this incident, not to a new one."""
    if incident.state is IncidentState.CLOSED:
        return False
    return incident.resolved_at is None or now - incident.resolved_at <= REJOIN_WINDOW


def receive(
    incident: Incident, change: AlertsChanged, worst: Classification | None
) -> tuple[IncidentEvent, ...]:
    """What a change of its alerts means; `worst` classifies the worst alert that fired."""
    events: list[IncidentEvent] = [change]
    level = incident.severity
    if worst is not None and worst.level.worse_than(level):
        events.append(SeverityRaised(level, worst))
        level = worst.level
    if change.fired_count and incident.state.over:
        events.append(Reopened("Its alerts are firing again."))
    elif level.pages and not (incident.severity.pages or incident.state is _S.TRIGGERED):
        # Who took a ticket in the afternoon need not be awake when it has to page.
        events.append(Reopened("It was taken as a ticket, and now it has to page."))
    if change.resolved_count and not (change.firing or change.unseen or incident.state.over):
        events.append(Resolved("All its alerts are resolved."))
    return tuple(events)


def decide(incident: Incident, command: Command) -> tuple[IncidentEvent, ...]:
    """What a person's command does; `IllegalTransition` says why it can't be done."""
    if (incident.state, command) not in TRANSITIONS:
        raise IllegalTransition(
            f"{incident.reference} is {_standing(incident)}; you can’t {command.value} it."
        )
    return (_EVENTS[command],)


_EVENTS: Mapping[Command, IncidentEvent] = {
    Command.ACKNOWLEDGE: Acknowledged(),
    Command.UNACKNOWLEDGE: Unacknowledged(),
    Command.MITIGATE: Mitigated(),
    Command.RESOLVE: Resolved("A person said so."),
    Command.REOPEN: Reopened("A person said so."),
    Command.CLOSE: Closed(),
}


def _standing(incident: Incident) -> str:
    if incident.state is IncidentState.ACKNOWLEDGED and incident.acknowledged_by:
        return f"already acknowledged by {incident.acknowledged_by.name}"
    return incident.state.value


def opened(incident_id: int, event: IncidentOpened, at: datetime) -> Incident:
    """The incident that its first event makes."""
    return Incident(
        id=incident_id,
        group_key=event.group_key,
        title=event.title,
        summary=event.summary,
        classification=event.classification,
        dedup_key=event.dedup_key,
        opened_at=at,
    )


def evolve(incident: Incident, event: IncidentEvent, actor: Actor, at: datetime) -> Incident:
    """The incident after the event."""
    match event:
        case AlertsChanged():
            return replace(incident, firing=event.firing, unseen=event.unseen)
        case SeverityRaised():
            return replace(incident, classification=event.classification)
        case TicketOpened(due_at):
            return replace(incident, ticket_due_at=due_at)
        case PageSent(action, severity):
            return replace(incident, page=PageState(action, severity))
        case PageRefused(action, reason):
            return replace(incident, page=PageState(action, incident.severity, refused=reason))
        case _:
            return _move(incident, event, actor, at)


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
            moved = replace(incident, state=_S.RESOLVED, resolved_at=at)
        case Reopened():
            moved = replace(
                incident,
                state=_S.TRIGGERED,
                resolved_at=None,
                acknowledged_by=None,
                acknowledged_at=None,
            )
        case Closed():
            moved = replace(incident, state=_S.CLOSED)
        case _:
            return incident
    return _told_by_pager(moved, event, actor)


_SAID_BY_PAGER: Mapping[type[IncidentEvent], PageAction] = {
    Acknowledged: PageAction.ACKNOWLEDGE,
    Unacknowledged: PageAction.TRIGGER,
    Resolved: PageAction.RESOLVE,
    Reopened: PageAction.TRIGGER,
}


def _told_by_pager(incident: Incident, event: IncidentEvent, actor: Actor) -> Incident:
    """What the pager itself told us, it need not be told: so no echo goes back."""
    action = _SAID_BY_PAGER.get(type(event))
    if actor.kind is not ActorKind.PAGERDUTY or action is None:
        return incident
    return replace(incident, page=PageState(action, incident.severity))
