"""What people read when they ask why: short first, the rules that lost at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.classify import DEFAULT_RULE
from bot.domain.declaration import DECLARED_RULE
from bot.domain.incident import OVERRIDE_RULE
from bot.domain.message import Field, Message
from bot.domain.stamps import stamp
from bot.domain.why import Judged, Override, Why

SHOWN_RULES = 6
"""Rules that lost, named in the chat; the nearest to winning."""

SHOWN_DIGEST = 12
"""Characters of a policy's digest that people compare."""


def why_message(why: Why) -> Message:
    """The one message that explains an incident's level and its page."""
    incident, ruled = why.incident, why.ruling.classification
    return Message(
        headline=f"Why {incident.reference} is {incident.severity}",
        body="\n".join([_level(why), "", *why.paging]),
        fields=(
            Field("Rule", _rule(ruled.rule)),
            Field("Policy", ruled.policy_digest[:SHOWN_DIGEST]),
            Field("Decided", stamp(why.ruling.at)),
            Field("By the alert", _alert(why)),
        ),
        preformatted="\n".join(why_lines(why, SHOWN_RULES)),
        footer=_note(why),
    )


def why_lines(why: Why, rules: int) -> Iterator[str]:
    """Facts, signals, people's levels, and at most so many of the rules that lost."""
    facts = [f"{one}, {stamp(one.at)}" for one in why.ruling.classification.facts]
    yield from _section("Facts used", facts)
    yield from _section("Set by people", [_set(one) for one in why.overrides])
    if why.judged is not None:
        seen = [f"{one.signal}: {one.by}" for one in why.judged.seen]
        yield from _section("Seen on the alert", seen)
        yield from _section("Rules that lost", _lost(why.judged, rules))


def _note(why: Why) -> str:
    unkept = why.judged.unkept if why.judged else ()
    if not unkept:
        return why.note
    return f"{why.note} Facts that decided nothing are not kept: {', '.join(unkept)}.".strip()


def _level(why: Why) -> str:
    incident, ruled = why.incident, why.ruling.classification
    if incident.classification.rule == OVERRIDE_RULE and why.overrides:
        last = why.overrides[-1]
        by = "It was declared" if ruled.rule == DECLARED_RULE else f"By rule {ruled.rule} it is"
        return (
            f"{last.by} set it to {last.level}: {last.reason}\n{by} {ruled.level}: {ruled.reason}"
        )
    return f"{ruled.level} {ruled.level.meaning}: {ruled.reason}"


def _rule(rule: str) -> str:
    if rule == DECLARED_RULE:
        return "none: a person declared it"
    return "none, so the policy’s default" if rule == DEFAULT_RULE else rule


def _alert(why: Why) -> str:
    judged = why.judged
    if judged is None:
        declared = why.ruling.classification.rule == DECLARED_RULE
        return "none" if declared else "not known any more"
    name = f"{judged.alert.name} ({judged.alert.status.value}): {judged.alert.summary}"
    return name if judged.decided else f"perhaps {name}"


def _set(one: Override) -> str:
    return f"{stamp(one.at)} {one.by}: {one.previous} → {one.level}: {one.reason}"


def _lost(judged: Judged, most: int) -> list[str]:
    lines = [f"{one.rule} ({one.level}): {one.because}" for one in judged.above[:most]]
    further = len(judged.above) - len(lines)
    if further or judged.below:
        lines.append(f"… {further} more that come before it, {judged.below} after it")
    return lines


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"  {line}" for line in lines)
