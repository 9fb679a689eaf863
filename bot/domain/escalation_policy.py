"""The policy of escalation: which incidents climb which steps, and the plan of one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.classify import Severity
from bot.domain.contact import Contact, Mention, PagerRoute, pagerduty, slack
from bot.domain.grouping import all_hold
from bot.domain.matcher import Matcher

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Call `contact` when nobody has taken the incident `after` the clock started."""

    after: timedelta
    contact: Contact


@dataclass(frozen=True, slots=True)
class EscalationRule:
    """The steps for incidents of these levels whose labels meet all matchers.

    `steps` are in the order of their times. After the last, the round begins again,
    `repeat` times. An incident that somebody took and that then was silent for
    `still_on_it` is asked about.
    """

    id: str
    levels: tuple[Severity, ...]
    steps: tuple[EscalationStep, ...]
    matchers: tuple[Matcher, ...] = ()
    repeat: int = 0
    still_on_it: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Escalation:
    """What a rule says, without whom it applies to; `rule` is its id, for people."""

    rule: str
    steps: tuple[EscalationStep, ...]
    repeat: int
    still_on_it: timedelta

    @property
    def answer_within(self) -> timedelta:
        """How long who is asked has to answer: as long as the first who was called."""
        return self.steps[0].after


@dataclass(frozen=True, slots=True)
class EscalationPlan:
    """An incident's escalations by level, as the policy was when the incident opened.

    It holds all levels, because the incident may get another one.
    """

    by_level: Mapping[Severity, Escalation] = field(default_factory=dict)


def default_response_times() -> Mapping[Severity, timedelta]:
    """How soon somebody must respond, by level (design.md, "The seed's numbers")."""
    return {
        Severity.P0: 15 * _MINUTE,
        Severity.P1: 60 * _MINUTE,
        Severity.P2: 4 * 60 * _MINUTE,
        Severity.P3: 24 * 60 * _MINUTE,
    }


def default_rules() -> tuple[EscalationRule, ...]:
    """Those of the shipped ``policy/routing.yaml``, which says why they are as they are."""
    second, on_call, channel = (
        pagerduty(PagerRoute.SECONDARY),
        slack(Mention.ON_CALL),
        slack(Mention.CHANNEL),
    )
    return (
        EscalationRule(
            id="critical",
            levels=(Severity.P0,),
            steps=(
                EscalationStep(5 * _MINUTE, second),
                EscalationStep(5 * _MINUTE, on_call),
                EscalationStep(10 * _MINUTE, channel),
            ),
            repeat=3,
            still_on_it=30 * _MINUTE,
        ),
        EscalationRule(
            id="high",
            levels=(Severity.P1,),
            steps=(
                EscalationStep(15 * _MINUTE, on_call),
                EscalationStep(30 * _MINUTE, second),
            ),
            repeat=1,
            still_on_it=120 * _MINUTE,
        ),
    )


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """Who is called after how long, and how soon somebody has to respond."""

    rules: tuple[EscalationRule, ...] = field(default_factory=default_rules)
    response_times: Mapping[Severity, timedelta] = field(default_factory=default_response_times)

    def plan(self, labels: Mapping[str, str]) -> EscalationPlan:
        """The plan of an incident with these labels; for each level the first rule that fits."""
        found: dict[Severity, Escalation] = {}
        for rule in self.rules:
            if all_hold(rule.matchers, labels):
                escalation = Escalation(rule.id, rule.steps, rule.repeat, rule.still_on_it)
                for level in rule.levels:
                    found.setdefault(level, escalation)
        return EscalationPlan(found)

    def contacts(self) -> Iterable[Contact]:
        """All that some step calls."""
        return (step.contact for rule in self.rules for step in rule.steps)
