"""PagerDuty's webhooks, version 3: whether one is genuine, and what it says.

Signatures: https://developer.pagerduty.com/docs/verifying-webhook-signatures
Payload: https://developer.pagerduty.com/docs/webhooks-overview ("Webhook Payload")
"""

from __future__ import annotations

import hashlib
import hmac

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from bot.adapters.pagerduty_documents import ReferenceDocument, people
from bot.domain.errors import InvalidInput
from bot.domain.oncall import PagerAction, PagerActionKind
from bot.domain.page import PagerEvent


def verify_signature(body: bytes, header: str, secret: str) -> bool:
    """Whether `header` (`X-PagerDuty-Signature`) holds a signature of `body` made with `secret`.

    The header lists several signatures while a secret is being replaced; one that is
    right is enough. Any bytes and any text are judged, none raises. An empty secret
    verifies nothing.
    """
    if not secret:
        return False
    digest = hmac.new(_bytes(secret), body, hashlib.sha256).hexdigest()
    expected = _bytes(f"v1={digest}")
    return any(
        hmac.compare_digest(expected, _bytes(candidate.strip())) for candidate in header.split(",")
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


class _Client(BaseModel):
    url: str | None = None


class _Data(BaseModel):
    type: str = ""
    id: str = ""
    incident_key: str | None = None
    html_url: str | None = None
    assignees: list[ReferenceDocument] | None = None
    priority: ReferenceDocument | None = None
    incident: ReferenceDocument | None = None
    """Of a note: where it was written."""
    content: str | None = None
    """Of a note."""


class _Event(BaseModel):
    id: str = Field(min_length=1, max_length=255)
    event_type: str = Field(min_length=1, max_length=255)
    occurred_at: AwareDatetime
    agent: ReferenceDocument | None = None
    client: _Client | None = None
    data: _Data


class _Webhook(BaseModel):
    event: _Event


def parse_webhook(body: bytes) -> PagerEvent | None:
    """The event in a webhook's body, or None when it is not about an incident itself.

    PagerDuty sends test pings, notes and changes of services on the same way.
    Raises `InvalidInput` naming the field that can't be used.
    """
    event = _event(body)
    return _pager_event(event) if event.data.type == "incident" else None


_KINDS = {
    "incident.acknowledged": PagerActionKind.ACKNOWLEDGED,
    "incident.unacknowledged": PagerActionKind.UNACKNOWLEDGED,
    "incident.reassigned": PagerActionKind.REASSIGNED,
    "incident.escalated": PagerActionKind.ESCALATED,
    "incident.delegated": PagerActionKind.DELEGATED,
    "incident.priority_updated": PagerActionKind.PRIORITY,
    "incident.resolved": PagerActionKind.RESOLVED,
    "incident.reopened": PagerActionKind.REOPENED,
    "incident.annotated": PagerActionKind.NOTE,
}


def parse_action(body: bytes) -> PagerAction | None:
    """What the webhook says was done, or None for what an integration did or is no action.

    As `PagerRecords.log_entries` would give it: a note has the note's id, all else the
    event's; the text is the note's, or the priority's name. Raises `InvalidInput` as
    `parse_webhook`.
    """
    event = _event(body)
    kind = _KINDS.get(event.event_type)
    agent = event.agent or ReferenceDocument()
    if kind is None or _is_integration(agent):
        return None
    data, note = event.data, kind is PagerActionKind.NOTE
    about = data.incident if note and data.incident else data
    return PagerAction(
        id=data.id if note else event.id,
        incident_id=about.id,
        kind=kind,
        at=event.occurred_at,
        by=agent.person(),
        text=data.content or "" if note else _priority(event, kind),
        assignees=people(data.assignees or ()),
    )


def _priority(event: _Event, kind: PagerActionKind) -> str:
    changed = kind is PagerActionKind.PRIORITY and event.data.priority
    return changed.title if changed else ""


def _event(body: bytes) -> _Event:
    try:
        return _Webhook.model_validate_json(body).event
    except ValidationError as error:
        raise InvalidInput(_sentence(error)) from None


def _is_integration(agent: ReferenceDocument) -> bool:
    return agent.type.endswith("integration_reference")


def _pager_event(event: _Event) -> PagerEvent:
    agent = event.agent or ReferenceDocument()
    client = event.client or _Client()
    return PagerEvent(
        event_id=event.id,
        event_type=event.event_type,
        occurred_at=event.occurred_at,
        dedup_key=event.data.incident_key or "",
        actor_name=agent.summary or "",
        actor_id=agent.id,
        incident_html_url=event.data.html_url or "",
        incident_id=event.data.id,
        client_url=client.url or "",
        by_integration=_is_integration(agent),
    )


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    return f"PagerDuty's webhook can't be used, see its field {field}: {first['msg']}."
