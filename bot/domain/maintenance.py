"""Maintenance windows: for how long, and about which alerts, nobody is to be woken.

What a window covers is recorded as ever; only pages, tickets and messages wait. When
it ends, what still fires is looked at again, so that nothing is slept through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.actor import Actor
from bot.domain.alert import Alert
from bot.domain.errors import InvalidInput
from bot.domain.incident import LONGEST_REASON
from bot.domain.matcher import Matcher, Operator, Place

LONGEST_WINDOW = timedelta(days=31)
"""A window that nobody remembers hides outages; whoever needs longer renews it."""

FURTHEST_START = timedelta(days=366)
"""How far ahead a window can be planned."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What Alertmanager was told of a window: the silence's id, or why it refused."""

    id: str = ""
    refused: str = ""
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window; it covers alerts that all matchers hold for.

    `ends_at` is moved forward when a person ends it early. `incident_id` is the incident
    that it was made from, `silence` what became of it in Alertmanager: None where none
    was asked for.
    """

    id: int
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: Actor
    created_at: datetime
    incident_id: int | None = None
    silence: Silence | None = None

    @property
    def reference(self) -> str:
        """How people name it."""
        return f"MW-{self.id}"

    def active(self, now: datetime) -> bool:
        """Whether it has begun and has not ended."""
        return self.starts_at <= now < self.ends_at

    def covers(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> bool:
        """Whether an alert with these labels and annotations is within it."""
        return all(matcher.holds(labels, annotations) for matcher in self.matchers)


def checked(window: Window, now: datetime) -> Window:
    """The window as it is, or `InvalidInput` with what would make it useless or dangerous."""
    if not any(_narrows(matcher) for matcher in window.matchers):
        raise InvalidInput(
            "A window needs a matcher that not every alert meets, such as namespace=payments."
        )
    if any(matcher.place is not Place.LABEL for matcher in window.matchers):
        raise InvalidInput("A window's matchers are about labels, as Alertmanager's silences are.")
    if window.ends_at <= max(window.starts_at, now):
        raise InvalidInput("The window ends before it begins to matter; give a later end.")
    if window.ends_at - window.starts_at > LONGEST_WINDOW:
        raise InvalidInput(
            f"The window is longer than {LONGEST_WINDOW.days} days; make it shorter."
        )
    if window.starts_at - now > FURTHEST_START:
        raise InvalidInput("The window begins more than a year ahead; plan it later.")
    if not window.reason.strip():
        raise InvalidInput("Say why, after the matchers: whoever is on call will read it.")
    if len(window.reason) > LONGEST_REASON:
        raise InvalidInput(f"The reason is longer than {LONGEST_REASON} characters; shorten it.")
    return window


def _narrows(matcher: Matcher) -> bool:
    """Whether an alert without the label is outside, as Alertmanager demands of a silence."""
    return not matcher.holds({}, {})


def covering(firing: Sequence[Alert], windows: Sequence[Window], now: datetime) -> Window | None:
    """The window that covers all that fires, if every alert is covered by some active one.

    Of several the one that ends last, since that is when it is looked at again.
    """
    active = [window for window in windows if window.active(now)]
    found: set[Window] = set()
    for alert in firing:
        covers = [one for one in active if one.covers(alert.labels, alert.annotations)]
        if not covers:
            return None
        found.add(max(covers, key=lambda one: one.ends_at))
    return min(found, key=lambda one: (one.ends_at, one.id), default=None)


SILENCED_BY = ("cluster", "namespace", "service", "job", "alertname")
"""The labels that say what an alert is about. Those of one pod or instance are left out, or
its successor would wake somebody; severity is, because what got worse is the same thing."""


def silence_matchers(firing: Sequence[Alert]) -> tuple[Matcher, ...]:
    """Matchers for what all these alerts share; `InvalidInput` where that is too little."""
    shared = [
        Matcher(Place.LABEL, name, Operator.EQUAL, value)
        for name in SILENCED_BY
        if (value := _shared(name, firing))
    ]
    if not any(matcher.name == "alertname" for matcher in shared):
        raise InvalidInput(
            "Its alerts have no name in common; plan a maintenance window with matchers instead."
        )
    return tuple(shared)


def _shared(name: str, alerts: Sequence[Alert]) -> str:
    values = {alert.labels.get(name, "") for alert in alerts}
    return values.pop() if len(values) == 1 else ""
