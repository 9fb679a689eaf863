"""Why an incident has its level: the rule, the facts, the alert that decided, the rules that lost.

What decided then is read from the events. Which rules lost is found by judging the alert
again, by the policy that decided and with the facts that were kept; what was not kept
can't be known again, and is said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alert import Alert, AlertStatus
from bot.domain.classify import Case, Classification, Policy, Rule, Severity, classify
from bot.domain.explain import Passed, Seen, explain
from bot.domain.expression import expression_of
from bot.domain.facts import Context
from bot.domain.incident import Incident
from bot.domain.incident_events import (
    IncidentEvent,
    IncidentOpened,
    SeverityOverridden,
    SeverityRaised,
)
from bot.domain.incident_evolution import evolve, opened
from bot.domain.timeline import Recorded


@dataclass(frozen=True, slots=True)
class Ruling:
    """The last that rules said of an incident, and how many alerts fired and flaps there were."""

    classification: Classification
    at: datetime
    firing: int
    flaps: int

    def context(self, alert: Alert) -> Context:
        """What the rules knew beyond the alert."""
        facts = {fact.fact: fact for fact in self.classification.facts}
        return Context(facts, max(1, self.firing), self.flaps, expression_of(alert.generator_url))


@dataclass(frozen=True, slots=True)
class Override:
    """A level that a person set."""

    at: datetime
    by: str
    previous: Severity
    level: Severity
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert judged again by the policy that decided.

    `decided` is whether that gives the rule that decided. `above` are the rules that come
    before it and lost, those first of which the fewest conditions fail; `below` counts the
    rules that come after it. `unkept` names the facts on which some of `above` failed then:
    they are not known now.
    """

    alert: Alert
    decided: bool
    seen: tuple[Seen, ...]
    above: tuple[Passed, ...]
    below: int
    unkept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The answer to "why this level, and why was somebody or nobody paged?".

    `ruling` is what rules said last, whatever a person made of it; `judged` is None, and
    `note` says why, where the rules that lost can't be told any more. `paging` holds
    plain sentences.
    """

    incident: Incident
    ruling: Ruling
    judged: Judged | None
    note: str
    overrides: tuple[Override, ...]
    paging: tuple[str, ...]


def last_ruling(incident: Incident, recorded: Sequence[Recorded]) -> Ruling:
    """What rules said last, as the events of the incident tell it."""
    found = Ruling(incident.classification, incident.opened_at, incident.firing, incident.flaps)
    now = incident
    for one in recorded:
        event = one.event
        if not isinstance(event, IncidentEvent):
            continue
        if isinstance(event, IncidentOpened):
            now = opened(incident.id, event, one.at)
        now = evolve(now, event, one.actor, one.at)
        if isinstance(event, IncidentOpened | SeverityRaised):
            found = Ruling(event.classification, one.at, now.firing, now.flaps)
        elif found.at == one.at:
            # What came in one go with it, such as the alerts that an incident opens with.
            found = Ruling(found.classification, found.at, now.firing, now.flaps)
    return found


def overrides(recorded: Sequence[Recorded]) -> tuple[Override, ...]:
    """The levels that people set, oldest first."""
    return tuple(
        Override(one.at, one.actor.name, event.previous, event.level, event.reason)
        for one in recorded
        if isinstance(event := one.event, SeverityOverridden)
    )


def judge_again(policy: Policy, ruling: Ruling, alerts: Sequence[Alert]) -> Judged | None:
    """The alert that decided, judged again, or else the first; None where there is no alert.

    Alerts that fire are looked at first.
    """
    candidates = sorted(alerts, key=lambda one: one.status is not AlertStatus.FIRING)
    rule = ruling.classification.rule
    deciding = next((one for one in candidates if _rule_of(policy, ruling, one) == rule), None)
    alert = deciding or next(iter(candidates), None)
    if alert is None:
        return None
    context = ruling.context(alert)
    explained = explain(policy, alert.labels, alert.annotations, context)
    case = policy.case(alert.labels, alert.annotations, context)
    above = _above(policy, rule)
    failing = {one.id: _failing(one, case) for one in above}
    needs = {fact for one in above if not failing[one.id] for fact in one.needs}
    lost = [one for one in explained.passed if one.rule in failing]
    return Judged(
        alert,
        deciding is not None,
        explained.seen,
        tuple(sorted(lost, key=lambda one: failing[one.rule])),
        max(0, len(policy.rules) - len(above) - 1),
        tuple(sorted(needs - set(context.facts))),
    )


def _rule_of(policy: Policy, ruling: Ruling, alert: Alert) -> str:
    return classify(policy, alert.labels, alert.annotations, ruling.context(alert)).rule


def _above(policy: Policy, rule: str) -> Sequence[Rule]:
    """The rules that were asked before that one; all of them for the default."""
    ids = [one.id for one in policy.rules]
    return policy.rules[: ids.index(rule)] if rule in ids else policy.rules


def _failing(rule: Rule, case: Case) -> int:
    """How many of the rule's conditions on the alert itself fail."""
    unmet = sum(not case.meets(matcher) for matcher in rule.matchers)
    return len(rule.when - case.seen) + len(rule.unless & case.seen) + unmet
