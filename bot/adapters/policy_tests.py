"""The severity policy's tests, ``policy/severity_test.yaml``: alerts in, level and rule out.

They are to the policy what ``promtool test rules`` is to Prometheus' rules, and they
fail with the file's lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.adapters.model_problems import model_problems
from bot.adapters.yaml_lines import LARGEST, FileProblems, Lines, Problem, load
from bot.domain.classify import Policy, Severity, classify


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Expectation(_Model):
    level: Severity
    rule: str


class PolicyTest(_Model):
    """One case: what an alert with these labels and annotations has to be."""

    name: Annotated[str, StringConstraints(min_length=1)]
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    expect: _Expectation


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
    try:
        with path.open("rb") as file:
            data, lines = load(file.read(LARGEST + 1), str(path))
    except OSError as error:
        raise FileProblems((Problem(str(path), 1, f"{error.strerror}."),)) from error
    return PolicyTests(_validated(data, lines).tests, lines)


def _validated(data: Any, lines: Lines) -> _TestsModel:
    try:
        return _TestsModel.model_validate(data)
    except ValidationError as error:
        problems = (problem for _path, problem in model_problems(error, lines))
        raise FileProblems(tuple(problems)) from error


def _difference(test: PolicyTest, policy: Policy) -> str | None:
    got = classify(policy, test.labels, test.annotations)
    if (got.level, got.rule) == (test.expect.level, test.expect.rule):
        return None
    return (
        f"“{test.name}” should be {test.expect.level} by rule {test.expect.rule}, "
        f"and is {got.level} by rule {got.rule}."
    )
