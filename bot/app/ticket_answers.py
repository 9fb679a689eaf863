"""Answers to what is asked about tickets and follow-ups."""

from __future__ import annotations

from bot.app.follow_ups import FollowUps
from bot.domain import requests as asked
from bot.domain.actor import Actor
from bot.domain.message import Message
from bot.domain.requests import TicketRequest
from bot.domain.ticket_task import task_line
from bot.ports import Clock

SHOWN = 40
"""Tickets in one chat message, those that are due first."""


class TicketAnswers:
    """Writes follow-ups down, and lists what is left to do."""

    def __init__(self, follow_ups: FollowUps, clock: Clock) -> None:
        self._follow_ups = follow_ups
        self._clock = clock

    def to(self, request: TicketRequest, actor: Actor) -> Message:
        """The answer. Raises `InvalidInput` for what can't be done."""
        match request:
            case asked.AddFollowUp(incident_id, text):
                incident = self._follow_ups.add(incident_id, text, actor)
                added = incident.follow_ups[-1]
                return Message(headline=f"{incident.reference}, follow-up {added.number}: noted.")
            case asked.MarkFollowUp(incident_id, number, done):
                incident = self._follow_ups.mark(incident_id, number, actor, done=done)
                state = "is done" if done else "is to be done"
                return Message(headline=f"{incident.reference}, follow-up {number} {state}.")
            case asked.ListTickets():
                return self._list()

    def _list(self) -> Message:
        tasks = self._follow_ups.tickets()
        if not tasks:
            return Message(headline="Nothing is left to do.")
        now = self._clock.now()
        lines = [task_line(task, now) for task in tasks[:SHOWN]]
        left_out = len(tasks) - len(lines)
        return Message(
            headline=f"Left to do: {len(tasks)}",
            preformatted="\n".join([*lines, f"… and {left_out} more"] if left_out else lines),
        )
