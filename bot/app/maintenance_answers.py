"""Answers to what is asked about maintenance windows and silences."""

from __future__ import annotations

from bot.app.maintenance import Maintenance
from bot.domain import requests as asked
from bot.domain.actor import Actor
from bot.domain.maintenance_message import window_line, window_message
from bot.domain.message import Message
from bot.domain.requests import WindowRequest
from bot.ports import Clock


class MaintenanceAnswers:
    """Plans, shows and ends windows, and says what came of it."""

    def __init__(self, maintenance: Maintenance, clock: Clock) -> None:
        self._maintenance = maintenance
        self._clock = clock

    def to(self, request: WindowRequest, actor: Actor) -> Message:
        """The answer. Raises `InvalidInput` for what can't be done."""
        now = self._clock.now()
        match request:
            case asked.PlanWindow(matchers, lasts, _, reason):
                begins = request.starts_at(now)
                planned = self._maintenance.plan(matchers, begins, lasts, reason, actor)
                return window_message(planned, now)
            case asked.SilenceIncident(incident_id, lasts, reason):
                return window_message(
                    self._maintenance.silence(incident_id, lasts, reason, actor), now
                )
            case asked.ListWindows(everything):
                return self._list(everything)
            case asked.ShowWindow(window_id):
                return self._show(window_id)
            case asked.EndWindow(window_id):
                ended = self._maintenance.end(window_id, actor)
                return Message(
                    headline=f"{ended.reference} has ended: {ended.reason}",
                    body="What still fires is looked at now, and pages if it has to.",
                )

    def _list(self, everything: bool) -> Message:
        windows = self._maintenance.newest(everything=everything)
        which = "Maintenance windows" if everything else "Maintenance windows, active or planned"
        if not windows:
            return Message(headline=f"{which}: none")
        now = self._clock.now()
        lines = [window_line(one, now) for one in windows]
        return Message(headline=f"{which}: {len(lines)}", preformatted="\n".join(lines))

    def _show(self, window_id: int) -> Message:
        window, hidden = self._maintenance.show(window_id)
        return window_message(
            window,
            self._clock.now(),
            [one.incident for one in hidden if one.still],
            [one.incident for one in hidden if not one.still],
        )
