"""Whom an escalation step or a fallback turns to.

A contact is a name, never an address: keys and addresses are secrets, and stand in the
settings. So a contact can be written into a policy file and onto a timeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.classify import Severity


class ContactKind(StrEnum):
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
class Contact:
    """One who can be reached; `name` is a `PagerRoute`, a notifier's name, or a `Mention`."""

    kind: ContactKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def pagerduty(route: PagerRoute) -> Contact:
    """The on-call engineer of the PagerDuty service with that routing key."""
    return Contact(ContactKind.PAGERDUTY, route.value)


def notifier(name: str) -> Contact:
    """Whoever the notifier of that name in `TOCSIN_NOTIFIERS` reaches."""
    return Contact(ContactKind.NOTIFIER, name)


def slack(mention: Mention) -> Contact:
    """Those whom the mention calls, in the incident's channel."""
    return Contact(ContactKind.SLACK, mention.value)
