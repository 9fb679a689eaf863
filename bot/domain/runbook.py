"""A runbook: what to do, in versioned, typed steps.

The text is YAML (``runbooks/<name>/<version>.yaml``, read by ``adapters/runbooks.py``).
Values are substituted (`domain/placeholders.py`), never evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.errors import InvalidInput
from bot.domain.parameter import Parameter, check_value
from bot.domain.placeholders import Values, substitute


class Risk(StrEnum):
    """What can go wrong when the runbook does exactly what it says."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its kind names the code. Its arguments are JSON values with placeholders.

    `cluster` names another cluster than the one that is configured, such as ``standby``.
    """

    id: str
    kind: str
    title: str
    arguments: Mapping[str, Any]
    cluster: str = ""


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
    changes_tocsin: bool = False
    """Whether it may change the workload that Tocsin itself runs in."""
    deprecated: str = ""
    """Why not to use it any more, and what to use instead; empty if it may be used."""
    passed_over: str = ""
    """Why it is not the newest released version, where that is refused and none was asked for."""

    @property
    def reference(self) -> str:
        """How people name it: ``restart@1.0.0``."""
        return f"{self.name}@{self.version}"

    def step(self, step_id: str) -> Step:
        """The step with that id, of the steps or the verification."""
        return next(step for step in (*self.steps, *self.verification) if step.id == step_id)

    def arguments(
        self,
        step: Step,
        parameters: Mapping[str, str],
        decided: Mapping[str, Mapping[str, str]],
    ) -> Mapping[str, Any]:
        """The step's arguments with every placeholder replaced.

        `decided` holds, by step id, what the plans of the steps before this one decided.
        Raises `Undecided` when a plan has not decided what this step needs.
        """
        numbers = frozenset(it.name for it in self.parameters if it.is_number)
        return substitute(step.arguments, Values(parameters, decided, numbers))

    @property
    def usage(self) -> str:
        """How to call it: ``restart <workload> [timeout=600s]``."""
        return " ".join([self.name, *(parameter.usage for parameter in self.parameters)])


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
