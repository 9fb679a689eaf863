"""How bad an alert is, and why: rules in order, the first that applies wins.

The policy is data (``policy/severity.yaml``); this module only applies it. First the
alert's signals are seen, such as "marked critical" or "no leader is left", then the rules
are asked, which are about signals. Every outcome names the rule, the policy's digest and
the rules that were passed over, so that "why P1?" has one answer. What no rule knows
fails towards paging.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.matcher import Matcher
from bot.domain.wording import Phrase, Vocabulary, prose


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


Evidence = Mapping[str, Matcher | Phrase]
"""The signals that were seen on an alert, each with what showed it."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a policy looks for: phrases and matchers, any of which shows its signal."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    matchers: tuple[tuple[str, Matcher], ...] = ()

    def seen(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Evidence:
        """The signals of the alert with these labels and annotations."""
        said = self.vocabulary.said(prose(labels, annotations))
        found: dict[str, Matcher | Phrase] = {**said}
        for signal, matcher in self.matchers:
            if signal not in found and matcher.holds(labels, annotations):
                found[signal] = matcher
        return found


@dataclass(frozen=True, slots=True)
class Rule:
    """Applies where all matchers hold, all signals of `when` are seen and none of `unless`.

    `reason` is said to people, so it is a plain sentence.
    """

    id: str
    level: Severity
    reason: str
    matchers: tuple[Matcher, ...] = ()
    when: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()

    def applies(
        self, seen: frozenset[str], labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> bool:
        """Whether nothing stands against this rule where these signals were seen."""
        return (
            self.when <= seen
            and self.unless.isdisjoint(seen)
            and all(matcher.holds(labels, annotations) for matcher in self.matchers)
        )

    def objection(
        self, evidence: Evidence, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> str | None:
        """What stands against this rule, in words, or None when it applies."""
        for signal in sorted(self.when - evidence.keys()):
            return f"{signal} is not seen"
        for signal in sorted(self.unless & evidence.keys()):
            return f"{signal} is seen ({evidence[signal]})"
        for matcher in self.matchers:
            if not matcher.holds(labels, annotations):
                return f"{matcher} does not hold"
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
    signals: Signals = field(default_factory=Signals)


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that lost: what stood against it, or that an earlier rule had won."""

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
class Seen:
    """A signal that was seen: the phrase or the matcher that showed it."""

    signal: str
    by: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A classification with what was seen, and every rule that lost, in the policy's order."""

    classification: Classification
    seen: tuple[Seen, ...]
    passed: tuple[Passed, ...]


def classify(
    policy: Policy, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Classification:
    """The level of an alert with these labels and annotations, and the rule that said so."""
    seen = frozenset(policy.signals.seen(labels, annotations))
    for rule in policy.rules:
        if rule.applies(seen, labels, annotations):
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
    """As `classify`, with what was seen, and the rules that lost and why."""
    chosen = classify(policy, labels, annotations)
    evidence = policy.signals.seen(labels, annotations)
    passed = tuple(
        Passed(
            rule.id,
            rule.level,
            rule.objection(evidence, labels, annotations) or f"rule {chosen.rule} comes first",
        )
        for rule in policy.rules
        if rule.id != chosen.rule
    )
    seen = tuple(Seen(signal, str(by)) for signal, by in evidence.items())
    return Explanation(chosen, seen, passed)
