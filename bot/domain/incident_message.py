"""What the chat shows of an incident: its state, why it has its level, what to press."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.domain.declaration import DECLARED_RULE
from bot.domain.follow_up import follow_ups_left
from bot.domain.incident import OVERRIDE_RULE, Command, Incident, IncidentState
from bot.domain.maintenance import Window
from bot.domain.message import Button, ButtonStyle, Field, Message, Subject, SubjectKind
from bot.domain.page_events import PageAction
from bot.domain.response_clock import (
    confirmation,
    fallback_used,
    named,
    next_call,
    respond_by,
)

INCIDENT_ACTION = "incident."
"""Prefix of an incident button's action; the command's name follows."""

SUGGESTION_ACTION = "suggestion."
"""Prefix of the action of a button that plans a runbook; the rule that suggests it follows.

The value is the incident's id, a colon, and the suggestion's key.
"""

_BUTTONS = {
    IncidentState.TRIGGERED: (Command.ACKNOWLEDGE, Command.RESOLVE),
    IncidentState.ACKNOWLEDGED: (Command.MITIGATE, Command.RESOLVE),
    IncidentState.MITIGATED: (Command.RESOLVE,),
    IncidentState.RESOLVED: (Command.REOPEN,),
    IncidentState.CLOSED: (),
}
_STYLES = {Command.ACKNOWLEDGE: ButtonStyle.PRIMARY, Command.RESOLVE: ButtonStyle.DANGER}
_MARKS = {
    IncidentState.TRIGGERED: "🔴",
    IncidentState.ACKNOWLEDGED: "🟡",
    IncidentState.MITIGATED: "🔵",
    IncidentState.RESOLVED: "✅",
    IncidentState.CLOSED: "⚪",
}


def incident_message(incident: Incident, window: Window | None = None) -> Message:
    """The one message about an incident; `window` is the one that suppresses it."""
    return Message(
        subject=Subject(SubjectKind.INCIDENT, incident.id),
        headline=f"{_MARKS[incident.state]} {incident.severity} {incident.title}",
        body=incident.summary,
        fields=_fields(incident, window),
        buttons=(*(_button(incident, one) for one in _BUTTONS[incident.state]), *_plans(incident)),
        links=(incident.runbook_link,) if incident.runbook_link else (),
        footer=_footer(incident),
    )


def incident_line(incident: Incident) -> str:
    """An incident in one line, for lists."""
    return (
        f"{_MARKS[incident.state]} {incident.reference} {incident.severity} "
        f"{incident.state.value}: {incident.title}"
    )


def _fields(incident: Incident, window: Window | None) -> tuple[Field, ...]:
    level = incident.severity
    fields = [
        Field("Incident", incident.reference),
        Field("Severity", f"{level} {level.meaning}"),
        Field("State", _state(incident)),
        Field("Alerts firing", _firing(incident)),
        Field("Why", _why(incident)),
        Field("Page", _page(incident)),
    ]
    if incident.ticket is not None:
        fields.append(Field("Ticket", incident.ticket.standing))
    fields.extend(_clocks(incident))
    if incident.follow_ups:
        fields.append(Field("Follow-ups", follow_ups_left(incident.follow_ups)))
    if incident.suppressed_by is not None and not incident.state.over:
        fields.append(Field("Maintenance", _maintenance(incident.suppressed_by, window)))
    return tuple(fields)


def _clocks(incident: Incident) -> Iterator[Field]:
    """Until when somebody must respond, and who is called next."""
    until, coming = respond_by(incident), next_call(incident)
    if until is not None and incident.response.overdue:
        yield Field("Response", f"OVERDUE since {_clock(until)}")
    elif until is not None and incident.severity.pages:
        # A ticket's is shown with the ticket.
        yield Field("Response", f"due by {_clock(until)}")
    if coming is not None:
        yield Field("Next", f"{named(coming.contact)}, {_clock(coming.at)}")


def _clock(at: datetime) -> str:
    return f"{at:%d %b %H:%M} UTC"


def _state(incident: Incident) -> str:
    if incident.absorbed_by is not None:
        return f"{incident.state.value}, part of INC-{incident.absorbed_by}"
    if incident.acknowledged_by is not None and not incident.state.over:
        return f"{incident.state.value} by {incident.acknowledged_by.name}"
    return incident.state.value


def _firing(incident: Incident) -> str:
    parts = [str(incident.firing)]
    if incident.unseen:
        parts[0] += f" (and {incident.unseen} left out)"
    if incident.flaps:
        parts.append(f"came back {_times(incident.flaps)}")
    if incident.quiet_until is not None and not incident.state.over:
        parts.append(f"resolved if quiet until {incident.quiet_until:%H:%M} UTC")
    return ", ".join(parts)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _why(incident: Incident) -> str:
    why = incident.classification
    if why.rule == DECLARED_RULE:
        return why.reason
    setter = incident.overridden_by.name if incident.overridden_by else "a person"
    by = f"set by {setter}" if why.rule == OVERRIDE_RULE else f"rule {why.rule}"
    return f"{why.reason} ({by})"


def _maintenance(window_id: int, window: Window | None) -> str:
    if window is None:
        return f"MW-{window_id} covers it"
    return f"{window.reference} covers it until {window.ends_at:%d %b %H:%M} UTC: {window.reason}"


_TOLD = {
    PageAction.TRIGGER: "on-call paged",
    PageAction.ACKNOWLEDGE: "acknowledged",
    PageAction.RESOLVE: "resolved",
}


def _page(incident: Incident) -> str:
    page = incident.page
    if page is not None and page.refused:
        return f"REFUSED: {page.refused}"
    if incident.suppressed_by is not None and not incident.state.over:
        return _held_back(incident)
    if page is not None and (incident.severity.pages or incident.state.over):
        told = (_TOLD[page.action], confirmation(incident), fallback_used(incident))
        return ", ".join(part for part in told if part)
    if incident.ticket_due_at is not None and not incident.severity.pages:
        ended = "none" if page is None else "ended"
        return f"{ended}; ticket, due {incident.ticket_due_at:%d %b %H:%M} UTC"
    if _taken(incident):
        return "none: it was taken before the page went out"
    return ", ".join(part for part in ("on its way", fallback_used(incident)) if part)


def _held_back(incident: Incident) -> str:
    if incident.page is not None:
        return f"ended by MW-{incident.suppressed_by}"
    if not incident.severity.pages:
        return "none, and no ticket during maintenance"
    return f"held back by MW-{incident.suppressed_by}"


def _taken(incident: Incident) -> bool:
    return incident.state is not IncidentState.TRIGGERED


def _button(incident: Incident, command: Command) -> Button:
    return Button(
        action=f"{INCIDENT_ACTION}{command.value}",
        value=str(incident.id),
        label=command.value.capitalize(),
        style=_STYLES.get(command, ButtonStyle.DEFAULT),
    )


def _plans(incident: Incident) -> Iterator[Button]:
    """Buttons that plan the runbooks that are suggested; nothing runs by them."""
    for one in incident.suggestions if not incident.state.over else ():
        value = f"{incident.id}:{one.key}"
        yield Button(f"{SUGGESTION_ACTION}{one.rule}", value, f"Plan {one.title}")


def _footer(incident: Incident) -> str:
    opened = f"Opened {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{opened} · /incident timeline {incident.id} tells the story"
