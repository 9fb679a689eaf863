"""Conditions on an alert's labels, annotations, text and query, as Alertmanager's matchers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Pattern(Protocol):
    """A compiled regex, whichever library's."""

    def search(self, text: str, /) -> object | None: ...
    def fullmatch(self, text: str, /) -> object | None: ...


class Operator(StrEnum):
    """Alertmanager's matcher operators; a missing label counts as the empty text."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


_NEGATIVE = (Operator.NOT_EQUAL, Operator.NOT_MATCHES)


class Place(StrEnum):
    """Where a matcher looks."""

    LABEL = "label"
    ANNOTATION = "annotation"
    TEXT = "text"
    """The alert's name, summary and description, joined by newlines."""
    EXPRESSION = "expression"
    """The PromQL that fired the alert; the empty text where it is not known."""


_SEARCHED = (Place.TEXT, Place.EXPRESSION)
"""Where a regex may match anywhere."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on an alert. `pattern` is set for the two regex operators.

    As in Alertmanager, a regex must match the whole value of a label or annotation.
    On `Place.TEXT` it may match anywhere, without regard to case: text is prose. On
    `Place.EXPRESSION` it may match anywhere too, in its own case: PromQL is code.
    """

    place: Place
    name: str
    operator: Operator
    value: str
    pattern: Pattern | None = field(default=None, compare=False)
    """What `value` compiles to; not every library's patterns can be compared."""

    def holds(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], expression: str = ""
    ) -> bool:
        """Whether the alert with this PromQL `expression` meets this condition."""
        actual = self._actual(labels, annotations, expression)
        if self.pattern is None:
            found = actual == self.value
        elif self.place in _SEARCHED:
            found = self.pattern.search(actual) is not None
        else:
            found = self.pattern.fullmatch(actual) is not None
        return found is not (self.operator in _NEGATIVE)

    def _actual(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], expression: str
    ) -> str:
        if self.place is Place.LABEL:
            return labels.get(self.name, "")
        if self.place is Place.EXPRESSION:
            return expression
        if self.place is Place.ANNOTATION:
            return annotations.get(self.name, "")
        parts = (
            labels.get("alertname"),
            annotations.get("summary"),
            annotations.get("description"),
        )
        return "\n".join(part for part in parts if part)

    def __str__(self) -> str:
        name = self.name if self.place is Place.LABEL else f"{self.place}.{self.name}".rstrip(".")
        return f'{name}{self.operator}"{self.value}"'
