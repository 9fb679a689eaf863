"""A runbook: what to do, in versioned, typed steps.

The text is YAML (``runbooks/<name>/<version>.yaml``, read by ``adapters/runbooks.py``).
Values are substituted (``${parameters.workload}``), never evaluated: a placeholder is
replaced by the value as it is, whole, and nothing in the value is looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.errors import InvalidInput

_PLACEHOLDER = re.compile(r"\$\{parameters\.([a-z][a-z0-9_]*)\}")
_ANY_PLACEHOLDER = re.compile(r"\$\{[^}]*\}?")


class Risk(StrEnum):
    """What can go wrong when the runbook does exactly what it says."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ParameterType(StrEnum):
    """The types of a runbook's parameters; `FORMS` holds the form of each."""

    STRING = "string"
    INTEGER = "integer"
    DURATION = "duration"
    WORKLOAD = "workload"
    SERVICE = "service"
    REVISION = "revision"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; without a default it must be given. Values are kept as text."""

    name: str
    type: ParameterType
    description: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its kind names the code, its arguments may hold placeholders."""

    id: str
    kind: str
    title: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Runbook:
    """One released version. `digest` is the SHA-256 of `text`, the file's content."""

    name: str
    version: str
    summary: str
    risk: Risk
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    verification: tuple[Step, ...]
    text: str
    digest: str

    @property
    def reference(self) -> str:
        """How people name it: ``restart@1.0.0``."""
        return f"{self.name}@{self.version}"

    def step(self, step_id: str) -> Step:
        """The step with that id, of the steps or the verification."""
        return next(step for step in (*self.steps, *self.verification) if step.id == step_id)

    @property
    def usage(self) -> str:
        """How to call it: ``restart <workload> [timeout=600s]``."""
        words = [
            f"<{parameter.name}>"
            if parameter.default is None
            else f"[{parameter.name}={parameter.default}]"
            for parameter in self.parameters
        ]
        return " ".join([self.name, *words])


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written: as a regular expression, in words, by an example."""

    pattern: str
    words: str
    example: str


_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_OBJECT = f"{_NAME}/{_NAME}"
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
FORMS: Mapping[ParameterType, Form] = {
    ParameterType.STRING: Form(f"[^{_CONTROL}]{{0,500}}", "a text of one line", "text"),
    ParameterType.INTEGER: Form(r"-?[0-9]{1,9}", "a whole number", "1"),
    ParameterType.DURATION: Form(
        r"[0-9]{1,6}(ms|s|m|h)", "a duration such as 30s, 10m or 1h", "30s"
    ),
    ParameterType.WORKLOAD: Form(_OBJECT, "a Deployment as namespace/name", "payments/checkout"),
    ParameterType.SERVICE: Form(_OBJECT, "a Service as namespace/name", "payments/checkout"),
    ParameterType.REVISION: Form(
        r"previous|[1-9][0-9]{0,8}", "a revision's number, or previous", "previous"
    ),
    ParameterType.URL: Form(
        rf"(https?://[^\s<>{_CONTROL}]{{1,2000}})?",
        "an http or https address, or nothing",
        "https://example.com/healthz",
    ),
}
"""Sources: Kubernetes' names are DNS subdomains (RFC 1123), revisions are counted from 1."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHOWN = 60
"""Characters of a refused value that are repeated to whoever sent it."""


def check_form(form: Form, name: str, value: str) -> str:
    """The value itself when it has the form; `InvalidInput` names it and says what is wrong."""
    if re.fullmatch(form.pattern, value) is None:
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
        raise InvalidInput(f"{name} must be {form.words}; it is “{shown}”.")
    return value


def check_value(parameter: Parameter, value: str) -> str:
    """The value itself when it has the parameter's form; `InvalidInput` says what is wrong."""
    return check_form(FORMS[parameter.type], parameter.name, value)


def seconds(duration: str) -> float:
    """A checked duration in seconds: ``10m`` is 600.0."""
    match = re.fullmatch(r"([0-9]{1,6})(ms|s|m|h)", duration)
    if match is None:
        raise InvalidInput(f"“{duration}” is not a duration; write it like 30s, 10m or 1h.")
    return int(match[1]) * _UNITS[match[2]]


def bind(runbook: Runbook, words: Sequence[str]) -> Mapping[str, str]:
    """The parameters' values from words as a person types them.

    ``name=value`` sets a parameter by name; a bare word is the next parameter, in the
    runbook's order, that has no value yet. Raises `InvalidInput` for what is unknown,
    given twice, missing or of the wrong form.
    """
    given: dict[str, str] = {}
    known = {parameter.name: parameter for parameter in runbook.parameters}
    for word in words:
        name, value = _assignment(word, runbook, given)
        if name not in known:
            raise InvalidInput(f"{runbook.name} has no parameter “{name}”. Usage: {runbook.usage}")
        if name in given:
            raise InvalidInput(f"{name} is given twice. Usage: {runbook.usage}")
        given[name] = check_value(known[name], value)
    return {parameter.name: _value(parameter, given, runbook) for parameter in runbook.parameters}


def _assignment(word: str, runbook: Runbook, given: Mapping[str, str]) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if equals and re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return name, value
    free = (parameter.name for parameter in runbook.parameters if parameter.name not in given)
    position = next(free, None)
    if position is None:
        raise InvalidInput(f"“{word}” is one word too many. Usage: {runbook.usage}")
    return position, word


def _value(parameter: Parameter, given: Mapping[str, str], runbook: Runbook) -> str:
    if parameter.name in given:
        return given[parameter.name]
    if parameter.default is None:
        raise InvalidInput(f"{parameter.name} is missing. Usage: {runbook.usage}")
    return parameter.default


def placeholders(arguments: Mapping[str, str]) -> frozenset[str]:
    """The names of the parameters that these arguments refer to."""
    return frozenset(name for value in arguments.values() for name in _PLACEHOLDER.findall(value))


def unknown_placeholders(text: str, known: Collection[str]) -> tuple[str, ...]:
    """What looks like a placeholder in `text` but is not one of a `known` parameter."""
    known_forms = {f"${{parameters.{name}}}" for name in known}
    return tuple(found for found in _ANY_PLACEHOLDER.findall(text) if found not in known_forms)


def substitute(arguments: Mapping[str, str], parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The arguments with every placeholder replaced, once, by its parameter's value."""
    return {
        key: _PLACEHOLDER.sub(lambda match: parameters[match[1]], value)
        for key, value in arguments.items()
    }
