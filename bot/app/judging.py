"""How bad alerts are: the policy in force, asked with the facts that can be had.

Facts are asked for before a transaction, never within one: Prometheus may be slow, and
the write lock is everybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.app.facts import FactReader
from bot.domain.alert import Alert, AlertStatus
from bot.domain.classify import Classification, Policy, classify, wanted
from bot.domain.expression import expression_of
from bot.domain.facts import Context, FactValue
from bot.domain.grouping import GROUP_LABELS, label_key

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
    facts: Facts

    def is_about(self, alert: Alert, policy: Policy, facts: Facts) -> bool:
        """Whether it would come out the same for this alert."""
        same = alert is self.alert or alert.annotations == self.alert.annotations
        return same and facts == self.facts and policy.digest == self.classification.policy_digest

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
        self._put_off: Mapping[str, Facts] = {}
        self._remembered: dict[str, Judgement] = {}

    def prepare(self, alerts: Iterable[Alert], groups: int | None = None) -> bool:
        """Ask for the facts that could decide about these alerts; returns whether any could.

        They are asked for the worst of the groups, at most so many. The others are judged as
        if nobody had answered, which lowers no level.
        """
        self._known = self._put_off = {}
        policy = self._policy()
        if not policy.facts or not self._facts.available:
            return False
        wanting = {
            alert.fingerprint: (facts, alert.labels)
            for alert in self._worst_of_each_group(alerts)
            if (facts := wanted(policy, alert.labels, alert.annotations, _expression(alert)))
        }
        first = dict(islice(wanting.items(), groups))
        others = {key: wants for key, wants in wanting.items() if key not in first}
        self._put_off = self._facts.read(others, ask=False)
        self._known = self._facts.read(first) | self._put_off
        return bool(wanting)

    def _worst_of_each_group(self, alerts: Iterable[Alert]) -> Sequence[Alert]:
        """One alert of each group, the worst group's first.

        Facts are about its workload, which the others of the group share.
        """
        worst: dict[str, Judgement] = {}
        for alert in alerts:
            if alert.status is AlertStatus.FIRING:
                group = label_key(GROUP_LABELS, alert.labels)
                found = self.judge(alert)
                if group not in worst or found.rank < worst[group].rank:
                    worst[group] = found
        return [one.alert for one in sorted(worst.values(), key=lambda one: one.rank)]

    def depends_on_facts(self, alerts: Iterable[Alert]) -> bool:
        """Whether facts could decide about any of these alerts."""
        return any(alert.fingerprint in self._known for alert in alerts)

    def has_put_off(self, alerts: Iterable[Alert]) -> bool:
        """Whether that was not asked for about any of them."""
        return any(alert.fingerprint in self._put_off for alert in alerts)

    def judge(self, alert: Alert) -> Judgement:
        """How bad the alert is, taken by itself."""
        policy = self._policy()
        facts = self._known.get(alert.fingerprint, NO_FACTS)
        found = self._remembered.get(alert.fingerprint)
        if found is None or not found.is_about(alert, policy, facts):
            found = self._judged(policy, alert, Context(facts=facts))
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[alert.fingerprint] = found
        return found

    def worst(self, alerts: Sequence[Alert], firing: int = 1, flaps: int = 0) -> Judgement:
        """The worst of these alerts, of an incident in which so many fire, so often flapped."""
        judged = sorted(map(self.judge, alerts), key=lambda one: one.rank)
        policy = self._policy()
        if (firing <= 1 and not flaps) or not policy.asks_about_incident:
            return judged[0]
        again = (self._in_incident(one.alert, firing, flaps) for one in judged[:CONSIDERED])
        return min(again, key=lambda one: one.rank)

    def _in_incident(self, alert: Alert, firing: int, flaps: int) -> Judgement:
        facts = self._known.get(alert.fingerprint, NO_FACTS)
        return self._judged(self._policy(), alert, Context(facts, firing, flaps))

    def _judged(self, policy: Policy, alert: Alert, context: Context) -> Judgement:
        context = Context(context.facts, context.firing, context.flaps, _expression(alert))
        found = classify(policy, alert.labels, alert.annotations, context)
        return Judgement(alert, found, context.facts)


def _expression(alert: Alert) -> str:
    return expression_of(alert.generator_url)
