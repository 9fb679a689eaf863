"""Answers to what is asked about incidents."""

from __future__ import annotations

from dataclasses import replace

from bot.app.declarations import Declarations
from bot.app.incidents import Incidents
from bot.app.pager_notes import reaches_pager
from bot.app.why import Explanations
from bot.domain import requests as asked
from bot.domain.actor import Actor
from bot.domain.classify import Severity
from bot.domain.declaration import Declaration
from bot.domain.incident import Command
from bot.domain.incident_message import incident_line, incident_message
from bot.domain.message import Message
from bot.domain.requests import IncidentRequest
from bot.domain.why_message import why_message

ON_TIMELINE_ONLY = "On its timeline only: it pages nobody, so there is no page to note it on."

SHOWN_ENTRIES = 40
"""Timeline entries in one chat message; the newest are the ones wanted at night."""


class IncidentAnswers:
    """Works incidents, and says what came of it."""

    def __init__(
        self, incidents: Incidents, explanations: Explanations, declarations: Declarations
    ) -> None:
        self._incidents = incidents
        self._explanations = explanations
        self._declarations = declarations

    def to(self, request: IncidentRequest, actor: Actor, token: str) -> Message:
        """The answer. Raises `InvalidInput` for what can't be done.

        `token` is the same for all repeats of one request, and no other's.
        """
        match request:
            case asked.ListIncidents(everything):
                return self._list(everything)
            case asked.ShowIncident(incident_id):
                return self._show(incident_id)
            case asked.ExplainIncident(incident_id):
                return why_message(self._explanations.why(incident_id))
            case asked.ShowTimeline(incident_id):
                return self._timeline(incident_id)
            case asked.ActOnIncident(incident_id, command):
                return self.act(incident_id, command, actor)
            case asked.AddNote(incident_id, text):
                incident = self._incidents.note(incident_id, text, actor)
                where = "" if reaches_pager(incident) else ON_TIMELINE_ONLY
                return Message(headline=f"Noted on {incident.reference}.", body=where)
            case asked.OverrideSeverity(incident_id, level, reason):
                return self._override(incident_id, level, reason, actor)
            case asked.DeclareIncident(declaration):
                return self._declare(declaration, token, actor)

    def act(self, incident_id: int, command: Command, actor: Actor) -> Message:
        """Do something to an incident."""
        incident = self._incidents.command(incident_id, command, actor)
        return Message(headline=f"{incident.reference} is {incident.state.value}: {incident.title}")

    def _override(self, incident_id: int, level: Severity, reason: str, actor: Actor) -> Message:
        before, incident = self._incidents.override(incident_id, level, reason, actor)
        return Message(
            headline=f"{incident.reference}: {before} → {incident.severity}, set by {actor.name}",
            body="Rules leave the level alone until the incident is closed.",
        )

    def _declare(self, declaration: Declaration, token: str, actor: Actor) -> Message:
        incident = self._declarations.declare(declaration, token, actor)
        level = incident.severity
        paged, entered = "Whoever is on call is paged.", "It is a ticket: nobody is paged."
        return Message(
            headline=f"{incident.reference} declared as {level}: {incident.title}",
            body=f"{paged if level.pages else entered} It is over when a person resolves it.",
        )

    def _list(self, everything: bool) -> Message:
        incidents = self._incidents.newest(only_open=not everything)
        which = "Incidents" if everything else "Open incidents"
        if not incidents:
            return Message(headline="No incidents." if everything else "No open incidents.")
        return Message(
            headline=f"{which}: {len(incidents)}",
            preformatted="\n".join(incident_line(incident) for incident in incidents),
        )

    def _show(self, incident_id: int) -> Message:
        shown = incident_message(*self._incidents.with_window(incident_id))
        alerts = self._incidents.alerts(incident_id, limit=20)
        lines = [f"{known.alert.status.value}: {known.alert.summary}" for known in alerts]
        return replace(shown, preformatted="\n".join(lines), subject=None)

    def _timeline(self, incident_id: int) -> Message:
        incident, story = self._incidents.timeline(incident_id)
        shown = story[-SHOWN_ENTRIES:]
        left_out = len(story) - len(shown)
        lines = [f"{one.at:%H:%M:%S} {one.actor}: {one.text}" for one in shown]
        return Message(
            headline=f"Timeline of {incident.reference} (UTC)",
            preformatted="\n".join([f"… {left_out} earlier", *lines] if left_out else lines),
        )
