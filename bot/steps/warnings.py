"""The cluster's warnings (Events of type ``Warning``) about some objects, grouped by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from bot.domain.resource import Manifest, Resource
from bot.ports import Objects
from bot.steps.text import sentence

EVENT = "event"


@dataclass(frozen=True, slots=True)
class Subject:
    """The objects that are asked about: by their names, or by how the names of theirs begin."""

    namespace: str
    names: frozenset[str]
    beginnings: tuple[str, ...] = ()

    def includes(self, name: str) -> bool:
        return name in self.names or name.startswith(self.beginnings)


@dataclass(frozen=True, slots=True)
class Warnings:
    """All warnings of one reason: how often, about how many objects, and the newest message."""

    reason: str
    count: int
    objects: int
    message: str
    last: datetime

    def __str__(self) -> str:
        about = "" if self.objects == 1 else f" on {self.objects} objects"
        return f"{self.reason} ×{self.count}{about} ({self.message})"


def recent_warnings(objects: Objects, subject: Subject, since: datetime) -> Sequence[Warnings]:
    """The warnings since then, the most frequent first."""
    events = objects.find(EVENT, subject.namespace, {}, fields={"type": "Warning"})
    told = [it for it in events if subject.includes(_about(it)) and _last(it.body) >= since]
    told.sort(key=_reason)
    groups = [_group(reason, list(group)) for reason, group in groupby(told, key=_reason)]
    return sorted(groups, key=lambda group: (-group.count, group.reason))


def _group(reason: str, events: Sequence[Resource]) -> Warnings:
    newest = max(events, key=lambda event: _last(event.body))
    return Warnings(
        reason=reason,
        count=sum(_count(event.body) for event in events),
        objects=len({_about(event) for event in events}),
        message=sentence(str(newest.body.get("message") or "")),
        last=_last(newest.body),
    )


def _reason(event: Resource) -> str:
    return sentence(str(event.body.get("reason") or "no reason given"))


def _about(event: Resource) -> str:
    return str(event.body["involvedObject"].get("name", ""))


def _count(event: Manifest) -> int:
    """How often it happened; the newer Events have a series in place of a count."""
    return int(_series(event).get("count") or event.get("count") or 1)


def _last(event: Manifest) -> datetime:
    times = (
        _series(event).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"]["creationTimestamp"],
    )
    return datetime.fromisoformat(next(filter(None, times)))


def _series(event: Manifest) -> Mapping[str, Any]:
    return event.get("series") or {}
