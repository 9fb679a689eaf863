"""A page as a value: what the on-call engineer is told at 3 a.m."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.classify import Severity


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `dedup_key` (at most 255 characters) is the same for all its repeats."""

    dedup_key: str
    summary: str
    severity: Severity
    source: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    """Where to read on (an absolute URL), or empty."""
    bare: bool = False
    """Whether the pager is told no more than it requires."""

    def smallest(self) -> Page:
        """The same page in a form in which hardly anything is left that could be refused."""
        summary, source = (_plain(text) for text in (self.summary, self.source))
        return replace(self, summary=summary, source=source, details={}, link="", bare=True)


_SHORTEST = 200
"""Characters of a text that is short by any count, be it in bytes."""


def _plain(text: str) -> str:
    """The beginning of the text, in one line and without what can't be printed."""
    line = " ".join(text.split())
    return "".join(one if one.isprintable() else "?" for one in line[:_SHORTEST])


@dataclass(frozen=True, slots=True)
class UnknownPagerEvent:
    """An event of a type that nobody here knows; `body` is its beginning, as it came."""

    event_id: str
    event_type: str
    body: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class PagerEvent:
    """What happened to an incident at the pager, as the pager tells it.

    `event_id` is the same each time one event is delivered, and events are delivered
    at least once, in any order. `occurred_at` has a zone. `actor_name` and `actor_id` are
    empty when no person did it.
    """

    event_id: str
    event_type: str
    """Such as ``incident.acknowledged``."""
    occurred_at: datetime
    dedup_key: str
    """The key of our `Page`; empty or another when the pager leaves it out, as PagerDuty
    does on services that create alerts besides incidents, and of every note."""
    actor_name: str
    actor_id: str
    incident_id: str
    """The pager's own name of the incident; empty when it is about none."""
    by_integration: bool = False
    """Whether it came about by what an integration such as ours told the pager."""
    text: str = ""
    """A note's content, or the name of the priority that it has now."""
    note_id: str = ""
    """Of a note: its own id, which is the same in the pager's records."""
    assignees: tuple[str, ...] = ()
    """The names of those whose it is now."""
