"""The severity policy's tests, ``policy/severity_test.yaml``: alerts in, level and rule out.

They are to the policy what ``promtool test rules`` is to Prometheus' rules, and they
fail with the file's lines.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.adapters.model_problems import model_problems
from bot.adapters.policy_fields import content_of
from bot.adapters.yaml_lines import FileProblems, Lines, Problem, load
from bot.domain.classify import Policy, Severity, classify
from bot.domain.facts import Context, FactValue

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When a case's facts were measured; no rule looks at it."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Expectation(_Model):
    level: Severity
    rule: str


class PolicyTest(_Model):
    """One case: what an alert with these labels and annotations has to be, by these facts."""

    name: Annotated[str, StringConstraints(min_length=1)]
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    facts: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}
    firing: Annotated[int, Field(ge=1)] = 1
    flaps: Annotated[int, Field(ge=0)] = 0
    expect: _Expectation

    @property
    def context(self) -> Context:
        """What the case knows beyond the alert; its facts are as if measured."""
        facts = {
            name: FactValue(name, value, _LONG_AGO, "measured")
            for name, value in self.facts.items()
        }
        return Context(facts, self.firing, self.flaps)


class _TestsModel(_Model):
    tests: Annotated[list[PolicyTest], Field(min_length=1)]


class PolicyTests:
    """The cases of one file."""

    def __init__(self, tests: list[PolicyTest], lines: Lines) -> None:
        """Take the cases in the file's order, and where they stand in it."""
        self._tests = tests
        self._lines = lines

    def __len__(self) -> int:
        return len(self._tests)

    def failures(self, policy: Policy) -> list[Problem]:
        """The cases in which the policy decides otherwise, each with its line."""
        return [
            self._lines.problem(("tests", index), said)
            for index, test in enumerate(self._tests)
            if (said := _difference(test, policy))
        ]


def load_policy_tests(path: Path) -> PolicyTests:
    """The cases in the file. Raises `FileProblems` with all that is wrong, by line."""
    data, lines = load(content_of(path), str(path))
    return PolicyTests(_validated(data, lines).tests, lines)


def _validated(data: Any, lines: Lines) -> _TestsModel:
    try:
        return _TestsModel.model_validate(data)
    except ValidationError as error:
        problems = (problem for _path, problem in model_problems(error, lines))
        raise FileProblems(tuple(problems)) from error


def _difference(test: PolicyTest, policy: Policy) -> str | None:
    known = {fact.id for fact in policy.facts}
    if unknown := sorted(test.facts.keys() - known):
        return f"“{test.name}” gives a fact that the policy doesn't have: {', '.join(unknown)}."
    got = classify(policy, test.labels, test.annotations, test.context)
    if (got.level, got.rule) == (test.expect.level, test.expect.rule):
        return None
    return (
        f"“{test.name}” should be {test.expect.level} by rule {test.expect.rule}, "
        f"and is {got.level} by rule {got.rule}."
    )
