"""Whom an escalation step or a fallback turns to.

A target is a name, never an address: keys and addresses are secrets, and stand in the
settings. So a target can be written into a policy file and onto a timeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.classify import Severity


class TargetKind(StrEnum):
    """The ways to reach somebody; each is also the key that names it in the policy file."""

    PAGERDUTY = "pagerduty"
    NOTIFIER = "notifier"
    SLACK = "slack"


class PagerRoute(StrEnum):
    """PagerDuty's routing keys, by their names in the policy."""

    PRIMARY = "primary"
    """`PAGERDUTY_ROUTING_KEY`, which every page goes to first."""
    SECONDARY = "secondary"
    """`PAGERDUTY_FALLBACK_ROUTING_KEY`, best one of another PagerDuty account or region."""


class Mention(StrEnum):
    """Whom a message in Slack calls."""

    ON_CALL = "on-call"
    CHANNEL = "channel"
    BY_LEVEL = "by-level"
    """The channel for a P0, whoever is on call for the others."""

    def at(self, level: Severity) -> Mention:
        """The same, with the level looked at."""
        if self is not Mention.BY_LEVEL:
            return self
        return Mention.CHANNEL if level is Severity.P0 else Mention.ON_CALL


@dataclass(frozen=True, slots=True)
class Target:
    """One who can be reached; `name` is a `PagerRoute`, a notifier's name, or a `Mention`."""

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def pagerduty(route: PagerRoute) -> Target:
    """The on-call engineer of the PagerDuty service with that routing key."""
    return Target(TargetKind.PAGERDUTY, route.value)


def notifier(name: str) -> Target:
    """Whoever the notifier of that name in `TOCSIN_NOTIFIERS` reaches."""
    return Target(TargetKind.NOTIFIER, name)


def slack(mention: Mention) -> Target:
    """Those whom the mention calls, in the incident's channel."""
    return Target(TargetKind.SLACK, mention.value)
