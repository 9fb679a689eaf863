"""How bad an alert is, and why: rules in order, the first that applies wins.

The policy is data (``policy/severity.yaml``); this module only applies it. First the
alert's signals are seen, such as "marked critical" or "no leader is left", then the rules
are asked, which are about signals. Every outcome names the rule, the policy's digest and
the rules that were passed over, so that "why P1?" has one answer. What no rule knows
fails towards paging, and a fact that could not be measured never lowers a level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.domain.facts import BUILT_IN, NO_CONTEXT, Comparison, Context, Expression, Fact, FactValue
from bot.domain.matcher import Matcher, Place
from bot.domain.memory import Memory
from bot.domain.text_model import Opinion
from bot.domain.text_vote import TextVote
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


AUTHORS_LEVEL = "severity"
"""The label in which an alert's author says how bad it is."""

Evidence = Mapping[str, Matcher | Phrase]
"""The signals that were seen on an alert, each with what showed it."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a policy looks for: phrases and matchers, any of which shows its signal."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    matchers: tuple[tuple[str, Matcher], ...] = ()

    def seen(
        self,
        text: str,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        expression: str = "",
    ) -> Evidence:
        """The signals of the alert with these labels, annotations, PromQL and prose."""
        found: dict[str, Matcher | Phrase] = {**self.vocabulary.said(text)}
        for signal, matcher in self.matchers:
            if signal not in found and matcher.holds(labels, annotations, expression):
                found[signal] = matcher
        return found


@dataclass(frozen=True, slots=True)
class Case:
    """An alert as the rules are asked about it.

    `text` is its prose, `evidence` is what was seen on it.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    evidence: Evidence
    seen: frozenset[str]
    context: Context
    text: str = ""

    def meets(self, matcher: Matcher) -> bool:
        """Whether the matcher's condition holds."""
        return matcher.holds(self.labels, self.annotations, self.context.expression)

    def opinion(self, vote: TextVote) -> Opinion | None:
        """What the text model makes of the alert; None where it has nothing to say."""
        severity = self.labels.get(AUTHORS_LEVEL, "")
        return vote.model.opinion(self.text, severity, self.context.expression)


@dataclass(frozen=True, slots=True)
class Rule:
    """Applies where everything that it asks for holds.

    That is: all matchers hold, all signals of `when` are seen and none of `unless`, all
    comparisons with `facts` hold, and the `expression` does. `needs` are the ids of the
    facts that comparisons and expression look at. `reason` is said to people, so it is a
    plain sentence. A rule that is `certain` is never outvoted by the text model.
    """

    id: str
    level: Severity
    reason: str
    matchers: tuple[Matcher, ...] = ()
    when: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    facts: tuple[Comparison, ...] = ()
    expression: Expression | None = None
    needs: frozenset[str] = frozenset()
    certain: bool = False

    @property
    def asks_beyond_the_alert(self) -> bool:
        """Whether more than the alert's own words and labels decides."""
        return bool(self.facts) or self.expression is not None

    @property
    def asks_about_incident(self) -> bool:
        """Whether it may look at the incident of the alert; what CEL looks at is not known."""
        return self.expression is not None or any(one.name in BUILT_IN for one in self.facts)

    def fits(self, case: Case) -> bool:
        """Whether signals and matchers leave it to the facts, if there are any, to decide."""
        return (
            self.when <= case.seen
            and self.unless.isdisjoint(case.seen)
            and all(case.meets(matcher) for matcher in self.matchers)
        )

    def holds(self, case: Case) -> bool:
        """Whether a rule that fits applies. It costs more, so it is asked afterwards."""
        return all(comparison.holds(case.context) for comparison in self.facts) and (
            self.expression is None
            or self.expression.holds(case.labels, case.annotations, case.context)
        )

    def objection(self, case: Case) -> str | None:
        """What stands against this rule, in words, or None when it applies."""
        for signal in sorted(self.when - case.seen):
            return f"{signal} is not seen"
        for signal in sorted(self.unless & case.seen):
            return f"{signal} is seen ({case.evidence[signal]})"
        for matcher in self.matchers:
            if not case.meets(matcher):
                return f"{matcher} does not hold"
        for comparison in self.facts:
            if objection := comparison.objection(case.context):
                return objection
        if self.expression is None:
            return None
        return self.expression.objection(case.labels, case.annotations, case.context)


