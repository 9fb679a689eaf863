"""PagerDuty's webhooks, version 3: whether one is genuine, and what it says.

Signatures: https://developer.pagerduty.com/docs/verifying-webhook-signatures
Payload: https://developer.pagerduty.com/docs/webhooks-overview ("Webhook Payload")
"""

from __future__ import annotations

import hashlib
import hmac

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

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


class _Agent(BaseModel):
    id: str = ""
    type: str = ""
    summary: str | None = None


class _Client(BaseModel):
    url: str | None = None


class _Data(BaseModel):
    type: str = ""
    id: str = ""
    incident_key: str | None = None
    html_url: str | None = None


class _Event(BaseModel):
    id: str = Field(min_length=1, max_length=255)
    event_type: str = Field(min_length=1, max_length=255)
    occurred_at: AwareDatetime
    agent: _Agent | None = None
    client: _Client | None = None
    data: _Data


class _Webhook(BaseModel):
    event: _Event


def parse_webhook(body: bytes) -> PagerEvent | None:
    """The event in a webhook's body, or None when it is not about an incident itself.

    PagerDuty sends test pings, notes and changes of services on the same way.
    Raises `InvalidInput` naming the field that can't be used.
    """
    try:
        event = _Webhook.model_validate_json(body).event
    except ValidationError as error:
        raise InvalidInput(_sentence(error)) from None
    if event.data.type != "incident":
        return None
    return _pager_event(event)


def _pager_event(event: _Event) -> PagerEvent:
    agent = event.agent or _Agent()
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
        by_integration=agent.type.endswith("integration_reference"),
    )


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    return f"PagerDuty's webhook can't be used, see its field {field}: {first['msg']}."
