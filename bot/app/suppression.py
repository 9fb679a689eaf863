"""Suppression: an incident is quiet while maintenance windows cover all that fires in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.alert import Alert
from bot.domain.incident import Incident
from bot.domain.incident_events import Suppressed, Unsuppressed
from bot.domain.maintenance import Window, covering
from bot.ports import Transaction


def suppressing(
    suppressed_by: int | None, firing: Sequence[Alert], windows: Sequence[Window], now: datetime
) -> tuple[Suppressed | Unsuppressed, ...]:
    """What changes for an incident with these alerts, which that window suppressed so far."""
    window = covering(firing, windows, now)
    if window is not None and window.id != suppressed_by:
        return (Suppressed(window.id, window.reason),)
    if window is None and suppressed_by is not None:
        return (Unsuppressed("Something fires that no active window covers."),)
    return ()


def review(
    tx: Transaction, incident: Incident, windows: Sequence[Window], now: datetime
) -> Incident:
    """Suppress the incident, or end that, as the windows and its alerts demand now.

    `windows` are all that have not ended; who reviews many incidents reads them once.
    """
    nothing_to_do = not windows and incident.suppressed_by is None
    quiet = incident.state.over or not (incident.firing or incident.unseen)
    if nothing_to_do or quiet:
        return incident
    firing = [known.alert for known in tx.firing_alerts(incident.id)]
    events = suppressing(incident.suppressed_by, firing, windows, now)
    return record_incident(tx, incident, events, TOCSIN, now) if events else incident
