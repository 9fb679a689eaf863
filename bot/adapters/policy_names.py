"""Whether a severity policy's signals and rules go by the names that they have.

This looks at the file's plain data, so that what is wrong elsewhere hides nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.adapters.yaml_lines import Lines, Path, Problem
from bot.domain.classify import DEFAULT_RULE


@dataclass(frozen=True, slots=True)
class _Item:
    """A signal or a rule, and where it stands."""

    path: Path
    data: dict[str, Any]

    @property
    def id(self) -> str | None:
        """Its id, where it has one that is a text."""
        value = self.data.get("id")
        return value if isinstance(value, str) else None

    def names(self, key: str) -> Iterator[tuple[Path, str]]:
        """The texts in the list at `key`, each with its path."""
        values = self.data.get(key)
        for index, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, str):
                yield (*self.path, key, index), value


def name_problems(data: Any, lines: Lines) -> Iterator[Problem]:
    """Ids given twice, conditions that are missing, and signals that are not there or unused."""
    signals, rules = _items(data, "signals"), _items(data, "rules")
    yield from _id_problems(signals, "signal", {}, lines)
    default = {DEFAULT_RULE: "is the name of what happens when no rule applies"}
    yield from _id_problems(rules, "rule", default, lines)
    yield from _condition_problems(signals, ("says", "marked"), lines)
    yield from _condition_problems(rules, ("when", "match"), lines)
    yield from _reference_problems(signals, rules, lines)


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
    items: list[_Item], keys: tuple[str, str], lines: Lines
) -> Iterator[Problem]:
    for item in items:
        if item.data.keys().isdisjoint(keys):
            yield lines.problem(item.path, f"this needs a condition: “{keys[0]}” or “{keys[1]}”.")


def _reference_problems(
    signals: list[_Item], rules: list[_Item], lines: Lines
) -> Iterator[Problem]:
    known = {signal.id for signal in signals}
    asked = set()
    for path, name in (named for rule in rules for key in _ASKED for named in rule.names(key)):
        asked.add(name)
        if name not in known:
            yield lines.problem(path, f"there is no signal “{name}”.")
    for signal in signals:
        if signal.id is not None and signal.id not in asked:
            yield lines.problem(signal.path, f"no rule asks for the signal “{signal.id}”.")


_ASKED = ("when", "unless")
