"""Public alert rules, read as the alerts that they would fire.

Each source is a Git repository, cloned anywhere. One of them, the collection, has a file of its
own shape; the others have Prometheus rule files, some of them as Helm templates. Texts are read
where they lie, and none of them is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.domain.backtest import RecordedAlert

COLLECTION = "samber/awesome-prometheus-alerts"
RULE_FILES = {
    "Altinity/clickhouse-operator": r"deploy/prometheus/prometheus-alert-rules.*\.yaml",
    "monitoring-mixins/website": r"assets/.*alerts\.yaml",
    "pingcap/tidb-ansible": r"roles/prometheus/files/.*rules\.yml",
    "sapcc/helm-charts": r".*\.alerts(\.tpl)?|.*alerts.*\.ya?ml|.*alerts?/.*\.ya?ml",
    "strimzi/strimzi-kafka-operator": r".*prometheus-rules\.yaml",
}
"""The rule files of each repository; tools/README.md has their licences."""

_SEVERITIES = {"page": "critical", "notify": "warning", "emergency": "critical"}
_READ = ("summary", "description")
_HELM_LINE = re.compile(r"^\s*\{\{-?.*\}\}\s*$", re.MULTILINE)
_HELM_QUOTE = re.compile(r"\{\{`(.*?)`\}\}")

Key = tuple[str, str, str]
"""A rule's source, product and name."""


@dataclass(frozen=True)
class Clones:
    """Where the repositories are: `folder` holds ``owner/name`` for each of them."""

    folder: Path

    def rules(self) -> dict[Key, RecordedAlert]:
        """All rules of all sources; of several with the same name, the first."""
        found: dict[Key, RecordedAlert] = {}
        for alert in self._collection():
            key = COLLECTION, alert.labels["job"], alert.annotations["summary"]
            found.setdefault(key, alert)
        for source, pattern in RULE_FILES.items():
            for alert in self._rule_files(source, re.compile(pattern)):
                found.setdefault((source, alert.labels["job"], alert.name), alert)
        return found

    def _collection(self) -> Iterator[RecordedAlert]:
        path = self.folder / COLLECTION / "_data/rules.yml"
        for group in yaml.safe_load(path.read_text())["groups"]:
            for service in group["services"]:
                job = re.sub(r"[^a-z0-9]+", "-", service["name"].lower()).strip("-")
                for exporter in service.get("exporters", []):
                    for rule in exporter.get("rules") or []:
                        yield _collected(rule, job)

    def _rule_files(self, source: str, pattern: re.Pattern[str]) -> Iterator[RecordedAlert]:
        root = self.folder / source
        names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
        for name in names:
            if pattern.fullmatch(name) and "test" not in name and (root / name).is_file():
                for rule in _alert_rules(_documents((root / name).read_text())):
                    if alert := _prometheus_alert(rule, _product(source, name)):
                        yield alert


def _collected(rule: dict[str, Any], job: str) -> RecordedAlert:
    """A rule of the collection as the alert that it would fire."""
    words = re.split(r"[^A-Za-z0-9]+", rule["name"])
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return RecordedAlert(
        {"alertname": name, "severity": rule["severity"], "job": job},
        {"summary": rule["name"], "description": rule.get("description", "")},
        expression=rule["query"],
    )


def _prometheus_alert(rule: dict[str, Any], product: str) -> RecordedAlert | None:
    """The alert of a Prometheus rule; None without text for people or a known severity."""
    annotations = {name: str(text) for name, text in (rule.get("annotations") or {}).items()}
    if "message" in annotations:
        annotations.setdefault("description", annotations["message"])
    said = {name: " ".join(annotations[name].split()) for name in _READ if name in annotations}
    labels = rule.get("labels") or {}
    severity = str(labels.get("severity") or labels.get("level"))
    severity = _SEVERITIES.get(severity, severity)
    if not any(said.values()) or severity not in ("critical", "warning", "info"):
        return None
    named = {"alertname": str(rule["alert"]), "severity": severity, "job": product}
    return RecordedAlert(named, said, expression=" ".join(str(rule["expr"]).split()))


def _product(source: str, name: str) -> str:
    """What a rule file watches: the folder under the first one, or the file."""
    parts = name.split("/")
    if source == "monitoring-mixins/website":
        return parts[1]
    return source.split("/")[1] + ":" + (parts[1] if len(parts) > 2 else parts[-1])


def _documents(text: str) -> list[Any]:
    """The YAML of a rule file, Helm's own lines left out; nothing where it is a real template."""
    text = _HELM_QUOTE.sub(r"\1", _HELM_LINE.sub("", text))
    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return []


def _alert_rules(data: Any) -> Iterator[dict[str, Any]]:
    """The alert rules anywhere in the data."""
    if isinstance(data, dict):
        if "alert" in data and "expr" in data:
            yield data
        for value in data.values():
            yield from _alert_rules(value)
    elif isinstance(data, list):
        for value in data:
            yield from _alert_rules(value)
