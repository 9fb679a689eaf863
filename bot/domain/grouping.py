"""Which alerts are one problem: the group key, and the title of the incident."""

from __future__ import annotations

from collections.abc import Mapping

GROUP_LABELS = ("cluster", "namespace", "service", "alertname")
"""The labels that make a group (design.md, "Incidents"). Severity is never among them,
so that a warning which turns critical raises the same incident."""


def group_key(labels: Mapping[str, str]) -> str:
    """The group of an alert with these labels; ``job`` stands in for a missing service."""
    return ",".join(f"{name}={_escaped(_value(labels, name))}" for name in GROUP_LABELS)


def group_title(labels: Mapping[str, str]) -> str:
    """What the incident is called: ``HighErrorRate: checkout in payments (prod-eu-1)``."""
    name = labels.get("alertname") or "Unnamed alert"
    service, namespace, cluster = (_value(labels, n) for n in ("service", "namespace", "cluster"))
    title = f"{name}: {service}" if service else name
    title = f"{title} in {namespace}" if namespace else title
    return f"{title} ({cluster})" if cluster else title


def _value(labels: Mapping[str, str], name: str) -> str:
    value = labels.get(name, "")
    return value or labels.get("job", "") if name == "service" else value


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


def group_is_about(key: str, namespace: str, name: str) -> bool:
    """Whether the group with this key concerns that workload or service."""
    about = f"namespace={_escaped(namespace)},service={_escaped(name)},"
    return about in key