def _memory(rules: Sequence[Rule], signals: Signals) -> Memory[Classification]:
    """The memory of a policy with these rules and signals."""
    matchers = [matcher for _, matcher in signals.matchers]
    matchers += [matcher for rule in rules for matcher in rule.matchers]
    by_label = all(one.place in (Place.LABEL, Place.EXPRESSION) for one in matchers)
    works = by_label and all(rule.expression is None for rule in rules)
    names = {one.name for one in matchers if one.place is Place.LABEL}
    return Memory(sorted({*names, AUTHORS_LEVEL}), works=works)


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
    facts: tuple[Fact, ...] = ()
    text_vote: TextVote | None = None

    by_signal: Mapping[str, Sequence[int]] = field(init=False, default_factory=dict)
    """The rules by a signal that each of them needs, as numbers; under "" those without one."""
    asks_about_incident: bool = field(init=False, default=False)
    """Whether any rule looks at more than the alert and its facts: at how many fire, for one."""
    memory: Memory[Classification] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            found.setdefault(min(rule.when, default=""), []).append(number)
        object.__setattr__(self, "by_signal", found)
        asks = any(rule.asks_about_incident for rule in self.rules)
        object.__setattr__(self, "asks_about_incident", asks)
        object.__setattr__(self, "memory", _memory(self.rules, self.signals))

    def case(
        self,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        context: Context,
        text: str | None = None,
    ) -> Case:
        """The alert, with what is seen on it; `text` is its prose, where that is known."""
        text = prose(labels, annotations) if text is None else text
        evidence = self.signals.seen(text, labels, annotations, context.expression)
        return Case(labels, annotations, evidence, frozenset(evidence), context, text)

    def fitting(self, case: Case) -> Iterator[Rule]:
        """The rules that fit, in order; only those are asked of which a signal was seen."""
        numbers = [number for key in ("", *case.seen) for number in self.by_signal.get(key, ())]
        for number in sorted(numbers):
            if self.rules[number].fits(case):
                yield self.rules[number]


DEFAULT_RULE = "default"
TEXT_MODEL = "text-model"
"""What stands in the rule's place where the text model has outvoted the rule."""

LEVELS = tuple(Severity)
"""The levels by the numbers that the text model has for them."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The level and its explanation; `facts` are those that the rule rests on."""

    level: Severity
    rule: str
    reason: str
    policy_digest: str
    facts: tuple[FactValue, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether it rests on no fact's fallback."""
        return all(fact.measured for fact in self.facts)


def classify(
    policy: Policy,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    context: Context = NO_CONTEXT,
) -> Classification:
    """The level of an alert with these labels and annotations, and the rule that said so."""
    text = prose(labels, annotations)
    key = policy.memory.key(text, labels, context)
    found = policy.memory.get(key) if key else None
    if found is None:
        found = decided(policy, policy.case(labels, annotations, context, text))
        if key:
            policy.memory.keep(key, found)
    return found


def wanted(
    policy: Policy,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    expression: str = "",
) -> tuple[Fact, ...]:
    """The facts that can still decide about an alert with this PromQL, in the policy's order.

    Those are the ones of the rules that fit, up to the first that applies without any.
    """
    if not policy.facts:
        return ()
    needs: set[str] = set()
    case = policy.case(labels, annotations, Context(expression=expression))
    for rule in policy.fitting(case):
        if not rule.asks_beyond_the_alert:
            break
        needs |= rule.needs
    return tuple(fact for fact in policy.facts if fact.id in needs)


def decided(policy: Policy, case: Case) -> Classification:
    """What the first rule that applies says, and at least what is so without fallbacks."""
    chosen = _first(policy, case)
    if chosen.measured:
        return chosen
    sure = _first(policy, replace(case, context=case.context.without_fallbacks()))
    return sure if sure.level.worse_than(chosen.level) else chosen


def _first(policy: Policy, case: Case) -> Classification:
    for rule in policy.fitting(case):
        if rule.holds(case):
            found = case.context.facts
            used = tuple(found[name] for name in sorted(rule.needs) if name in found)
            chosen = Classification(rule.level, rule.id, rule.reason, policy.digest, used)
            if rule.certain:
                return chosen
            voted = _voted(policy.text_vote, case, chosen)
            # Words may make what was measured worse, as they would without it, but not better.
            lower = rule.asks_beyond_the_alert and not voted.level.worse_than(chosen.level)
            return chosen if lower else voted
    return Classification(
        policy.default,
        DEFAULT_RULE,
        "No rule of the policy knows this alert, and what is unknown fails towards paging.",
        policy.digest,
    )


def _voted(vote: TextVote | None, case: Case, chosen: Classification) -> Classification:
    """What the rule says, or the text model where it outvotes the rule."""
    if vote is None:
        return chosen
    level = LEVELS.index(chosen.level)
    opinion = case.opinion(vote)
    best = vote.outvotes(opinion, level) if opinion else None
    if opinion is None or best is None:
        return chosen
    reason = f"Its wording says {vote.said(opinion, level)}, and outvotes rule {chosen.rule}."
    return replace(chosen, level=LEVELS[best], rule=TEXT_MODEL, reason=reason)
