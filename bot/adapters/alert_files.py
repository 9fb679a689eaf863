"""Alerts from files, in the shapes that people have them in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.domain.backtest import RecordedAlert
from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput

NamedAlert = tuple[str, Mapping[str, str], Mapping[str, str]]
"""An alert's name, labels and annotations."""


def read_alerts(path: Path) -> list[NamedAlert]:
    """The alerts of a file: a webhook's body, one alert, a list of alerts, or one a line.

    Raises `InvalidInput` naming the file, and the line where there are several.
    """
    recorded = read_recorded(path)
    return [(one.labels.get("alertname", ""), one.labels, one.annotations) for one in recorded]


def read_recorded(path: Path) -> list[RecordedAlert]:
    """As `read_alerts`, with the levels that people gave (`expected`, `also_defensible`)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can’t be read: {error}") from error
    try:
        documents = [(str(path), json.loads(text))]
    except ValueError:
        documents = list(_lines(path, text))
    return [_alert(place, alert) for place, document in documents for alert in _alerts(document)]


def _lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            place = f"{path}:{number}"
            try:
                yield place, json.loads(line)
            except ValueError as error:
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
    return RecordedAlert(
        {str(name): str(value) for name, value in alert["labels"].items()},
        {str(name): str(value) for name, value in annotations.items()},
        None if expected is None else _level(place, expected),
        frozenset(_level(place, other) for other in others),
    )


def _level(place: str, level: Any) -> Severity:
    try:
        return Severity(level)
    except ValueError as error:
        raise InvalidInput(f"{place}: “{level}” is no level; there are P0 to P3.") from error
