"""Alertmanager's webhook body, version 4, read into the domain's values.

The format is that of Alertmanager's documentation ("webhook_config"): unknown fields
are ignored, since later versions add some. Alertmanager gives up on what is refused, so
what is absurdly large is cut and not refused: one alert must not lose the others of its
group. A body that passes `check_delivery` is one that `parse_delivery` reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from bot.domain.alert import Alert, AlertStatus, Delivery, NotJson, WrongVersion, fingerprint_of
from bot.domain.errors import InvalidInput

MAX_ALERTS = 10_000
"""Alerts of one delivery that are read; the others count as left out, and are asked for."""

MAX_LABELS = 1_000
MAX_TEXT = 64 * 1024
"""Labels or annotations of an alert, and characters of one of them or of a URL, that are read."""

MAX_FINGERPRINT = 64
"""Characters; Alertmanager's have 16, and what has more gets one of ours."""

_VERSION = "4"

_Texts = dict[str, str]
_Moment = Annotated[datetime, Meta(tz=True)]

_ZERO_YEAR = 1
"""Go's zero time, 0001-01-01T00:00:00Z, is how Alertmanager writes "no time"."""


class _Alert(msgspec.Struct, rename="camel"):
    status: AlertStatus
    labels: _Texts
    starts_at: _Moment
    annotations: _Texts = msgspec.field(default_factory=dict)
    ends_at: _Moment | None = None
    generator_url: str = msgspec.field(name="generatorURL", default="")
    fingerprint: str = ""


class _Delivery(msgspec.Struct, rename="camel"):
    version: Literal["4"]
    status: AlertStatus
    alerts: Annotated[tuple[_Alert, ...], Meta(min_length=1)]
    receiver: str = ""
    group_key: str = ""
    group_labels: _Texts = msgspec.field(default_factory=dict)
    external_url: str = msgspec.field(name="externalURL", default="")
    truncated_alerts: Annotated[int, Meta(ge=0, lt=2**31)] = 0


class _Envelope(msgspec.Struct):
    version: object = None


_DECODER = msgspec.json.Decoder(_Delivery)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


def check_delivery(body: bytes) -> None:
    """Refuse a body that `parse_delivery` would refuse, at about half its cost.

    Raises `NotJson`, `WrongVersion` or another `InvalidInput`.
    """
    _decode(body)


def parse_delivery(body: bytes) -> Delivery:
    """Read a webhook's body; raises `NotJson`, `WrongVersion` or another `InvalidInput`."""
    raw = _decode(body)
    # Most bodies are shorter than one text may be: there is nothing to look for in them.
    kept = _cut if len(body) > MAX_TEXT else _whole
    return Delivery(
        receiver=raw.receiver[:MAX_TEXT],
        status=raw.status,
        group_key=raw.group_key[:MAX_TEXT],
        group_labels=kept(raw.group_labels),
        alerts=tuple(_alert(alert, kept) for alert in raw.alerts[:MAX_ALERTS]),
        external_url=raw.external_url[:MAX_TEXT],
        truncated_alerts=raw.truncated_alerts + max(0, len(raw.alerts) - MAX_ALERTS),
    )


def _alert(raw: _Alert, kept: Callable[[_Texts], _Texts]) -> Alert:
    given = 0 < len(raw.fingerprint) <= MAX_FINGERPRINT
    return Alert(
        fingerprint=raw.fingerprint if given else fingerprint_of(raw.labels),
        status=raw.status,
        labels=kept(raw.labels),
        annotations=kept(raw.annotations),
        starts_at=_utc(raw.starts_at),
        ends_at=_end(raw.ends_at),
        generator_url=raw.generator_url[:MAX_TEXT],
    )


def _whole(texts: _Texts) -> _Texts:
    return texts


def _cut(texts: _Texts) -> _Texts:
    """The first of them, and as much of each, as is read."""
    longest = max(map(len, (*texts, *texts.values())), default=0)
    if longest <= MAX_TEXT and len(texts) <= MAX_LABELS:
        return texts
    first = islice(texts.items(), MAX_LABELS)
    return {name[:MAX_TEXT]: text[:MAX_TEXT] for name, text in first}


def _end(moment: datetime | None) -> datetime | None:
    return None if moment is None or moment.year == _ZERO_YEAR else _utc(moment)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the calendar's first or last moment
        return moment.replace(tzinfo=UTC)


_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""NUL as JSON writes it: after an even number of backslashes, which are escaped ones."""


def _decode(body: bytes) -> _Delivery:
    try:
        if not body.isascii():
            body.decode()
        # JSON can carry NUL and PostgreSQL's text can't. It nearly never does, and looking
        # into each text would cost as much as all the rest of reading them.
        if b"\\u0000" in body:
            body = _NUL.sub(rb"\1\\ufffd", body)
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(body, error) from None


def _refusal(body: bytes, error: Exception) -> InvalidInput:
    """What is wrong with the body, the most basic fault first."""
    if isinstance(error, UnicodeDecodeError):
        return NotJson("The body is not UTF-8: send JSON text in that encoding.")
    try:
        envelope = _ENVELOPE.decode(body)
    except RecursionError:
        return InvalidInput("The body is nested too deeply: send Alertmanager's webhook unchanged.")
    except msgspec.ValidationError:
        return InvalidInput(
            "The body must be a JSON object: send Alertmanager's webhook unchanged."
        )
    except msgspec.DecodeError as malformed:
        return NotJson(
            f"The body is not JSON ({malformed}): send Alertmanager's webhook unchanged."
        )
    if envelope.version != _VERSION:
        return WrongVersion('version must be "4": send the webhook of Alertmanager 0.16 or newer.')
    return InvalidInput(_sentence(str(error)))


_TEXTS = "an object of texts"
_TEXT = "a text"
_TIME = "a time with its zone (RFC 3339), such as 2026-01-31T12:00:00Z"

REQUIREMENTS = {
    "alerts": "a list of one alert or more",
    "alerts[]": "an object with status, labels and startsAt",
    "status": '"firing" or "resolved"',
    "labels": _TEXTS,
    "annotations": _TEXTS,
    "startsAt": _TIME,
    "endsAt": _TIME,
    "generatorURL": _TEXT,
    "fingerprint": _TEXT,
    "receiver": _TEXT,
    "groupKey": _TEXT,
    "groupLabels": _TEXTS,
    "externalURL": _TEXT,
    "truncatedAlerts": "a whole number from 0 to 2,147,483,647",
}
"""What each field must be, by its last name in the body, as a sentence goes on."""

_MISSING = re.compile(r"missing required field `(\w+)`")
_PLACE = re.compile(r" at `(?:key` in `)?\$\.?([^`]*)`$")


def _sentence(error: str) -> str:
    """What msgspec says about a body, as a sentence for whoever sent it."""
    missing = _MISSING.search(error)
    place = _PLACE.search(error)
    path = ".".join(found[1] for found in (place, missing) if found).removesuffix("[...]")
    requirement = REQUIREMENTS.get(re.sub(r"\[\d+\]$", "[]", path.rpartition(".")[2]))
    if requirement is None:
        return f"The body is not Alertmanager's webhook, version 4: {error}."
    return f"{path} {'is missing: it ' if missing else ''}must be {requirement}."
