"""An alert as Alertmanager tells it, and the delivery that brought it."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """The last that an Alertmanager said of one of its groups, and when it came.

    An alert has a life of its own within its incident; this is the group's, as
    Alertmanager keeps it: whether any alert of it fires, and how many it left out.
    """

    external_url: str
    receiver: str
    group_key: str
    status: AlertStatus
    labels: Mapping[str, str]
    received_at: datetime
    truncated_alerts: int = 0

    @property
    def key(self) -> str:
        """Tells it from every other group of any Alertmanager."""
        return "\n".join((self.external_url, self.receiver, self.group_key))


def group_of(delivery: Delivery, received_at: datetime) -> AlertGroup:
    """The group that the delivery is about."""
    return AlertGroup(
        delivery.external_url,
        delivery.receiver,
        delivery.group_key,
        delivery.status,
        delivery.group_labels,
        received_at,
        delivery.truncated_alerts,
    )


class NotJson(InvalidInput):
    """What was to be a delivery is no JSON."""


class WrongVersion(InvalidInput):
    """The delivery is not in version 4 of the webhook's format."""


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """The fingerprint that Alertmanager gives to this label set: 16 hexadecimal digits.

    FNV-1a over names and values by name, each followed by 0xFF, a byte that UTF-8 never
    holds. Source: prometheus/common, model/signature.go (labelSetToFingerprint).
    """
    digest = _FNV_OFFSET
    for pair in sorted(labels.items()):
        for byte in b"".join(text.encode() + b"\xff" for text in pair):
            digest = (digest ^ byte) * _FNV_PRIME % 2**64
    return f"{digest:016x}"


_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
