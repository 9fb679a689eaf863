"""What the chat shows of an incident: its state, why it has its level, what to press."""

from __future__ import annotations

from bot.domain.incident import Command, Incident, IncidentState
from bot.domain.incident_events import PageAction
from bot.domain.message import Button, ButtonStyle, Field, Message, Subject, SubjectKind

INCIDENT_ACTION = "incident."
"""Prefix of an incident button's action; the command's name follows."""

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


def incident_message(incident: Incident) -> Message:
    """The one message about an incident."""
    return Message(
        subject=Subject(SubjectKind.INCIDENT, incident.id),
        headline=f"{_MARKS[incident.state]} {incident.severity} {incident.title}",
        body=incident.summary,
        fields=_fields(incident),
        buttons=tuple(_button(incident, command) for command in _BUTTONS[incident.state]),
        footer=_footer(incident),
    )


def incident_line(incident: Incident) -> str:
    """An incident in one line, for lists."""
    return (
        f"{_MARKS[incident.state]} {incident.reference} {incident.severity} "
        f"{incident.state.value}: {incident.title}"
    )


def _fields(incident: Incident) -> tuple[Field, ...]:
    level = incident.severity
    fields = [
        Field("Incident", incident.reference),
        Field("Severity", f"{level} {level.meaning}"),
        Field("State", _state(incident)),
        Field("Alerts firing", _firing(incident)),
        Field("Why", f"{incident.classification.reason} (rule {incident.classification.rule})"),
        Field("Page", _page(incident)),
    ]
    return tuple(fields)


def _state(incident: Incident) -> str:
    if incident.acknowledged_by is not None and not incident.state.over:
        return f"{incident.state.value} by {incident.acknowledged_by.name}"
    return incident.state.value


def _firing(incident: Incident) -> str:
    return (
        f"{incident.firing} (and {incident.unseen} left out)"
        if incident.unseen
        else str(incident.firing)
    )


_TOLD = {
    PageAction.TRIGGER: "on-call paged",
    PageAction.ACKNOWLEDGE: "acknowledged",
    PageAction.RESOLVE: "resolved",
}


def _page(incident: Incident) -> str:
    if incident.page is not None:
        refused = incident.page.refused
        return f"REFUSED: {refused}" if refused else _TOLD[incident.page.action]
    if incident.ticket_due_at is not None and not incident.severity.pages:
        return f"none; ticket, due {incident.ticket_due_at:%d %b %H:%M} UTC"
    return "none: it was taken before the page went out" if _taken(incident) else "on its way"


def _taken(incident: Incident) -> bool:
    return incident.state is not IncidentState.TRIGGERED


def _button(incident: Incident, command: Command) -> Button:
    return Button(
        action=f"{INCIDENT_ACTION}{command.value}",
        value=str(incident.id),
        label=command.value.capitalize(),
        style=_STYLES.get(command, ButtonStyle.DEFAULT),
    )


def _footer(incident: Incident) -> str:
    opened = f"Opened {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{opened} · /incident timeline {incident.id} tells the story"
