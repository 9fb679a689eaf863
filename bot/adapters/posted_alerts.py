"""Alerts from elsewhere, in the form in which Alertmanager's API takes them.

The form is `PostableAlerts` of Alertmanager's API, version 2: a JSON list of objects with
labels, and optionally annotations, startsAt, endsAt and generatorURL. What is left out is
filled in as Alertmanager does it (api/v2/api.go, postAlertsHandler), except that an alert
without endsAt fires until it is resolved: Alertmanager would let it expire within its
`resolve_timeout`, which suits a sender that repeats itself, and a script sends once.
Names of labels may be any text, as in Prometheus 3.

Posted alerts are brought into a webhook's form and read as such, so that they are cleaned
and fingerprinted alike: an alert is the same one whichever way it comes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bot.adapters.alertmanager import (
    MAX_ALERTS,
    MAX_LABELS,
    MAX_TEXT,
    REQUIREMENTS,
    parse_delivery,
)
from bot.domain.alert import Alert, AlertStatus, Delivery, NotJson
from bot.domain.errors import InvalidInput

RECEIVER = "tocsin-api"

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""Go's zero time: how Alertmanager writes "no time"."""

_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Texts = Annotated[dict[str, _Text], Meta(max_length=MAX_LABELS)]
_Moment = Annotated[datetime, Meta(tz=True)]


class _Posted(msgspec.Struct, rename="camel"):
    labels: _Texts
    annotations: _Texts | None = None
    starts_at: _Moment | None = None
    ends_at: _Moment | None = None
    generator_url: _Text | None = msgspec.field(name="generatorURL", default=None)


_PostedList = Annotated[list[_Posted], Meta(min_length=1, max_length=MAX_ALERTS)]
_DECODER = msgspec.json.Decoder(_PostedList)


def check_posted(body: bytes) -> None:
    """Refuse a body that `parse_posted` would refuse; raises `NotJson` or `InvalidInput`."""
    _decode(body)


def parse_posted(body: bytes, received_at: datetime) -> Delivery:
    """Read what was posted then; raises `NotJson` or another `InvalidInput`.

    What has no endsAt, or one after `received_at`, fires; `ends_at` then says until when.
    """
    return parse_delivery(_webhook([_alert(one, received_at) for one in _decode(body)]))


def encode_delivery(delivery: Delivery) -> bytes:
    """The delivery as Alertmanager's webhook, which `parse_delivery` reads back."""
    alerts = [_alert_of(alert) for alert in delivery.alerts]
    return _webhook(
        alerts,
        receiver=delivery.receiver,
        status=delivery.status,
        groupKey=delivery.group_key,
        groupLabels=delivery.group_labels,
        externalURL=delivery.external_url,
        truncatedAlerts=delivery.truncated_alerts,
    )


def posted_form(content: bytes) -> bytes:
    """The list to post, from what a file holds: that list, one alert, or a webhook's body.

    Raises `NotJson` or another `InvalidInput`.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"This is not JSON ({error}): give a list of alerts.") from error
    if isinstance(document, dict) and isinstance(document.get("body"), dict):
        document = document["body"]  # a webhook as it was captured, with its headers
    if isinstance(document, dict):
        document = document.get("alerts", [document])
    body = msgspec.json.encode(document)
    check_posted(body)
    return body


def _webhook(alerts: list[dict[str, Any]], **fields: Any) -> bytes:
    firing = any(one["status"] == AlertStatus.FIRING for one in alerts)
    status = AlertStatus.FIRING if firing else AlertStatus.RESOLVED
    body = {"version": "4", "receiver": RECEIVER, "status": status, "alerts": alerts}
    return msgspec.json.encode({**body, **fields})


def _alert(raw: _Posted, received_at: datetime) -> dict[str, Any]:
    starts_at, ends_at = _given(raw.starts_at), _given(raw.ends_at)
    resolved = ends_at is not None and ends_at <= received_at
    return {
        "status": AlertStatus.RESOLVED if resolved else AlertStatus.FIRING,
        "labels": _labels(raw),
        "annotations": raw.annotations or {},
        "startsAt": starts_at or (ends_at if resolved else received_at),
        "endsAt": ends_at or NEVER,
        "generatorURL": raw.generator_url or "",
    }


def _alert_of(alert: Alert) -> dict[str, Any]:
    return {
        "status": alert.status,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": alert.starts_at,
        "endsAt": alert.ends_at or NEVER,
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _given(moment: datetime | None) -> datetime | None:
    return None if moment is None or moment.year == NEVER.year else moment


def _labels(raw: _Posted) -> dict[str, str]:
    """Those with a value; a label without one is the same as none (Prometheus' data model)."""
    return {name: value for name, value in raw.labels.items() if value}


def _decode(body: bytes) -> list[_Posted]:
    try:
        body.decode()
        found = _DECODER.decode(body)
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8: send JSON text in that encoding.") from None
    except RecursionError:
        raise InvalidInput("The body is nested too deeply: send a list of alerts.") from None
    except msgspec.ValidationError as error:
        raise InvalidInput(_sentence(str(error))) from None
    except msgspec.DecodeError as error:
        raise NotJson(f"The body is not JSON ({error}): send a list of alerts.") from None
    for index, one in enumerate(found):
        _check(index, one)
    return found


def _check(index: int, raw: _Posted) -> None:
    if "" in raw.labels:
        raise InvalidInput(f"[{index}].labels has a label without a name: name it.")
    if not _labels(raw):
        raise InvalidInput(f"[{index}].labels must hold at least one label with a value.")
    starts_at, ends_at = _given(raw.starts_at), _given(raw.ends_at)
    if starts_at and ends_at and ends_at < starts_at:
        raise InvalidInput(f"[{index}].endsAt is before startsAt: swap or correct them.")


_LIST = (
    f"The body must be a JSON list of 1 to {MAX_ALERTS:,} alerts, each an object with labels "
    "and optionally annotations, startsAt, endsAt and generatorURL."
)
_TEXTS = f"an object of at most {MAX_LABELS:,} texts of at most {MAX_TEXT:,} characters each"
_REQUIREMENTS = {
    **REQUIREMENTS,
    "labels": _TEXTS,
    "annotations": _TEXTS,
    "generatorURL": f"a text of at most {MAX_TEXT:,} characters",
}
_MISSING = re.compile(r"missing required field `(\w+)`")
_PLACE = re.compile(r" at `(?:key` in `)?\$([^`]*)`$")


def _sentence(error: str) -> str:
    """What msgspec says about a body, as a sentence for whoever sent it."""
    missing, place = _MISSING.search(error), _PLACE.search(error)
    path = place[1].removesuffix("[...]") if place else ""
    if missing:
        path = f"{path}.{missing[1]}"
    requirement = _REQUIREMENTS.get(path.rpartition(".")[2])
    if requirement is None:
        return f"{path} must be an object with labels." if path else _LIST
    return f"{path} {'is missing: it ' if missing else ''}must be {requirement}."
