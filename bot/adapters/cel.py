"""Conditions in CEL (https://cel.dev), compiled and type-checked when the policy is read.

CEL always ends, has no side effects, and its regexes (RE2) take linear time, so that a
hostile label can't make it hang. A condition sees `labels` and `annotations` (maps of
texts), `facts` (a map from ids to numbers; an unknown fact is not in it, and only those
are asked for that it names outright), `firing` and `flaps` (whole numbers). It may be
used by several threads at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from cel_expr_python import cel  # type: ignore[import-untyped]

from bot.domain.errors import InvalidInput
from bot.domain.facts import Context

LONGEST = 1000
"""Characters of the longest expression; one that is longer is not meant for people to check."""

_FACT = re.compile(r"""\bfacts\s*(?:\[\s*["']([^"']*)["']\s*\]|\.\s*(\w+))""")
_FACT_IN = re.compile(r"""["']([^"']*)["']\s+in\s+facts\b""")
_COMPILER = re.compile(r"ERROR: <input>:(?P<row>\d+):(?P<column>\d+): (?P<what>[^\n]*)")
_STATUS = re.compile(r"^[A-Z_]+: | ?\[[A-Z_]+\]$")


@cache
def _environment() -> cel.Env:
    texts = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
    return cel.NewEnv(
        variables={
            "labels": texts,
            "annotations": texts,
            "facts": cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE),
            "firing": cel.Type.INT,
            "flaps": cel.Type.INT,
        }
    )


def facts_named(text: str) -> frozenset[str]:
    """The ids of the facts that an expression names; it may be one that doesn't compile."""
    named = {one or other for one, other in _FACT.findall(text)}
    return frozenset(named.union(_FACT_IN.findall(text)))


class CelExpression:
    """An `Expression` in CEL."""

    def __init__(self, text: str) -> None:
        """Compile the text. `InvalidInput` says what is wrong with it."""
        if len(text) > LONGEST:
            raise InvalidInput(f"a CEL expression is longer than {LONGEST} characters.")
        self._text = text
        try:
            self._compiled = _environment().compile(text)
        except (RuntimeError, ValueError) as error:
            raise InvalidInput(f"“{text}” is not CEL that can be used: {_said(error)}.") from error
        if self._compiled.return_type() != cel.Type.BOOL:
            kind = self._compiled.return_type().name().lower()
            raise InvalidInput(f"“{text}” must be true or false; it is of type {kind}.")

    @property
    def text(self) -> str:
        """As it stands in the policy."""
        return self._text

    def holds(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> bool:
        """Whether it is true; one that fails, as by a label that is not there, is not."""
        return self._result(labels, annotations, context) is True

    def objection(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> str | None:
        """Why it does not hold, in words, or None when it does."""
        result = self._result(labels, annotations, context)
        if result is True:
            return None
        return f"{self._text} does not hold" + ("" if result is False else f": {result}")

    def _result(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> bool | str:
        """What it says, or what kept it from saying it."""
        data = {
            "labels": _texts(labels),
            "annotations": _texts(annotations),
            "facts": context.known(),
            "firing": context.firing,
            "flaps": context.flaps,
        }
        try:
            value = self._compiled.eval(data=data)
        except (RuntimeError, ValueError, TypeError) as error:
            return _said(error)
        return bool(value.value()) if value.type() == cel.Type.BOOL else _said(value.value())


def _texts(values: Mapping[str, str]) -> dict[str, str]:
    """The same without zero characters, at which the library would cut a text off."""
    return {_whole(name): _whole(value) for name, value in values.items()}


def _whole(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _said(problem: object) -> str:
    """The library's words, without its codes and without its drawing of the place."""
    text = str(problem)
    found = _COMPILER.search(text)
    if found is None:
        return _STATUS.sub("", text)
    what = (
        _STATUS.sub("", found["what"]).partition(" expecting ")[0].replace(" (in container '')", "")
    )
    return f"{what} (at character {found['column']})"
