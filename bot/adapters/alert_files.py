"""Alerts from files, in the shapes that people have them in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.domain.errors import InvalidInput

NamedAlert = tuple[str, Mapping[str, str], Mapping[str, str]]
"""An alert's name, labels and annotations."""


def read_alerts(path: Path) -> list[NamedAlert]:
    """The alerts of a file: a webhook's body, one alert, a list of alerts, or one a line.

    Raises `InvalidInput` naming the file, and the line where there are several.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can’t be read: {error}") from error
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = list(_lines(path, text))
    return [_alert(path, alert) for document in documents for alert in _alerts(document)]


def _lines(path: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InvalidInput(f"{path}:{number}: this is not JSON ({error}).") from error


def _alerts(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and isinstance(document.get("body"), dict):
        document = document["body"]
    if isinstance(document, dict) and isinstance(document.get("alerts"), list):
        alerts: list[Any] = document["alerts"]
        return alerts
    return [document]


def _alert(path: Path, alert: Any) -> NamedAlert:
    if not isinstance(alert, dict) or not isinstance(alert.get("labels"), dict):
        raise InvalidInput(f"{path}: an alert is an object with labels; this one has none.")
    labels = {str(name): str(value) for name, value in alert["labels"].items()}
    annotations = alert.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise InvalidInput(f"{path}: annotations must be an object of names and texts.")
    texts = {str(name): str(value) for name, value in annotations.items()}
    return labels.get("alertname", ""), labels, texts
