"""What PagerDuty refuses in an event, in its own words.

The texts about `routing_key`, `payload.severity` and `summary` are PagerDuty's; the
others are worded after them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

Event = Mapping[str, Any]

SEVERITIES = ("critical", "warning", "error", "info")
ACTIONS = ("trigger", "acknowledge", "resolve")


def alert_problems(event: Event, routing_keys: Collection[str] | None) -> list[str]:
    """Everything wrong with an alert event; `routing_keys` None accepts any well-formed key."""
    return [
        *routing_key_problems(event.get("routing_key"), routing_keys),
        *_one_of("event_action", event.get("event_action"), ACTIONS),
        *_dedup_key_problems(event),
        *_no_text(event, "dedup_key", "client", "client_url"),
        *(_payload_problems(event) if event.get("event_action") == "trigger" else ()),
    ]


def change_problems(event: Event, routing_keys: Collection[str] | None) -> list[str]:
    """Everything wrong with a change event."""
    return [
        *routing_key_problems(event.get("routing_key"), routing_keys),
        *_summary_problems(payload_of(event)),
    ]


def payload_of(event: Event) -> Event:
    """The event's payload, or an empty one."""
    payload = event.get("payload")
    return payload if isinstance(payload, dict) else {}


def routing_key_problems(key: object, accepted: Collection[str] | None) -> list[str]:
    """What is wrong with a routing key: its form, or that nobody issued it."""
    text = key if isinstance(key, str) else ""
    if accepted is not None and text in accepted:
        return []
    problems = []
    if len(text) != 32:
        problems.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if text and not text.isalnum():
        problems.append("'routing_key' cannot contain non-alphanumeric characters.")
    if not problems and accepted is not None:
        problems.append("Invalid routing key")
    return problems


def _dedup_key_problems(event: Event) -> Iterator[str]:
    key = event.get("dedup_key")
    if event.get("event_action") != "trigger" and _blank(key):
        yield "'dedup_key' is missing or blank"
    if isinstance(key, str) and len(key) > 255:
        yield "'dedup_key' is too long (maximum is 255 characters)"


def _no_text(event: Event, *fields: str) -> Iterator[str]:
    for field in fields:
        if not isinstance(event.get(field), str | None):
            yield f"'{field}' must be a string"


def _payload_problems(event: Event) -> Iterator[str]:
    payload = payload_of(event)
    yield from _summary_problems(payload)
    if _blank(payload.get("source")):
        yield "'payload.source' is missing or blank"
    yield from _one_of("payload.severity", payload.get("severity"), SEVERITIES)
    if not isinstance(payload.get("custom_details"), dict | None):
        yield "'payload.custom_details' must be an object"


def _summary_problems(payload: Event) -> Iterator[str]:
    summary = payload.get("summary")
    if not isinstance(summary, str) or _blank(summary):
        yield "'payload.summary' is missing or blank"
    elif len(summary) > 1024:
        yield "'summary' is too long (maximum is 1024 characters)"


def _one_of(field: str, value: object, choices: tuple[str, ...]) -> Iterator[str]:
    if _blank(value):
        yield f"'{field}' is missing or blank"
    elif value not in choices:
        *some, last = (f"'{choice}'" for choice in choices)
        yield f"'{field}' is invalid (must be one of the following: {', '.join(some)} or {last})"


def _blank(value: object) -> bool:
    return not isinstance(value, str) or not value.strip()
