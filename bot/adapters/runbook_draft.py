"""A runbook's file as far as it can be understood, whatever shape its data have.

The format's problems are pydantic's to find. The draft picks out what has the right
shape, so that the rules between a runbook's parts can be checked in the same go and
all problems be said at once; what it can't understand it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.adapters.runbook_model import as_text
from bot.adapters.yaml_lines import Path
from bot.domain.errors import InvalidInput
from bot.domain.parameter import FORMS, Parameter, ParameterType, check_value
from bot.domain.placeholders import Reference, Values, leaves, malformed, references, substitute

Data = Mapping[str, Any]
SECTIONS = ("steps", "verification")

LARGEST_NUMBER = 2**63 - 1
"""Kubernetes' integers have 64 bits, and so have those in which runs are kept."""


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step, its place in the file, and its arguments, which may hold anything."""

    path: tuple[str, int]
    id: str
    kind: str
    title: str
    cluster: str
    arguments: Mapping[str, Any]

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Every text in the arguments, with its place in the file."""
        return ((path, value) for path, value in self.leaves() if isinstance(value, str))

    def references(self) -> Iterator[tuple[Path, Reference]]:
        """What the placeholders in the arguments refer to, with their place in the file."""
        return ((path, found) for path, text in self.texts() for found in references(text))

    def leaves(self) -> Iterator[tuple[Path, object]]:
        """All in the arguments that is no mapping or list, with its place in the file."""
        return leaves(self.arguments, (*self.path, "with"))


@dataclass(frozen=True)
class Draft:
    """The names of all parameters, those that are well-formed, and all steps."""

    declared: frozenset[str]
    parameters: tuple[Parameter, ...]
    steps: tuple[DraftStep, ...]

    @cached_property
    def examples(self) -> Values:
        """A value for each well-formed parameter: its default, or one of its type."""
        examples = {parameter.name: _example(parameter) for parameter in self.parameters}
        return Values(
            examples, numbers=frozenset(it.name for it in self.parameters if it.is_number)
        )

    @cached_property
    def undecided(self) -> frozenset[Path]:
        """The arguments whose value is not known before a run is planned, or not at all."""
        return frozenset(
            path[:4]
            for step in self.steps
            for path, value in step.leaves()
            if not self._decided(value)
        )

    def _decided(self, value: object) -> bool:
        if not isinstance(value, str):
            return is_plain(value)
        known = self.examples.parameters
        return not malformed(value) and all(
            it.step is None and it.name in known for it in references(value)
        )


def draft_of(data: Data) -> Draft:
    """What can be understood of a file's data."""
    declared = _mapping(data.get("parameters"))
    steps = (step for section in SECTIONS for step in _steps(data, section))
    return Draft(frozenset(declared), tuple(_parameters(declared)), tuple(steps))


def with_examples(data: Data, draft: Draft) -> Data:
    """The data, with examples in place of the placeholders in the arguments of steps."""
    filled: dict[str, Any] = {**data}
    for section in SECTIONS:
        if isinstance(data.get(section), list):
            filled[section] = list(data[section])
    for step in draft.steps:
        section, index = step.path
        original = data[section][index]
        if isinstance(original.get("with"), dict):
            filled[section][index] = {**original, "with": _filled(step, draft)}
    return filled


def _filled(step: DraftStep, draft: Draft) -> Data:
    decided = {
        name: value
        for name, value in step.arguments.items()
        if (*step.path, "with", name) not in draft.undecided
    }
    return {**step.arguments, **substitute(decided, draft.examples)}


def is_plain(value: object) -> bool:
    """Whether a value that is no mapping or list may be an argument: text, number or truth."""
    return isinstance(value, str) or (isinstance(value, int) and abs(value) <= LARGEST_NUMBER)


def _example(parameter: Parameter) -> str:
    """A value that the parameter takes, as far as it says so itself without a fault."""
    choices = (
        parameter.default,
        *parameter.values,
        FORMS[parameter.type].example,
        parameter.minimum,
        parameter.maximum,
    )
    fit = (it for it in choices if it is not None and not value_fault(parameter, it))
    return next(fit, FORMS[parameter.type].example)


def value_fault(parameter: Parameter, value: str) -> str | None:
    """What is wrong with a value for the parameter, or None."""
    try:
        check_value(parameter, value)
    except InvalidInput as error:
        return str(error)
    return None


def _mapping(value: object) -> Data:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    text = as_text(value)
    return text if isinstance(text, str) else ""


def _parameters(declared: Data) -> Iterator[Parameter]:
    for name, raw in declared.items():
        given = _mapping(raw)
        type_ = _text(given.get("type"))
        if type_ in set(ParameterType):
            yield Parameter(
                name,
                ParameterType(type_),
                _text(given.get("description")).strip(),
                default=_optional(given, "default"),
                minimum=_optional(given, "minimum"),
                maximum=_optional(given, "maximum"),
                values=_texts(given.get("values")),
            )


def _optional(given: Data, key: str) -> str | None:
    return _text(given[key]) if key in given else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _steps(data: Data, section: str) -> Iterator[DraftStep]:
    raw = data.get(section)
    for index, given in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(given, dict):
            yield _step(given, (section, index))


def _step(given: Data, path: tuple[str, int]) -> DraftStep:
    arguments = _mapping(given.get("with"))
    return DraftStep(
        path=path,
        id=_text(given.get("id")),
        kind=_text(given.get("kind")),
        title=_text(given.get("title")).strip(),
        cluster=_text(given.get("cluster")),
        arguments={name: as_text(value) for name, value in arguments.items()},
    )
