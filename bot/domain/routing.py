"""Where alerts go: what ``policy/routing.yaml`` says, as one value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.classify import Severity
from bot.domain.contact import Contact, ContactKind, Mention, PagerRoute, pagerduty, slack
from bot.domain.correlation import Correlation, default_correlations
from bot.domain.escalation_policy import (
    EscalationPolicy,
    EscalationRule,
    default_response_times,
    default_rules,
)
from bot.domain.flapping import Flapping
from bot.domain.grouping import Grouping
from bot.domain.heartbeat import Heartbeat, default_heartbeats
from bot.domain.page_test import PageTestPlan
from bot.domain.schedule import Schedule
from bot.domain.storm import StormLimits
from bot.domain.suggestion import SuggestionRule, default_suggestions


def default_fallback() -> tuple[Contact, ...]:
    """That of the shipped file."""
    return (pagerduty(PagerRoute.SECONDARY), slack(Mention.BY_LEVEL))


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """How alerts are grouped, correlated, bounded and damped, and what follows from incidents.

    That is whom they are told, and which runbooks they suggest; others run at their times.
    `fallback` is tried in this order when a page does not arrive. The defaults are those of
    the shipped file. `digest` is the SHA-256 of the file's bytes, empty for a policy that
    came from none.
    """

    grouping: Grouping = field(default_factory=Grouping)
    correlations: tuple[Correlation, ...] = field(default_factory=default_correlations)
    storm: StormLimits = field(default_factory=StormLimits)
    flapping: Flapping = field(default_factory=Flapping)
    heartbeats: tuple[Heartbeat, ...] = field(default_factory=default_heartbeats)
    escalations: tuple[EscalationRule, ...] = field(default_factory=default_rules)
    response_times: Mapping[Severity, timedelta] = field(default_factory=default_response_times)
    fallback: tuple[Contact, ...] = field(default_factory=default_fallback)
    page_test: PageTestPlan | None = None
    """When the way of a page is tested; None: by nobody but people."""
    schedules: tuple[Schedule, ...] = ()
    suggestions: tuple[SuggestionRule, ...] = field(default_factory=default_suggestions)
    digest: str = ""

    @property
    def escalation(self) -> EscalationPolicy:
        """What the file says of escalation."""
        return EscalationPolicy(self.escalations, self.response_times)

    def unknown_notifiers(self, known: Collection[str]) -> tuple[str, ...]:
        """Notifiers that the policy names and that are not known, by name."""
        named = {one.name for one in self._contacts() if one.kind is ContactKind.NOTIFIER}
        return tuple(sorted(named.difference(known)))

    def asks_for(self, contact: Contact) -> bool:
        """Whether some escalation step or the fallback turns to this contact."""
        return contact in self._contacts()

    def _contacts(self) -> Iterator[Contact]:
        yield from self.fallback
        yield from self.escalation.contacts()
