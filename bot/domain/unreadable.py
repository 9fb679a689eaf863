"""The incident that stands in for a delivery which could not be worked in.

What was accepted is never dropped: where its alerts can't be told, somebody is told
that there were some.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.alert import Alert, AlertStatus, Delivery, fingerprint_of


def unreadable(problem: str, now: datetime) -> Delivery:
    """A delivery of one alert that says so, at the level that pages."""
    labels = {
        "alertname": "TocsinDeliveryUnreadable",
        "service": "tocsin",
        "severity": "critical",
        "received": now.isoformat(),
    }
    annotations = {
        "summary": "Tocsin accepted alerts that it could not work in; look in Alertmanager.",
        "description": problem,
    }
    alert = Alert(fingerprint_of(labels), AlertStatus.FIRING, labels, annotations, now)
    return Delivery("tocsin", AlertStatus.FIRING, "tocsin", {}, (alert,))
