"""An incident: one problem, from its first alert to its review.

`TRANSITIONS` is the whole state machine for what people do. What alerts do is
`receive`. Both decide without changing anything: they return events, which
`incident_evolution.py` applies. Severity is raised by rules and lowered only by people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.actor import Actor
from bot.domain.classify import Classification, Severity
from bot.domain.errors import IllegalTransition, InvalidInput
from bot.domain.escalation import StepsDone
from bot.domain.escalation_policy import EscalationPlan, default_response_times
from bot.domain.flapping import Flapping
from bot.domain.follow_up import FollowUp
from bot.domain.incident_events import (
    Acknowledged,
    AlertsChanged,
    AlertsTakenOver,
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
    Unacknowledged,
)
from bot.domain.page_events import PageAction
from bot.domain.suggestion import MOST, Suggestion
from bot.domain.ticket import TicketState
from bot.domain.ticket_events import TicketOpened
from bot.domain.web_link import WebLink


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


@dataclass(frozen=True, slots=True)
class PageState:
    """What the pager was told last, and the urgency it was told; None before the first page."""

    action: PageAction
    severity: Severity
    refused: str = ""
    """Why the pager would not take what it was told, or empty."""
    at: datetime | None = field(default=None, compare=False)
    """When it was told; two states are the same that differ in nothing else."""


@dataclass(frozen=True, slots=True)
class Calling:
    """Somebody has to be woken, and since when; what was done about it in that time."""

    since: datetime
    confirmed_by: str = ""
    """How it is known that the page stands at the pager; empty while it isn't."""
    retry_at: datetime | None = None
    """When the page is tried again that failed last."""
    contacts_used: int = 0
    """How far down the fallback chain it went."""
    fallback_at: datetime | None = None
    """When a contact of the fallback chain took it last."""


@dataclass(frozen=True, slots=True)
class Response:
    """How the incident climbs when nobody answers, and whether somebody did in time."""

    plan: EscalationPlan = field(default_factory=EscalationPlan)
    times: Mapping[Severity, timedelta] = field(default_factory=default_response_times)
    """How soon somebody must respond, by level."""
    done: StepsDone | None = None
    heard_at: datetime | None = None
    """When a person was last heard of on it."""
    asked_at: datetime | None = None
    """When whoever took it was last asked whether they are still on it."""
    first_at: datetime | None = None
    """When somebody first took it."""
    overdue: bool = False


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
    ticket: TicketState | None = None
    """What a tracker was told; None while the ticket is only on Tocsin's own list."""
    follow_ups: tuple[FollowUp, ...] = ()
    """What is to be done after it; number 1 is the first."""
    page: PageState | None = None
    calling: Calling | None = None
    """None while nobody has to be woken for it."""
    second_page: bool = False
    """Whether a page stands at the second pager."""
    response: Response = field(default_factory=Response)
    flaps: int = 0
    """How often its alerts fired again after all of them had been resolved."""
    quiet_until: datetime | None = None
    """Nothing fires; when it is resolved if that stays so. None while anything fires."""
    suppressed_by: int | None = None
    """The maintenance window that covers all that fires, if one does."""
    absorbed_by: int | None = None
    """The incident that it turned out to be a part of."""
    overridden_by: Actor | None = None
    """The person who set the level, which rules then leave alone."""
    suggestions: tuple[Suggestion, ...] = ()
    """The runbooks that its alerts suggest."""
    runbook_link: WebLink | None = None
    """Where its alerts say to read what to do."""

    @property
    def severity(self) -> Severity:
        """The level that it has now."""
        return self.classification.level

    @property
    def reference(self) -> str:
        """How people name it."""
        return f"INC-{self.id}"

    @property
    def wakes(self) -> bool:
        """Whether somebody has to be woken for it now."""
        nobody_has_it = self.state is IncidentState.TRIGGERED
        return nobody_has_it and self.severity.pages and self.suppressed_by is None


def opening(
    group_key: str,
    title: str,
    summary: str,
    classification: Classification,
    now: datetime,
    previous: str = "",
) -> IncidentOpened:
    """The event that opens an incident.

    The pager's key is derived from what is committed with the incident, so every try
    to page it, by whichever process, uses the same one. `previous` is the key of the
    group's incident before it: one moment may see the end of that and the next one's begin.
    """
    seed = f"{group_key}\n{now.isoformat()}\n{previous}"
    dedup_key = f"tocsin-{hashlib.sha256(seed.encode()).hexdigest()[:32]}"
    return IncidentOpened(group_key, title, summary, classification, dedup_key)


