"""A runbook's file as far as it can be understood, whatever shape its data have.

The format's problems are pydantic's to find. The draft picks out what has the right
shape, so that the rules between a runbook's parts can be checked in the same go and
all problems be said at once; what it can't understand it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.adapters.runbook_model import as_text
from bot.domain.errors import InvalidInput
from bot.domain.runbook import (
    FORMS,
    Parameter,
    ParameterType,
    check_value,
    substitute,
    unknown_placeholders,
)

Data = Mapping[str, Any]
SECTIONS = ("steps", "verification")


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step, its place in the file, and those of its arguments that are texts."""

    path: tuple[str, int]
    id: str
    kind: str
    title: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """The names of all parameters, those that are well-formed, and all steps."""

    declared: frozenset[str]
    parameters: tuple[Parameter, ...]
    steps: tuple[DraftStep, ...]

    @property
    def examples(self) -> Mapping[str, str]:
        """A value for each well-formed parameter: its default, or one of its type."""
        return {parameter.name: _example(parameter) for parameter in self.parameters}


def draft_of(data: Data) -> Draft:
    """What can be understood of a file's data."""
    declared = _mapping(data.get("parameters"))
    steps = (step for section in SECTIONS for step in _steps(data, section))
    return Draft(frozenset(declared), tuple(_parameters(declared)), tuple(steps))


def with_examples(data: Data, draft: Draft) -> Data:
    """The data, with examples in place of the placeholders in the arguments of steps."""
    examples = draft.examples
    filled: dict[str, Any] = {**data}
    for section in SECTIONS:
        if isinstance(data.get(section), list):
            filled[section] = list(data[section])
    for step in draft.steps:
        section, index = step.path
        original = data[section][index]
        if isinstance(original.get("with"), dict):
            arguments = {name: _fill(text, examples) for name, text in step.arguments.items()}
            filled[section][index] = {**original, "with": {**original["with"], **arguments}}
    return filled


def default_fault(parameter: Parameter) -> str | None:
    """What is wrong with the parameter's default, or None."""
    if parameter.default is None:
        return None
    try:
        check_value(parameter, parameter.default)
    except InvalidInput as error:
        return str(error)
    return None


def _example(parameter: Parameter) -> str:
    if parameter.default is None or default_fault(parameter):
        return FORMS[parameter.type].example
    return parameter.default


def _fill(text: str, examples: Mapping[str, str]) -> str:
    if unknown_placeholders(text, examples):
        return text
    return substitute({"text": text}, examples)["text"]


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
            description = _text(given.get("description")).strip()
            default = _text(given["default"]) if "default" in given else None
            yield Parameter(name, ParameterType(type_), description, default)


def _steps(data: Data, section: str) -> Iterator[DraftStep]:
    raw = data.get(section)
    for index, given in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(given, dict):
            yield _step(given, (section, index))


def _step(given: Data, path: tuple[str, int]) -> DraftStep:
    arguments = _mapping(given.get("with")).items()
    texts = {name: text for name, value in arguments if isinstance(text := as_text(value), str)}
    return DraftStep(
        path=path,
        id=_text(given.get("id")),
        kind=_text(given.get("kind")),
        title=_text(given.get("title")).strip(),
        arguments=texts,
    )
