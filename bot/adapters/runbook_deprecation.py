"""``<name>/deprecated.yaml``: which versions are not to be used any more, and why.

A released file never changes, so this is kept beside it: a mapping of versions to a
reason that says what to use instead, such as
``1.0.0: It does not check the health address; use restart@1.1.0.``
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.adapters.model_problems import model_problems
from bot.adapters.runbook_model import Line
from bot.adapters.runbook_release import Released
from bot.adapters.yaml_lines import FileProblems, Lines, Problem, load

_REASONS = TypeAdapter(dict[str, Line])


def deprecations(released: Released) -> tuple[Mapping[str, str], tuple[Problem, ...]]:
    """The reasons by the place of the version (``name/version.yaml``), and what is wrong."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for source, content in released.deprecations.items():
        try:
            found |= _read(content, source, released)
        except FileProblems as error:
            problems += error.problems
    return found, tuple(problems)


def _read(content: bytes, source: str, released: Released) -> Mapping[str, str]:
    data, lines = load(content, source)
    try:
        reasons = _REASONS.validate_python(data)
    except ValidationError as error:
        problems = tuple(problem for _, problem in model_problems(error, lines))
        raise FileProblems(problems) from error
    name, _, _ = source.partition("/")
    by_source = {f"{name}/{version}.yaml": reason for version, reason in reasons.items()}
    unknown = tuple(_unknown(reasons, name, lines, released))
    if unknown:
        raise FileProblems(unknown)
    return by_source


def _unknown(
    reasons: Mapping[str, Any], name: str, lines: Lines, released: Released
) -> Iterator[Problem]:
    for version in reasons:
        if f"{name}/{version}.yaml" not in released.files:
            yield lines.problem((version,), f"there is no {name}@{version}.")