def ticket(incident: Incident, now: datetime) -> tuple[TicketOpened, ...]:
    """The ticket that an open incident needs when it pages nobody, unless it has one."""
    paged = incident.severity.pages or incident.suppressed_by is not None
    if paged or incident.state.over or incident.ticket_due_at is not None:
        return ()
    return (TicketOpened(now + incident.response.times[incident.severity]),)


def rejoins(incident: Incident, flapping: Flapping, now: datetime) -> bool:
    """Whether a firing alert of the same group belongs to this incident, not to a new one."""
    if incident.state is IncidentState.CLOSED or incident.absorbed_by is not None:
        return False
    return incident.resolved_at is None or flapping.rejoins(incident.resolved_at, now)


def receive(
    incident: Incident,
    change: AlertsChanged,
    worst: Classification | None,
    flapping: Flapping,
    now: datetime,
) -> tuple[IncidentEvent, ...]:
    """What a change of its alerts means; `worst` classifies the worst alert that fired."""
    events: list[IncidentEvent] = [change]
    if worst is not None:
        events.extend(raising(incident, worst))
    if change.fired_count and incident.state.over:
        events.append(Reopened("Its alerts are firing again."))
    if change.resolved_count and not (change.firing or change.unseen or incident.state.over):
        events.append(_quiet(flapping.quiet(incident.flaps), now))
    return tuple(events)


def raising(incident: Incident, worst: Classification) -> tuple[IncidentEvent, ...]:
    """What follows from a classification: the level rises, and never falls by itself."""
    if incident.overridden_by is not None or not worst.level.worse_than(incident.severity):
        return ()
    return (SeverityRaised(incident.severity, worst), *_woken(incident, worst.level))


def _woken(incident: Incident, level: Severity) -> tuple[Reopened, ...]:
    """Who took a ticket in the afternoon need not be awake when it has to page."""
    taken = incident.state in (_S.ACKNOWLEDGED, _S.MITIGATED)
    if taken and level.pages and not incident.severity.pages:
        return (Reopened("It was taken as a ticket, and now it has to page."),)
    return ()


def _quiet(wait: timedelta, now: datetime) -> IncidentEvent:
    if wait:
        return Quieted(now + wait)
    return Resolved("All its alerts are resolved.")


def suggest(
    incident: Incident, found: Sequence[Suggestion], link: WebLink | None
) -> tuple[RunbooksSuggested, ...]:
    """What is new about the runbooks that its alerts suggest; `MOST` of them at most."""
    if incident.state.over:
        return ()
    known = {one.key for one in incident.suggestions}
    room = MOST - len(known)
    new = tuple(one for one in found if one.key not in known)[:room]
    new_link = link if incident.runbook_link is None else None
    return (RunbooksSuggested(new, new_link),) if new or new_link else ()


def settle(incident: Incident, now: datetime) -> tuple[IncidentEvent, ...]:
    """What follows when an incident has been quiet for as long as it had to be."""
    if incident.quiet_until is None or incident.quiet_until > now or incident.state.over:
        return ()
    return (Resolved("All its alerts are resolved, and none has fired again since."),)


OVERRIDE_RULE = "override"
"""What stands where a rule's name would, when a person set the level."""

LONGEST_REASON = 500
"""Characters of the reason for an override or a window; it is shown in one line."""


def override(incident: Incident, level: Severity, reason: str) -> tuple[IncidentEvent, ...]:
    """A person sets the level, for a reason; it stays until the incident is closed."""
    if incident.state is IncidentState.CLOSED:
        raise IllegalTransition(f"{incident.reference} is closed; reopen it to set its level.")
    if not reason.strip():
        raise InvalidInput(f"Say why {incident.reference} is {level}, after the level.")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(f"The reason is longer than {LONGEST_REASON} characters; shorten it.")
    overridden = SeverityOverridden(incident.severity, level, reason.strip())
    return (overridden, *_woken(incident, level))


def absorb(parent: Incident, child: Incident) -> tuple[IncidentEvent, ...]:
    """What happens to `parent` when `child` turns out to be a part of it."""
    taken = AlertsTakenOver(child.id, child.title, parent.firing + child.firing)
    return (taken, *raising(parent, child.classification))


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


def flaps_after(incident: Incident, change: AlertsChanged) -> int:
    """How often its alerts have fired again after all were resolved, this change included."""
    quiet = incident.quiet_until is not None or incident.state.over
    again = change.fired_count > 0 and quiet and not incident.firing
    return incident.flaps + (1 if again else 0)
