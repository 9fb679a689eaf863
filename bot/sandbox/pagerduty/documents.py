"""The JSON that PagerDuty shows of its objects: in REST answers and in webhooks."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

Document = dict[str, Any]

API = "https://api.pagerduty.com"
SITE = "https://tocsin-sandbox.pagerduty.com"
"""Where a person would look at it; the sandbox has no such pages."""

ON_CALL = "Sandbox On-Call"


class Status(StrEnum):
    """What state an incident is in."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class LogEntry(BaseModel):
    """One line of an incident's log."""

    at: datetime
    text: str


class Acknowledgement(BaseModel):
    """That someone works on an incident."""

    at: datetime
    by: str


class Incident(BaseModel):
    """An incident with its one alert. Its title stays; a repeated trigger changes the alert."""

    id: str
    number: int
    routing_key: str
    dedup_key: str
    title: str
    alert_summary: str
    severity: str
    client: str | None
    client_url: str | None
    details: Document
    triggered_at: datetime
    changed_at: datetime
    status: Status = Status.TRIGGERED
    acknowledgements: list[Acknowledgement] = []
    log: list[LogEntry] = []


def timestamp(moment: datetime) -> str:
    """A moment as PagerDuty writes it: UTC, with a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_reference(name: str) -> Document:
    """A person; the same name is always the same person."""
    id = "P" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:6].upper()
    return _reference("user", "users", id, name)


def integration_reference() -> Document:
    """The Events API integration, as the one who did what an event asked for."""
    return _reference("inbound_integration", "integrations", "PEVENTS", "Events API V2")


_SERVICE = ("service", "services", "PSANDBX", "Sandbox service")
_ESCALATION_POLICY = ("escalation_policy", "escalation_policies", "PPOLICY", "Sandbox policy")
_SCHEDULE = ("schedule", "schedules", "PSCHEDL", "Sandbox schedule")


def _reference(type: str, path: str, id: str, summary: str) -> Document:
    return {
        "id": id,
        "type": f"{type}_reference",
        "summary": summary,
        "self": f"{API}/{path}/{id}",
        "html_url": f"{SITE}/{path}/{id}",
    }


def incident_url(incident: Incident) -> str:
    """Where PagerDuty would show the incident."""
    return f"{SITE}/incidents/{incident.id}"


def incident_document(incident: Incident, incident_keys: bool) -> Document:
    """An incident in a REST answer; `incident_keys` as of `SandboxPagerDuty`."""
    document = {
        "id": incident.id,
        "type": "incident",
        "summary": f"[#{incident.number}] {incident.title}",
        "self": f"{API}/incidents/{incident.id}",
        "html_url": incident_url(incident),
        "incident_number": incident.number,
        "title": incident.title,
        "created_at": timestamp(incident.triggered_at),
        "updated_at": timestamp(incident.changed_at),
        "last_status_change_at": timestamp(incident.changed_at),
        "status": incident.status.value,
        "urgency": _urgency(incident),
        "service": _reference(*_SERVICE),
        "escalation_policy": _reference(*_ESCALATION_POLICY),
        "assignments": [],
        "acknowledgements": [
            {"at": timestamp(entry.at), "acknowledger": user_reference(entry.by)}
            for entry in incident.acknowledgements
        ],
    }
    return document | ({"incident_key": incident.dedup_key} if incident_keys else {})


def alert_document(incident: Incident) -> Document:
    """The incident's alert in a REST answer; it always bears the deduplication key."""
    resolved = incident.status is Status.RESOLVED
    return {
        "id": f"{incident.id}A",
        "type": "alert",
        "summary": incident.alert_summary,
        "status": "resolved" if resolved else "triggered",
        "alert_key": incident.dedup_key,
        "severity": incident.severity,
        "created_at": timestamp(incident.triggered_at),
        "service": _reference(*_SERVICE),
        "incident": {"id": incident.id, "type": "incident_reference"},
        "body": {"type": "alert_body", "details": incident.details},
    }


def on_call_document(at: datetime) -> Document:
    """Who is on call: always the same person, in shifts of a day."""
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "user": user_reference(ON_CALL),
        "schedule": _reference(*_SCHEDULE),
        "escalation_policy": _reference(*_ESCALATION_POLICY),
        "escalation_level": 1,
        "start": timestamp(start),
        "end": timestamp(start + timedelta(days=1)),
    }


def user_document() -> Document:
    """The one whose API token it is."""
    reference = user_reference(ON_CALL)
    email = "on-call@sandbox.example"
    return reference | {"type": "user", "name": ON_CALL, "email": email, "role": "user"}


def page_document(name: str, items: Sequence[Document], limit: int, offset: int) -> Document:
    """One page of a list, with PagerDuty's pagination."""
    page = list(items[offset : offset + limit])
    more = offset + limit < len(items)
    return {name: page, "limit": limit, "offset": offset, "more": more, "total": None}


def webhook_document(
    incident: Incident, agent: Document, at: datetime, incident_keys: bool
) -> Document:
    """The webhook that tells of the incident's present status."""
    return {
        "event": {
            "id": uuid.uuid4().hex.upper()[:26],
            "event_type": f"incident.{incident.status.value}",
            "resource_type": "incident",
            "occurred_at": timestamp(at),
            "agent": agent,
            "client": _client(incident),
            "data": _webhook_data(incident, incident_keys),
        }
    }


def _client(incident: Incident) -> Document | None:
    if incident.status is not Status.TRIGGERED or incident.client is None:
        return None
    return {"name": incident.client, "url": incident.client_url}


def _webhook_data(incident: Incident, incident_keys: bool) -> Document:
    resolved = incident.status is Status.RESOLVED
    return {
        "id": incident.id,
        "type": "incident",
        "self": f"{API}/incidents/{incident.id}",
        "html_url": incident_url(incident),
        "number": incident.number,
        "status": incident.status.value,
        "incident_key": incident.dedup_key if incident_keys else None,
        "created_at": timestamp(incident.triggered_at),
        "title": incident.title,
        "service": _reference(*_SERVICE),
        "assignees": [] if resolved else [user_reference(ON_CALL)],
        "escalation_policy": _reference(*_ESCALATION_POLICY),
        "teams": [],
        "priority": None,
        "urgency": _urgency(incident),
        "conference_bridge": None,
        "resolve_reason": None,
    }


def _urgency(incident: Incident) -> str:
    return "high" if incident.severity in ("critical", "error") else "low"
