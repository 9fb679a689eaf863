"""An alert as Alertmanager tells it, and the delivery that brought it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.errors import InvalidInput


class AlertStatus(StrEnum):
    """Whether the alert's condition holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `fingerprint` identifies its label set; all times are in UTC.

    All texts are hostile: they hold whatever the labels and annotations held.
    """

    fingerprint: str
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    """When it stopped, or None while it is not known to have stopped."""
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The label `alertname`, or words that say that there is none."""
        return self.labels.get("alertname") or "unnamed alert"

    @property
    def summary(self) -> str:
        """One line for people: annotation `summary`, else `description`, else the name."""
        text = self.annotations.get("summary") or self.annotations.get("description") or ""
        return next((line.strip() for line in text.splitlines() if line.strip()), self.name)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook of Alertmanager: the alerts of one group, as they stand now.

    `status` is firing while any alert of the group fires. `truncated_alerts` counts
    the group's alerts that were left out; where it is above 0, the absence of an
    alert says nothing.
    """

    receiver: str
    status: AlertStatus
    group_key: str
    group_labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    external_url: str = ""
    truncated_alerts: int = 0


class NotJson(InvalidInput):
    """What was to be a delivery is no JSON."""


class WrongVersion(InvalidInput):
    """The delivery is not in version 4 of the webhook's format."""


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """A fingerprint for an alert that came without one: 16 hexadecimal digits.

    Names and values are separated by 0xFF, a byte that UTF-8 never holds, so that
    different label sets can't run together (Alertmanager hashes them likewise).
    """
    parts = (text.encode() for pair in sorted(labels.items()) for text in pair)
    return hashlib.sha256(b"\xff".join(parts)).hexdigest()[:16]
