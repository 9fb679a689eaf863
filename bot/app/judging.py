"""How bad alerts are: the policy in force, asked with the facts that can be had.

Facts are asked for before a transaction, never within one: Prometheus may be slow, and
the write lock is everybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.app.facts import FactReader
from bot.domain.alert import Alert, AlertStatus
from bot.domain.classify import Classification, Policy, classify, wanted
from bot.domain.expression import expression_of
from bot.domain.facts import BUILT_IN, Context, FactValue

REMEMBERED = 20_000
"""Alerts whose classification is remembered: a storm's, which are judged to be put in order
and again when they are worked in."""

CONSIDERED = 20
"""Alerts of one delivery and incident that are judged anew because of how many fire, or how
often it flapped; they are of one group, so they differ in what hardly matters."""

Facts = Mapping[str, FactValue]
NO_FACTS: Facts = {}


@dataclass(frozen=True, slots=True)
class Judgement:
    """An alert, how bad it is, and the facts that it was judged by."""

    alert: Alert
    classification: Classification

    @property
    def rank(self) -> str:
        """Sorts the worst first."""
        return self.classification.level.value


class Judge:
    """Classifies alerts with the policy in force."""

    def __init__(self, policy: Callable[[], Policy], facts: FactReader) -> None:
        self._policy = policy
        self._facts = facts
        self._known: Mapping[str, Facts] = {}
        self._remembered: dict[tuple[str, str, int], Judgement] = {}

    def prepare(self, alerts: Iterable[Alert]) -> bool:
        """Ask for the facts that could decide about these alerts; returns whether any could."""
        policy = self._policy()
        if not policy.facts or not self._facts.available:
            self._known = {}
            return False
        asked = {
            alert.fingerprint: (facts, alert.labels)
            for alert in alerts
            if alert.status is AlertStatus.FIRING
            and (facts := wanted(policy, alert.labels, alert.annotations, _expression(alert)))
        }
        self._known = self._facts.read(asked)
        return bool(asked)

    def depends_on_facts(self, alerts: Iterable[Alert]) -> bool:
        """Whether facts were asked for about any of these alerts."""
        return any(alert.fingerprint in self._known for alert in alerts)

    def judge(self, alert: Alert) -> Judgement:
        """How bad the alert is, taken by itself."""
        policy = self._policy()
        key = (policy.digest, alert.fingerprint, hash(tuple(alert.annotations.items())))
        found = self._remembered.get(key)
        facts = self._known.get(alert.fingerprint)
        if found is None or facts:
            found = self._judged(policy, alert, Context(facts=facts or NO_FACTS))
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def worst(self, alerts: Sequence[Alert], firing: int = 1, flaps: int = 0) -> Judgement:
        """The worst of these alerts, of an incident in which so many fire, so often flapped."""
        judged = sorted(map(self.judge, alerts), key=lambda one: one.rank)
        policy = self._policy()
        if (firing <= 1 and not flaps) or not _asks_about_incident(policy):
            return judged[0]
        again = (self._in_incident(one.alert, firing, flaps) for one in judged[:CONSIDERED])
        return min(again, key=lambda one: one.rank)

    def _in_incident(self, alert: Alert, firing: int, flaps: int) -> Judgement:
        facts = self._known.get(alert.fingerprint, NO_FACTS)
        return self._judged(self._policy(), alert, Context(facts, firing, flaps))

    def _judged(self, policy: Policy, alert: Alert, context: Context) -> Judgement:
        context = Context(context.facts, context.firing, context.flaps, _expression(alert))
        return Judgement(alert, classify(policy, alert.labels, alert.annotations, context))


def _asks_about_incident(policy: Policy) -> bool:
    """Whether any rule looks at more than the alert and its facts."""
    return any(
        rule.expression is not None or any(one.name in BUILT_IN for one in rule.facts)
        for rule in policy.rules
    )


def _expression(alert: Alert) -> str:
    return expression_of(alert.generator_url)
