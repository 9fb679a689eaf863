"""A memory for what comes out the same for alerts that differ in nothing that is looked at.

The alerts of one rule say the same but for the names of things, and in a storm there are
thousands of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from bot.domain.facts import Context
from bot.domain.wording import LONGEST_REMEMBERED, REMEMBERED

Value = TypeVar("Value")

Key = tuple[object, ...]


class Memory(Generic[Value]):
    """Remembers a value for each key. What rests on facts is not remembered: they change."""

    def __init__(self, labels: Sequence[str], *, works: bool) -> None:
        """`labels` are those that are looked at; `works` False: more is looked at than them."""
        self._labels = labels
        self._works = works
        self._found: dict[Key, Value] = {}

    def key(self, text: str, labels: Mapping[str, str], context: Context) -> Key | None:
        """What decides about an alert with this prose; None: more than can be remembered."""
        if not self._works or context.facts or len(text) > LONGEST_REMEMBERED:
            return None
        values = [labels.get(name, "") for name in self._labels]
        return (text, context.expression, context.firing, context.flaps, *values)

    def get(self, key: Key) -> Value | None:
        """The value under that key, if it is remembered."""
        return self._found.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Remember it; what is full is forgotten as a whole."""
        if len(self._found) >= REMEMBERED:
            self._found.clear()
        self._found[key] = value
