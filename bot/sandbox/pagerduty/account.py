"""The stand-in's account: its people, its service, and who is on call for it.

Ana is on call by a schedule, in shifts of a day; Ben is the second level, always. They
have the e-mail addresses of the sandbox's Slack, where the same people are.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

from bot.sandbox.pagerduty.records import Document

API = "https://api.pagerduty.com"
SITE = "https://tocsin-sandbox.pagerduty.com"
"""Where a person would look at it; the sandbox has no such pages."""

ON_CALL = "Ana Lopez"
SECOND_LEVEL = "Ben Okafor"
TOKEN_OWNER = "Tocsin"  # noqa: S105  (a person's name)
PEOPLE = (ON_CALL, SECOND_LEVEL, "Chen Wei", TOKEN_OWNER)

POLICY = "PPOLICY"
BACKUP_POLICY = "PBACKUP"
SERVICE = "PSANDBX"
_POLICIES = {POLICY: "Sandbox policy", BACKUP_POLICY: "Sandbox backup policy"}
_SCHEDULE = ("schedule", "schedules", "PSCHEDL", "Sandbox schedule")


def timestamp(moment: datetime) -> str:
    """A moment as PagerDuty writes it: UTC, with a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reference(type: str, path: str, id: str, summary: str) -> Document:
    """A reference to an object of this account."""
    return {
        "id": id,
        "type": f"{type}_reference",
        "summary": summary,
        "self": f"{API}/{path}/{id}",
        "html_url": f"{SITE}/{path}/{id}",
    }


def user_reference(name: str) -> Document:
    """A person; the same name is always the same person."""
    id = "P" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:6].upper()
    return reference("user", "users", id, name)


def user_document(name: str) -> Document:
    """A person with all that the account knows: ana@example.test for Ana Lopez."""
    first = re.sub("[^a-z0-9]", "", name.lower().partition(" ")[0]) or "somebody"
    email = f"{first}@example.test"
    return user_reference(name) | {"type": "user", "name": name, "email": email, "role": "user"}


def integration_reference() -> Document:
    """The Events API integration, as the one who did what an event asked for."""
    return reference(
        "events_api_v2_inbound_integration",
        f"services/{SERVICE}/integrations",
        "PEVENTS",
        "Events API V2",
    )


def service_reference() -> Document:
    """The one service."""
    return reference("service", "services", SERVICE, "Sandbox service")


def policy_reference(id: str) -> Document:
    """An escalation policy: `POLICY` or `BACKUP_POLICY`."""
    return reference("escalation_policy", "escalation_policies", id, _POLICIES[id])


def priority_reference(name: str) -> Document:
    """A priority, such as P1."""
    return reference("priority", "priorities", f"PRIO{name}", name)


def integration_document(routing_key: str) -> Document:
    """The integration itself, with its key."""
    return integration_reference() | {
        "type": "events_api_v2_inbound_integration",
        "name": "Events API V2",
        "service": service_reference(),
        "integration_key": routing_key,
    }


def service_document(incident_keys: bool, integration: Document) -> Document:
    """The one service; `incident_keys` as of `SandboxPagerDuty`."""
    creation = "create_incidents" if incident_keys else "create_alerts_and_incidents"
    return service_reference() | {
        "type": "service",
        "name": "Sandbox service",
        "status": "active",
        "alert_creation": creation,
        "escalation_policy": policy_reference(POLICY),
        "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
        "integrations": [integration],
    }


def policy_documents() -> list[Document]:
    """Two policies: the service's, with two levels, and one to delegate to."""
    schedule, second = reference(*_SCHEDULE), user_reference(SECOND_LEVEL)
    return [
        _policy_document(POLICY, [schedule, second], [service_reference()]),
        _policy_document(BACKUP_POLICY, [second], []),
    ]


def _policy_document(id: str, targets: list[Document], services: list[Document]) -> Document:
    return policy_reference(id) | {
        "type": "escalation_policy",
        "name": _POLICIES[id],
        "num_loops": 2,
        "services": services,
        "escalation_rules": [
            {
                "id": f"{id}{level}",
                "escalation_delay_in_minutes": 5 * level,
                "targets": [target],
            }
            for level, target in enumerate(targets, start=1)
        ],
    }


def on_call_documents(at: datetime, users: bool) -> list[Document]:
    """Who is on call at that time; with `users` they are more than references."""
    who = user_document if users else user_reference
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    shift = {
        "schedule": reference(*_SCHEDULE),
        "start": timestamp(start),
        "end": timestamp(start + timedelta(days=1)),
    }
    always = {"schedule": None, "start": None, "end": None}
    return [
        _on_call(POLICY, 1, who(ON_CALL)) | shift,
        _on_call(POLICY, 2, who(SECOND_LEVEL)) | always,
        _on_call(BACKUP_POLICY, 1, who(SECOND_LEVEL)) | always,
    ]


def _on_call(policy: str, level: int, user: Document) -> Document:
    return {
        "user": user,
        "escalation_policy": policy_reference(policy),
        "escalation_level": level,
    }
