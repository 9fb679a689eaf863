"""A synthetic page: an alert that is a test, and how far its page has come.

It goes the whole way that a real one goes, so whatever would keep a real page from its
engineer keeps this one as well. Its namespace is one of its own, so it never joins an
incident that is none, nor one that is quiet since the test before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.alert import Alert, AlertStatus, fingerprint_of
from bot.domain.incident import Incident, IncidentState
from bot.domain.page_guard import told_since_called
from bot.domain.paging import next_page

NOBODY_TAKES_IT = "Nobody takes the alert out of the inbox: does `tocsin serve` run?"
"""What is missing while there is no incident."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the page is known to have arrived, or else what is missing; the other is empty."""

    confirmed: str = ""
    missing: str = ""


def synthetic_alert(
    namespace: str, started_at: datetime, ended_at: datetime | None = None
) -> Alert:
    """The alert, critical and Tocsin's own (P1 in the shipped policy); with an end, resolved."""
    labels = {
        "alertname": "TocsinPageTest",
        "service": "tocsin",
        "severity": "critical",
        "namespace": namespace,
    }
    annotations = {
        "summary": "TEST of the way of a page; nothing is wrong.",
        "description": "Somebody ran `tocsin page test`, or it was due. It ends by itself.",
    }
    status = AlertStatus.RESOLVED if ended_at else AlertStatus.FIRING
    return Alert(fingerprint_of(labels), status, labels, annotations, started_at, ended_at)


def arrival(incident: Incident | None, alert: Alert) -> Arrival:
    """How far the page of the alert's incident has come; None: there is no incident yet."""
    if incident is None:
        return Arrival(missing=NOBODY_TAKES_IT)
    if alert.labels["namespace"] not in incident.group_key:
        return Arrival(
            missing=f"It became a part of {incident.reference} ({incident.title}), and tests "
            "nothing; try again when that is over."
        )
    if incident.state is not IncidentState.TRIGGERED:
        return Arrival(confirmed=f"by a person: it is {incident.state}")
    if incident.calling is None:
        return Arrival(missing=f"Nobody is paged: {next_page(incident).reason}.")
    if incident.calling.confirmed_by:
        return Arrival(confirmed=incident.calling.confirmed_by)
    return Arrival(missing=_unconfirmed(incident))


def _unconfirmed(incident: Incident) -> str:
    page, calling = told_since_called(incident), incident.calling
    if calling is not None and calling.retry_at is not None:
        return f"The pager can’t be reached; the next try is at {calling.retry_at:%H:%M:%S} UTC."
    if page is None:
        return "The page was not sent: see what the worker says in its log."
    if page.refused:
        return f"The pager refused it: {page.refused}"
    return (
        "The pager accepted it, and nothing says that it stands: no webhook came "
        "(PAGERDUTY_WEBHOOK_SECRET), and its records do not show it (PAGERDUTY_API_TOKEN)."
    )
