"""How bad an alert is, and why: rules in order, the first that matches wins.

The policy is data (``policy/severity.yaml``); this module only applies it. Every
outcome names the rule, the policy's digest and the rules that were passed over, so
that "why P1?" has one answer. What no rule knows fails towards paging.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The seed's levels (design.md, "The seed's numbers"); P0 is the worst."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @property
    def pages(self) -> bool:
        """Whether this level pages at once; the others become tickets."""
        return self in (Severity.P0, Severity.P1)

    @property
    def meaning(self) -> str:
        """The level's name in words."""
        return _MEANINGS[self]

    def worse_than(self, other: Severity) -> bool:
        """Whether this level is more severe than `other`."""
        return self.value < other.value


_MEANINGS = {
    Severity.P0: "Critical",
    Severity.P1: "High",
    Severity.P2: "Medium",
    Severity.P3: "Low",
}


class Operator(StrEnum):
    """Alertmanager's matcher operators; a missing label counts as the empty text."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


class Place(StrEnum):
    """Where a matcher looks."""

    LABEL = "label"
    ANNOTATION = "annotation"
    TEXT = "text"
    """The alert's name, summary and description, joined by newlines."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on an alert. `pattern` is set for the two regex operators.

    As in Alertmanager, a regex must match the whole value of a label or annotation.
    On `Place.TEXT` it may match anywhere, without regard to case: text is prose.
    """

    place: Place
    name: str
    operator: Operator
    value: str
    pattern: re.Pattern[str] | None = None

    def holds(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> bool:
        """Whether the alert meets this condition."""
        actual = self._actual(labels, annotations)
        if self.operator is Operator.EQUAL:
            return actual == self.value
        if self.operator is Operator.NOT_EQUAL:
            return actual != self.value
        return self._found(actual) is (self.operator is Operator.MATCHES)

    def _actual(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
        if self.place is Place.LABEL:
            return labels.get(self.name, "")
        if self.place is Place.ANNOTATION:
            return annotations.get(self.name, "")
        parts = (
            labels.get("alertname"),
            annotations.get("summary"),
            annotations.get("description"),
        )
        return "\n".join(part for part in parts if part)

    def _found(self, actual: str) -> bool:
        assert self.pattern is not None, "a regex matcher is always compiled"
        if self.place is Place.TEXT:
            return self.pattern.search(actual) is not None
        return self.pattern.fullmatch(actual) is not None

    def __str__(self) -> str:
        name = self.name if self.place is Place.LABEL else f"{self.place}.{self.name}".rstrip(".")
        return f'{name}{self.operator}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Rule:
    """All matchers must hold; `reason` is said to people, so it is a plain sentence."""

    id: str
    level: Severity
    reason: str
    matchers: tuple[Matcher, ...]

    def first_failing(
        self, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> Matcher | None:
        """The first matcher that does not hold, or None when the rule applies."""
        for matcher in self.matchers:
            if not matcher.holds(labels, annotations):
                return matcher
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """The ordered rules and what to do when none applies.

    `digest` is the SHA-256 of the file's bytes; `default` should page (a policy file
    that says otherwise is refused when it is read).
    """

    rules: tuple[Rule, ...]
    default: Severity
    digest: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that lost: the matcher that failed, or that an earlier rule had won."""

    rule: str
    level: Severity
    because: str


DEFAULT_RULE = "default"


@dataclass(frozen=True, slots=True)
class Classification:
    """The level and its explanation."""

    level: Severity
    rule: str
    reason: str
    policy_digest: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A classification with every rule that lost, in the policy's order."""

    classification: Classification
    passed: tuple[Passed, ...]


def classify(
    policy: Policy, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Classification:
    """The level of an alert with these labels and annotations, and the rule that said so."""
    for rule in policy.rules:
        if rule.first_failing(labels, annotations) is None:
            return Classification(rule.level, rule.id, rule.reason, policy.digest)
    return Classification(
        policy.default,
        DEFAULT_RULE,
        "No rule of the policy knows this alert, and what is unknown fails towards paging.",
        policy.digest,
    )


def explain(
    policy: Policy, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Explanation:
    """As `classify`, with the rules that lost and why."""
    classification = classify(policy, labels, annotations)
    passed = []
    for rule in policy.rules:
        if rule.id == classification.rule:
            continue
        failing = rule.first_failing(labels, annotations)
        because = (
            f"rule {classification.rule} comes first"
            if failing is None
            else f"{failing} does not hold"
        )
        passed.append(Passed(rule.id, rule.level, because))
    return Explanation(classification, tuple(passed))
