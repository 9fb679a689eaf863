"""Which alerts are one problem: the group key, and the title of the incident.

A key is made of label names and values, such as ``cluster=c1,alertname=Down``. The names
are part of it, so keys that are made of different labels never meet. Severity is never
among them, so that a warning which turns critical raises the same incident.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.matcher import Matcher

GROUP_LABELS = ("cluster", "namespace", "service", "alertname")
"""The labels that make a group unless the policy says otherwise (design.md, "Incidents")."""

_FIELD = re.compile(r"(?:[^\\,]|\\.)+", re.DOTALL)
"""One ``name=value`` of a key: up to a comma that no backslash escapes."""


@dataclass(frozen=True, slots=True)
class GroupingOverride:
    """Alerts whose labels meet all matchers are grouped by these labels instead."""

    matchers: tuple[Matcher, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """By which labels alerts are grouped; the first override that matches wins."""

    by: tuple[str, ...] = GROUP_LABELS
    overrides: tuple[GroupingOverride, ...] = ()

    def key(self, labels: Mapping[str, str]) -> str:
        """The group of an alert with these labels."""
        return label_key(self._by(labels), labels)

    def _by(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        for override in self.overrides:
            if all_hold(override.matchers, labels):
                return override.by
        return self.by


def all_hold(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether these labels meet all matchers, which ask for nothing but labels."""
    return all(matcher.holds(labels, {}) for matcher in matchers)


def label_key(names: Sequence[str], labels: Mapping[str, str]) -> str:
    """The named labels as one text, from which they could be read back."""
    return ",".join(f"{name}={_escaped(label_value(labels, name))}" for name in names)


def label_value(labels: Mapping[str, str], name: str) -> str:
    """The label's value or the empty text; ``job`` stands in for a missing ``service``."""
    value = labels.get(name, "")
    return value or labels.get("job", "") if name == "service" else value


def group_title(labels: Mapping[str, str]) -> str:
    """What the incident is called: ``HighErrorRate: checkout in payments (prod-eu-1)``."""
    name = labels.get("alertname") or "Unnamed alert"
    service, namespace, cluster = (
        label_value(labels, label) for label in ("service", "namespace", "cluster")
    )
    title = f"{name}: {service}" if service else name
    title = f"{title} in {namespace}" if namespace else title
    return f"{title} ({cluster})" if cluster else title


def group_is_about(key: str, namespace: str, name: str) -> bool:
    """Whether the group with this key concerns that workload or service."""
    about = {f"namespace={_escaped(namespace)}", f"service={_escaped(name)}"}
    return about <= set(_FIELD.findall(key))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")
