"""Answers to slash commands and buttons: one request in, one message out.

Slack, the web page and whatever comes later ask here, so that they all do the same.
"""

from __future__ import annotations

from bot.app.incident_answers import IncidentAnswers
from bot.app.maintenance_answers import MaintenanceAnswers
from bot.app.oncall import OnCallRequests
from bot.app.run_answers import RunAnswers
from bot.app.ticket_answers import TicketAnswers
from bot.domain.actor import Actor
from bot.domain.commands import usage
from bot.domain.errors import InvalidInput
from bot.domain.incident import Command
from bot.domain.incident_message import INCIDENT_ACTION, SUGGESTION_ACTION
from bot.domain.message import Message
from bot.domain.requests import (
    Help,
    IncidentRequest,
    Request,
    ShowOnCall,
    TicketRequest,
    WindowRequest,
)
from bot.domain.run import RunCommand
from bot.domain.run_message import RUN_ACTION

_COMMANDS = {f"{INCIDENT_ACTION}{command.value}": command for command in Command}
_RUN_COMMANDS = {f"{RUN_ACTION}{command.value}": command for command in RunCommand}
_KNOWN = frozenset({*_COMMANDS, *_RUN_COMMANDS})


class Answers:
    """Does what was asked, and says what came of it."""

    def __init__(
        self,
        incidents: IncidentAnswers,
        tickets: TicketAnswers,
        maintenance: MaintenanceAnswers,
        runs: RunAnswers,
        on_call: OnCallRequests,
    ) -> None:
        self._incidents = incidents
        self._tickets = tickets
        self._maintenance = maintenance
        self._runs = runs
        self._on_call = on_call

    def to(self, request: Request, actor: Actor, response_url: str) -> Message:
        """The answer, for the one who asked. Raises `InvalidInput` for what can't be done.

        `response_url` is where a later answer goes, for requests that need a vendor.
        """
        if isinstance(request, Help):
            command = request.command
            return Message(headline=f"What {command} can do", preformatted=usage(command))
        if isinstance(request, IncidentRequest):
            return self._incidents.to(request, actor, response_url)
        if isinstance(request, TicketRequest):
            return self._tickets.to(request, actor)
        if isinstance(request, WindowRequest):
            return self._maintenance.to(request, actor)
        if isinstance(request, ShowOnCall):
            return self._on_call.to(request, response_url)
        return self._runs.to(request, actor, response_url)

    def press(self, action: str, value: str, actor: Actor) -> Message | None:
        """What a button does; None when there is nothing to say beyond the updated message."""
        number, _, shown = value.partition(":")
        suggested = action.startswith(SUGGESTION_ACTION)
        if not (suggested or action in _KNOWN) or not number.isdecimal():
            raise InvalidInput("This button belongs to another version of Tocsin; use the command.")
        if suggested:
            return self._runs.suggested(int(number), shown, actor)
        if action in _COMMANDS:
            self._incidents.act(int(number), _COMMANDS[action], actor)
        else:
            self._runs.press(_RUN_COMMANDS[action], int(number), shown, actor)
        return None
