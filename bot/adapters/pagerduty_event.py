"""A `Page` as an event of PagerDuty's Events API v2, cut to what PagerDuty accepts.

An event that breaks a limit is refused for good, so whatever an alert's labels hold
is made to fit here: a shortened page wakes someone, a refused one does not.
Fields and limits: https://developer.pagerduty.com/docs/send-alert-event and
https://developer.pagerduty.com/docs/events-api-v2-overview ("Size Limits").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.domain.classify import Severity
from bot.domain.page import Page

DEDUP_KEY_LIMIT = 255
"""Characters."""

TEXT_LIMIT = 1024
"""Characters of the summary; the other short fields have no documented limit and take this one."""

EVENT_LIMIT = 512_000
"""Bytes of a whole event: the smaller reading of the documented 512 KB."""

_DETAIL_LIMIT = 10_000
"""Characters of one detail: several screens, so that one value never crowds out the others."""

_ROOM_FOR_KEYS = 4_000
"""Bytes kept for what the client library adds: routing key, action and `dedup_key`."""

_SEVERITIES = {
    Severity.P0: "critical",
    Severity.P1: "error",
    Severity.P2: "warning",
    Severity.P3: "info",
}

_REQUIRED = ("summary", "source", "severity")

_FIELD_OF_DETAIL = {"component": "service", "group": "cluster", "class": "alertname"}


def trigger_properties(page: Page) -> dict[str, Any]:
    """The properties of the trigger event for `page`, all but its keys and its action.

    A bare page becomes the smallest event that PagerDuty takes: what it requires, no more.
    """
    if page.bare:
        payload = _payload(page)
        return _encodable({"payload": {name: payload[name] for name in _REQUIRED}})
    event: dict[str, Any] = {"payload": _payload(page), "client": "Tocsin"}
    if page.link:
        event["client_url"] = page.link
        event["links"] = [{"href": page.link, "text": "Open in Tocsin"}]
    room = EVENT_LIMIT - _ROOM_FOR_KEYS - _size(event)
    event["payload"]["custom_details"] = _fitting(page.details, room)
    return _encodable(event)


def _payload(page: Page) -> dict[str, str]:
    payload = {
        "summary": _short(page.summary) or "(no summary)",
        "source": _short(page.source) or "Tocsin",
        "severity": _SEVERITIES[page.severity],
        "timestamp": page.at.isoformat(timespec="milliseconds"),
    }
    for field, detail in _FIELD_OF_DETAIL.items():
        if value := _short(page.details.get(detail, "")):
            payload[field] = value
    return payload


def _short(text: str) -> str:
    return _cut(text.strip(), TEXT_LIMIT)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fitting(details: Mapping[str, str], room: int) -> dict[str, str]:
    """The details that fit into `room` bytes: when some must go, the longest go first.

    What is missing is said, in `_ROOM_FOR_KEYS`.
    """
    cut = {name: _cut(value, _DETAIL_LIMIT) for name, value in details.items()}
    kept: set[str] = set()
    for name in sorted(cut, key=lambda name: _size({name: cut[name]})):
        room -= _size({name: cut[name]})
        if room < 0:
            break
        kept.add(name)
    fitting = {name: value for name, value in cut.items() if name in kept}
    if len(fitting) < len(cut):
        fitting["left out"] = f"{len(cut) - len(fitting)} of {len(cut)} details, for want of room"
    return fitting


def _size(value: object) -> int:
    """An upper bound of `value`'s bytes as UTF-8 JSON: here every character is escaped."""
    return len(json.dumps(value))


def _encodable(event: dict[str, Any]) -> dict[str, Any]:
    """The event with `?` for what UTF-8 cannot express: half surrogate pairs in labels."""
    encoded = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
    cleaned: dict[str, Any] = json.loads(encoded)
    return cleaned
