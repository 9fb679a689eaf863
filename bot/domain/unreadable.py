"""The incidents that stand in for alerts which could not be worked in, or were refused.

No alert is lost in silence: where it can't be told, somebody is told that there was one.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.alert import Alert, AlertStatus, Delivery, fingerprint_of


def unreadable(problem: str, now: datetime) -> Delivery:
    """Says that an accepted delivery could not be worked in; each one is an alert of its own."""
    summary = "Tocsin accepted alerts that it could not work in; look in Alertmanager."
    return _delivery("TocsinDeliveryUnreadable", summary, problem, now, now)


def refused(problem: str, now: datetime) -> Delivery:
    """Says that a webhook was refused, which Alertmanager does not send again.

    All refusals of one hour are the same alert: it sends others that will be refused, too.
    """
    summary = "Tocsin refused alerts, and they are not sent again; look in Alertmanager."
    hour = now.replace(minute=0, second=0, microsecond=0)
    return _delivery("TocsinWebhookRefused", summary, problem, now, hour)


def _delivery(name: str, summary: str, problem: str, now: datetime, received: datetime) -> Delivery:
    """A delivery of one alert, at the level that pages."""
    labels = {
        "alertname": name,
        "service": "tocsin",
        "severity": "critical",
        "received": received.isoformat(),
    }
    annotations = {"summary": summary, "description": problem}
    alert = Alert(fingerprint_of(labels), AlertStatus.FIRING, labels, annotations, now)
    return Delivery("tocsin", AlertStatus.FIRING, "tocsin", {}, (alert,))
