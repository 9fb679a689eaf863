"""PagerDuty's webhooks, version 3: whether one is genuine, and what it says.

Signatures: https://developer.pagerduty.com/docs/verifying-webhook-signatures
Payload: https://developer.pagerduty.com/docs/webhooks-overview ("Webhook Payload")
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from bot.adapters.pagerduty_documents import ReferenceDocument, people
from bot.domain.errors import InvalidInput
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


_NOTE = "incident_note"


_Name = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]
"""An id or a key; PostgreSQL's texts can't hold a NUL."""


class _Incident(BaseModel):
    id: _Name


class _Data(BaseModel):
    type: str = ""
    id: _Name = ""
    incident_key: _Name | None = None
    assignees: list[ReferenceDocument] | None = None
    priority: ReferenceDocument | None = None
    incident: _Incident | None = None
    """Of a note: where it was written."""
    content: str | None = None
    """Of a note."""


class _Event(BaseModel):
    id: _Name = Field(min_length=1)
    event_type: str = Field(min_length=1, max_length=255)
    occurred_at: AwareDatetime
    agent: ReferenceDocument | None = None
    data: _Data


class _Webhook(BaseModel):
    event: _Event


def parse_webhook(body: bytes) -> PagerEvent:
    """The event in a webhook's body; without an incident when it is not about one or its notes.

    PagerDuty sends test pings and changes of services on the same way.
    Raises `InvalidInput` naming the field that can't be used.
    """
    return _pager_event(_event(body))


def _event(body: bytes) -> _Event:
    try:
        return _Webhook.model_validate_json(body).event
    except ValidationError as error:
        raise InvalidInput(_sentence(error)) from None


def _pager_event(event: _Event) -> PagerEvent:
    agent, data = event.agent or ReferenceDocument(), event.data
    person = agent.person()
    note = data.type == _NOTE
    about = data.incident if note else data if data.type == "incident" else None
    return PagerEvent(
        event_id=event.id,
        event_type=event.event_type,
        occurred_at=event.occurred_at,
        dedup_key=data.incident_key or "",
        actor_name=person.name if person else "",
        actor_id=person.id if person else "",
        incident_id=about.id if about else "",
        by_integration=agent.type.endswith("integration_reference"),
        text=(data.content or "") if note else _title(data.priority),
        note_id=data.id if note else "",
        assignees=tuple(one.name for one in people(data.assignees or ())),
    )


def _title(reference: ReferenceDocument | None) -> str:
    return reference.title if reference else ""


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    return f"PagerDuty's webhook can't be used, see its field {field}: {first['msg']}."
