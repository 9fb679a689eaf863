"""The JSON that PagerDuty shows of an incident: in REST answers and in webhooks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from bot.sandbox.pagerduty.account import (
    API,
    SITE,
    policy_reference,
    priority_reference,
    service_reference,
    timestamp,
    user_document,
    user_reference,
)
from bot.sandbox.pagerduty.records import (
    Acknowledgement,
    Document,
    Incident,
    LogEntry,
    Note,
    Status,
)


def incident_url(incident: Incident) -> str:
    """Where PagerDuty would show the incident."""
    return f"{SITE}/incidents/{incident.id}"


def incident_reference(incident: Incident) -> Document:
    """An incident, named in something else."""
    return {
        "id": incident.id,
        "type": "incident_reference",
        "summary": f"[#{incident.number}] {incident.title}",
        "self": f"{API}/incidents/{incident.id}",
        "html_url": incident_url(incident),
    }


def incident_document(
    incident: Incident, incident_keys: bool, include: Collection[str] = ()
) -> Document:
    """An incident in a REST answer; `incident_keys` as of `SandboxPagerDuty`."""
    assignee = user_document if "assignees" in include else user_reference
    document = incident_reference(incident) | {
        "type": "incident",
        "incident_number": incident.number,
        "title": incident.title,
        "created_at": timestamp(incident.triggered_at),
        "updated_at": timestamp(incident.changed_at),
        "last_status_change_at": timestamp(incident.changed_at),
        "status": incident.status.value,
        "urgency": incident.urgency,
        "service": service_reference(),
        "escalation_policy": policy_reference(incident.policy),
        "assignments": [
            {"at": timestamp(incident.triggered_at), "assignee": assignee(name)}
            for name in _assignees(incident)
        ],
        "acknowledgements": [
            {"at": timestamp(one.at), "acknowledger": _acknowledger(one, include)}
            for one in incident.acknowledgements
        ],
    }
    return document | ({"incident_key": incident.dedup_key} if incident_keys else {})


def _assignees(incident: Incident) -> list[str]:
    return [] if incident.status is Status.RESOLVED else [incident.assignee]


def _acknowledger(acknowledgement: Acknowledgement, include: Collection[str]) -> Document:
    if acknowledgement.by is None:
        return service_reference()
    whole = "acknowledgers" in include
    return (user_document if whole else user_reference)(acknowledgement.by)


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
        "service": service_reference(),
        "incident": {"id": incident.id, "type": "incident_reference"},
        "body": {"type": "alert_body", "details": incident.details},
    }


def note_document(note: Note) -> Document:
    """A note in a REST answer."""
    return {
        "id": note.id,
        "user": user_reference(note.by),
        "channel": {"summary": "The PagerDuty website or APIs"},
        "content": note.text,
        "created_at": timestamp(note.at),
    }


def log_entry_document(incident: Incident, entry: LogEntry) -> Document:
    """An entry of the log in a REST answer."""
    document = {
        "id": entry.id,
        "type": entry.type,
        "summary": entry.summary,
        "self": f"{API}/log_entries/{entry.id}?incident_id={incident.id}",
        "html_url": f"{incident_url(incident)}/log_entries/{entry.id}",
        "created_at": timestamp(entry.at),
        "agent": entry.agent,
        "channel": entry.channel,
        "incident": incident_reference(incident),
        "service": service_reference(),
        "teams": [],
        "contexts": [],
    }
    assignees = [user_reference(name) for name in entry.assignees]
    return document | ({"assignees": assignees} if assignees else {})


def page_document(name: str, items: Sequence[Document], limit: int, offset: int) -> Document:
    """One page of a list, with PagerDuty's pagination."""
    page = list(items[offset : offset + limit])
    more = offset + limit < len(items)
    return {name: page, "limit": limit, "offset": offset, "more": more, "total": None}


def webhook_document(event_type: str, agent: Document, at: datetime, data: Document) -> Document:
    """The webhook that tells of something that happened."""
    return {
        "event": {
            "id": uuid.uuid4().hex.upper()[:26],
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": timestamp(at),
            "agent": agent,
            "client": None,
            "data": data,
        }
    }


def client_document(incident: Incident) -> Document | None:
    """Who triggered the incident, as far as the event said so."""
    if incident.client is None:
        return None
    return {"name": incident.client, "url": incident.client_url}


def incident_data(incident: Incident, incident_keys: bool) -> Document:
    """An incident in a webhook."""
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
        "service": service_reference(),
        "assignees": [user_reference(name) for name in _assignees(incident)],
        "escalation_policy": policy_reference(incident.policy),
        "teams": [],
        "priority": priority_reference(incident.priority) if incident.priority else None,
        "urgency": incident.urgency,
        "conference_bridge": None,
        "resolve_reason": None,
    }


def note_data(incident: Incident, note: Note) -> Document:
    """A note in a webhook: it names its incident, but not the deduplication key."""
    return {
        "incident": incident_reference(incident) | {"summary": incident.title},
        "id": note.id,
        "content": note.text,
        "trimmed": False,
        "type": "incident_note",
    }


def overview_document(incident: Incident) -> Document:
    """An incident for the workspace page."""
    return {
        "id": incident.id,
        "number": incident.number,
        "status": incident.status.value,
        "severity": incident.severity,
        "title": incident.title,
        "dedup_key": incident.dedup_key,
        "triggered_at": timestamp(incident.triggered_at),
        "html_url": incident_url(incident),
        "acknowledged_by": [one.by for one in incident.acknowledgements if one.by],
        "log": [{"at": timestamp(line.at), "text": line.text} for line in incident.log],
    }
