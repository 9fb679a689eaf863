"""Alertmanager's webhook, as a test needs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time: how Alertmanager writes that an alert has not ended."""


def alert(
    name: str, *, severity: str = "critical", resolved: bool = False, **labels: str
) -> dict[str, Any]:
    """One alert; its start is fixed, so that a repeat is the same alert."""
    all_labels = {
        "alertname": name,
        "severity": severity,
        "namespace": "payments",
        "service": "checkout",
        **labels,
    }
    return {
        "status": "resolved" if resolved else "firing",
        "labels": all_labels,
        "annotations": {"summary": f"{name} on {all_labels['service']}"},
        "startsAt": "2026-01-31T12:00:00Z",
        "endsAt": datetime.now(UTC).isoformat() if resolved else NEVER,
        "generatorURL": "",
        "fingerprint": _fingerprint(all_labels),
    }


def webhook(*alerts: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A delivery of these alerts; `changes` replaces fields of it."""
    firing = any(one["status"] == "firing" for one in alerts)
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "tocsin",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
        **changes,
    }


def _fingerprint(labels: Mapping[str, str]) -> str:
    identity = sorted((name, value) for name, value in labels.items())
    return sha256(repr(identity).encode()).hexdigest()[:16]
