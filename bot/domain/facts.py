"""Facts: what Prometheus knows about the alert's workload, asked while it is classified.

A fact is a number with a name, such as the share of a workload's pods that are not
ready. Rules compare facts with thresholds. What can't be had is unknown or has its
fallback, with a note that says so, and no rule may rest on a guess to lower a level.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

PLACEHOLDER = re.compile(r'"\$\{([a-zA-Z_][a-zA-Z0-9_]*(?:\|[a-zA-Z_][a-zA-Z0-9_]*)*)\}"')
"""``"${service|job}"`` in a query: a whole string, filled by the first label that is there."""


@dataclass(frozen=True, slots=True)
class FactValue:
    """A fact as it was at a time; `value` is None where it is unknown.

    `note` says where it comes from: “measured”, “cached 12 s ago”, or why there is none.
    `measured` is False for a fallback, which may raise a level but never lower it.
    """

    fact: str
    value: float | None
    at: datetime
    note: str
    measured: bool = True

    def __str__(self) -> str:
        value = "not known" if self.value is None else f"{self.value:g}"
        return f"{self.fact} is {value} ({self.note})"


@dataclass(frozen=True, slots=True)
class Fact:
    """A named query. Times are in seconds.

    `query` is PromQL that yields one number, with a `PLACEHOLDER` where a label's value
    goes. An answer serves for `cache` seconds. `fallback` stands in when there is none;
    without it the fact is unknown then.
    """

    id: str
    meaning: str
    query: str
    timeout: float = 1.0
    cache: float = 15.0
    fallback: float | None = None

    def lacks(self, labels: Mapping[str, str]) -> str | None:
        """The placeholder for which the alert has no label, in words; None: it has them all."""
        for found in PLACEHOLDER.finditer(self.query):
            names = found[1].split("|")
            if not any(labels.get(name) for name in names):
                return f"the alert has no label {' or '.join(names)}"
        return None

    def filled(self, labels: Mapping[str, str]) -> str:
        """The query about an alert with these labels, which lack nothing."""
        return PLACEHOLDER.sub(
            lambda found: _quoted(next(filter(None, map(labels.get, found[1].split("|"))))),
            self.query,
        )


def _quoted(value: str | None) -> str:
    """The value as a PromQL string, whatever it holds.

    Source of the escapes: https://prometheus.io/docs/prometheus/latest/querying/basics/,
    "String literals": as in Go, where all but these three may stand for themselves.
    """
    text = (value or "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about an alert beyond its labels and annotations.

    `firing` counts the alerts that fire in its incident, `flaps` how often the incident
    resolved and fired again; `expression` is the alert's PromQL, or empty.
    """

    facts: Mapping[str, FactValue] = field(default_factory=dict)
    firing: int = 1
    flaps: int = 0
    expression: str = ""

    def value(self, name: str) -> float | None:
        """The number of that name, one of `BUILT_IN` among them; None when it is unknown."""
        if name in BUILT_IN:
            return self.firing if name == "firing" else self.flaps
        found = self.facts.get(name)
        return found.value if found else None

    def known(self) -> dict[str, float]:
        """The facts that have a value."""
        return {name: one.value for name, one in self.facts.items() if one.value is not None}

    def without_fallbacks(self) -> Context:
        """The same, with nothing but what was measured."""
        return replace(self, facts={n: one for n, one in self.facts.items() if one.measured})


NO_CONTEXT = Context()

BUILT_IN = frozenset({"firing", "flaps"})
"""The numbers that need no query."""

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on a fact or on a number of `BUILT_IN`: ``pods-not-ready >= 0.5``."""

    name: str
    sign: str
    number: float

    def holds(self, context: Context) -> bool:
        """Whether it is so; of what is unknown nothing is."""
        value = context.value(self.name)
        return value is not None and COMPARISONS[self.sign](value, self.number)

    def objection(self, context: Context) -> str | None:
        """Why it does not hold, in words, or None when it does."""
        if self.holds(context):
            return None
        found = context.facts.get(self.name)
        value = context.value(self.name)
        known = "it was not looked at" if value is None else f"it is {value:g}"
        return f"{self} does not hold: {found or known}"

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.number:g}"


class Expression(Protocol):
    """A condition in an expression language, compiled and checked when the policy is read."""

    @property
    def text(self) -> str:
        """As it stands in the policy."""
        ...

    def holds(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> bool:
        """Whether it is true; one that fails on this alert is not."""
        ...

    def objection(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> str | None:
        """Why it does not hold, in words, or None when it does."""
        ...
