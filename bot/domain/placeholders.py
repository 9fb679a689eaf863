"""Placeholders in the arguments of steps: what they refer to, and their replacement.

``${parameters.NAME}`` stands for a parameter's value, ``${steps.ID.NAME}`` for a value
that the plan of an earlier step decided. A value is put in as it is, whole; it is never
evaluated, and nothing in it is looked at again. Keys are never replaced.

What is put in stays text, with one exception: a text inside a mapping or a list that is
exactly one placeholder of a whole-numbered parameter (`integer`, `percent`) becomes a
number, because what is nested is data for others, such as a Kubernetes manifest, in which
``replicas: "3"`` is an error. The arguments of a step themselves need no such rule: the
kind's own model turns the text into what it wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import InvalidInput

_NAME = r"[a-z][a-z0-9_]*"
_PLACEHOLDER = re.compile(
    rf"\$\{{(?:parameters\.(?P<parameter>{_NAME})|steps\.(?P<step>{_NAME})\.(?P<value>{_NAME}))\}}"
)
_ANYTHING_LIKE_ONE = re.compile(r"\$\{[^}]*\}?")

Path = tuple[str | int, ...]


class Undecided(InvalidInput):
    """A placeholder's value was to be decided by the plan of an earlier step, and was not."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a placeholder refers to: a parameter or, with `step`, a value which that decides."""

    name: str
    step: str | None = None

    def __str__(self) -> str:
        place = "parameters" if self.step is None else f"steps.{self.step}"
        return f"${{{place}.{self.name}}}"


@dataclass(frozen=True, slots=True)
class Values:
    """What placeholders are replaced by."""

    parameters: Mapping[str, str]
    decided: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By step id, what its plan decided."""

    numbers: frozenset[str] = frozenset()
    """The names of the parameters that are whole numbers."""

    def get(self, reference: Reference) -> str:
        """The value; `Undecided` when the step has not decided it."""
        if reference.step is None:
            return self.parameters[reference.name]
        decided = self.decided.get(reference.step, {})
        if reference.name not in decided:
            raise Undecided(
                f"There is no {reference}: step {reference.step} could not be planned to the end."
            )
        return decided[reference.name]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All in a value that is no mapping or list, with the keys and indices that lead to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def references(text: str) -> Iterator[Reference]:
    """What the placeholders in the text refer to."""
    return map(_reference, _PLACEHOLDER.finditer(text))


def malformed(text: str) -> tuple[str, ...]:
    """What looks like a placeholder in the text but has not the form of one."""
    looks_like = _ANYTHING_LIKE_ONE.findall(text)
    return tuple(found for found in looks_like if not _PLACEHOLDER.fullmatch(found))


def substitute(arguments: Mapping[str, Any], values: Values) -> Mapping[str, Any]:
    """The arguments with every placeholder replaced, once."""
    return {
        key: _filled(value, values) if isinstance(value, str) else _nested(value, values)
        for key, value in arguments.items()
    }


def _nested(value: Any, values: Values) -> Any:
    if isinstance(value, str):
        return _number_or_text(value, values)
    if isinstance(value, Mapping):
        return {key: _nested(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_nested(inner, values) for inner in value]
    return value


def _number_or_text(text: str, values: Values) -> int | str:
    match = _PLACEHOLDER.fullmatch(text)
    filled = _filled(text, values)
    return int(filled) if match and match["parameter"] in values.numbers else filled


def _filled(text: str, values: Values) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(_reference(match)), text)


def _reference(match: re.Match[str]) -> Reference:
    return Reference(match["parameter"] or match["value"], match["step"])
