"""Whether a severity policy's facts, signals and rules go by the names that they have.

This looks at the file's plain data, so that what is wrong elsewhere hides nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.adapters.cel import facts_named
from bot.adapters.fact_queries import parse_comparison
from bot.adapters.yaml_lines import Lines, Path, Problem
from bot.domain.classify import DEFAULT_RULE, TEXT_MODEL
from bot.domain.errors import InvalidInput
from bot.domain.facts import BUILT_IN

_Named = tuple[Path, str]
"""A name that is asked for, and where."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A fact, a signal or a rule, and where it stands."""

    path: Path
    data: dict[str, Any]

    @property
    def id(self) -> str | None:
        """Its id, where it has one that is a text."""
        value = self.data.get("id")
        return value if isinstance(value, str) else None

    def names(self, key: str) -> Iterator[_Named]:
        """The texts in the list at `key`, each with its path."""
        values = self.data.get(key)
        for index, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, str):
                yield (*self.path, key, index), value


def name_problems(data: Any, lines: Lines) -> Iterator[Problem]:
    """Ids given twice, conditions missing, and facts and signals that are not there or unused."""
    facts, signals, rules = (_items(data, key) for key in ("facts", "signals", "rules"))
    built_in = dict.fromkeys(BUILT_IN, "is a number that needs no query")
    yield from _id_problems(facts, "fact", built_in, lines)
    yield from _id_problems(signals, "signal", {}, lines)
    taken = {
        DEFAULT_RULE: "is the name of what happens when no rule applies",
        TEXT_MODEL: "is the name of what happens when the text model outvotes a rule",
    }
    yield from _id_problems(rules, "rule", taken, lines)
    yield from _condition_problems(signals, ("says", "marked"), lines)
    yield from _condition_problems(rules, ("when", "match", "facts", "cel"), lines)
    asked = [named for rule in rules for key in ("when", "unless") for named in rule.names(key)]
    yield from _reference_problems("signal", signals, asked, lines)
    asked = [named for rule in rules for named in _facts_named(rule)]
    yield from _reference_problems("fact", facts, asked, lines)


def _items(data: Any, key: str) -> list[_Item]:
    values = data.get(key) if isinstance(data, dict) else None
    return [
        _Item((key, index), value)
        for index, value in enumerate(values if isinstance(values, list) else ())
        if isinstance(value, dict)
    ]


def _id_problems(
    items: list[_Item], kind: str, taken: dict[str, str], lines: Lines
) -> Iterator[Problem]:
    for item in items:
        if item.id is not None:
            if item.id in taken:
                yield lines.problem((*item.path, "id"), f"the id “{item.id}” {taken[item.id]}.")
            taken.setdefault(item.id, f"is another {kind}'s already")


def _condition_problems(
    items: list[_Item], keys: tuple[str, ...], lines: Lines
) -> Iterator[Problem]:
    *first, last = (f"“{key}”" for key in keys)
    for item in items:
        if item.data.keys().isdisjoint(keys):
            yield lines.problem(item.path, f"this needs a condition: {', '.join(first)} or {last}.")


def _facts_named(rule: _Item) -> Iterator[_Named]:
    """The facts that a rule's comparisons and its expression name, as far as they can be read."""
    for path, text in rule.names("facts"):
        with suppress(InvalidInput):
            name = parse_comparison(text).name
            if name not in BUILT_IN:
                yield path, name
    expression = rule.data.get("cel")
    if isinstance(expression, str):
        for name in sorted(facts_named(expression)):
            yield (*rule.path, "cel"), name


def _reference_problems(
    kind: str, items: list[_Item], asked: list[_Named], lines: Lines
) -> Iterator[Problem]:
    known = {item.id for item in items}
    for path, name in asked:
        if name not in known:
            yield lines.problem(path, f"there is no {kind} “{name}”.")
    names = {name for _, name in asked}
    for item in items:
        if item.id is not None and item.id not in names:
            yield lines.problem(item.path, f"no rule asks for the {kind} “{item.id}”.")
