"""Alerts from files, in the shapes that people have them in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.domain.backtest import RecordedAlert
from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput


def read_recorded(path: Path) -> list[RecordedAlert]:
    """The alerts of a file: a webhook's body, one alert, a list of alerts, or one a line.

    With the levels that people gave (`expected`, `also_defensible`), the PromQL (`expr`)
    and the time (`startsAt`), where they stand there. Raises `InvalidInput` naming the
    file, and the line where there are several.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can’t be read: {error}") from error
    try:
        documents = [(str(path), json.loads(text))] if path.suffix != ".jsonl" else None
    except (ValueError, RecursionError):
        documents = None
    return [
        _alert(place, alert)
        for place, document in documents or _lines(path, text)
        for alert in _alerts(document)
    ]


def _lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{path}:{number}"
            try:
                yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"{place}: this is not JSON ({error}).") from error


def _alerts(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and isinstance(document.get("body"), dict):
        document = document["body"]
    if isinstance(document, dict) and isinstance(document.get("alerts"), list):
        alerts: list[Any] = document["alerts"]
        return alerts
    return [document]


def _alert(place: str, alert: Any) -> RecordedAlert:
    if not isinstance(alert, dict) or not isinstance(alert.get("labels"), dict):
        raise InvalidInput(f"{place}: an alert is an object with labels; this one has none.")
    annotations = alert.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise InvalidInput(f"{place}: annotations must be an object of names and texts.")
    expected = alert.get("expected")
    others = alert.get("also_defensible") or []
    if not isinstance(others, list):
        raise InvalidInput(f"{place}: also_defensible must be a list of levels.")
    return RecordedAlert(
        _texts(alert["labels"]),
        _texts(annotations),
        None if expected is None else _level(place, expected),
        frozenset(_level(place, other) for other in others),
        str(alert.get("expr") or ""),
        _time(alert.get("startsAt")),
    )


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _time(value: Any) -> datetime | None:
    """A time in RFC 3339; it only says when the alert was, so another one says nothing."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _level(place: str, level: Any) -> Severity:
    try:
        return Severity(level)
    except ValueError as error:
        raise InvalidInput(f"{place}: “{level}” is no level; there are P0 to P3.") from error
