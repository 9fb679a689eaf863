"""What Alertmanager holds, at one look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.domain.alert import Alert


class State(StrEnum):
    """Alertmanager's own state of an alert (its API's `status.state`)."""

    ACTIVE = "active"
    SUPPRESSED = "suppressed"
    """Silenced or inhibited."""
    UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class Sighting:
    """An alert as Alertmanager holds it, and the receivers that it is routed to."""

    alert: Alert
    state: State
    receivers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Member:
    """One Alertmanager that was asked; `problem` says why it did not answer, if it didn't.

    `up_for` is how long it has run, by its own clock; None where it did not say.
    """

    url: str
    up_for: timedelta | None = None
    problem: str = ""

    def settled(self, after: timedelta) -> bool:
        """Whether that an alert is absent from its answer means that it does not fire."""
        return not self.problem and self.up_for is not None and self.up_for >= after


@dataclass(frozen=True, slots=True)
class Observation:
    """All that the members hold, each fingerprint once (`united` makes it so)."""

    members: tuple[Member, ...]
    alerts: tuple[Sighting, ...]


def united(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """One sighting a fingerprint: active where any member has it so, of the latest start."""
    found: dict[str, Sighting] = {}
    for one in sightings:
        other = found.get(one.alert.fingerprint)
        found[one.alert.fingerprint] = one if other is None else _united(one, other)
    return tuple(found.values())


def _united(one: Sighting, other: Sighting) -> Sighting:
    if (one.state is State.ACTIVE) is not (other.state is State.ACTIVE):
        return one if one.state is State.ACTIVE else other
    latest = max(one, other, key=lambda sighting: sighting.alert.starts_at)
    return replace(latest, receivers=one.receivers | other.receivers)
