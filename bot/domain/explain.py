"""Why an alert has its level: what was seen on it, and why each other rule lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.classify import LEVELS, TEXT_MODEL, Classification, Policy, Severity, decided
from bot.domain.facts import NO_CONTEXT, Context, FactValue


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that lost: what stood against it, or that an earlier rule had won."""

    rule: str
    level: Severity
    because: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A signal that was seen: the phrase or the matcher that showed it."""

    signal: str
    by: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A classification with what was seen, and every rule that lost, in the policy's order.

    `facts` are all that were looked at, those that are not known among them.
    """

    classification: Classification
    seen: tuple[Seen, ...]
    passed: tuple[Passed, ...]
    facts: tuple[FactValue, ...] = ()


def explain(
    policy: Policy,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    context: Context = NO_CONTEXT,
) -> Explanation:
    """As `classify`, with what was seen, and the rules that lost and why."""
    case = policy.case(labels, annotations, context)
    chosen = decided(policy, case)
    ids = [rule.id for rule in policy.rules]
    won = ids.index(chosen.rule) if chosen.rule in ids else len(ids)
    passed = tuple(
        Passed(rule.id, rule.level, rule.objection(case) or _outdone(chosen, index > won))
        for index, rule in enumerate(policy.rules)
        if index != won
    )
    seen = [Seen(signal, str(by)) for signal, by in case.evidence.items()]
    if policy.text_vote and (opinion := case.opinion(policy.text_vote)):
        against = LEVELS.index(chosen.level)
        seen.append(Seen(TEXT_MODEL, policy.text_vote.said(opinion, against)))
    return Explanation(chosen, tuple(seen), passed, tuple(context.facts.values()))


def _outdone(chosen: Classification, comes_later: bool) -> str:
    """Why a rule that nothing stands against lost."""
    if chosen.rule == TEXT_MODEL:
        return "the text model outvoted the rules"
    if comes_later:
        return f"rule {chosen.rule} comes first"
    return f"it rests on a fallback, which must not lower the level from {chosen.level}"
