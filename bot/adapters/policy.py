"""The severity policy's file, ``policy/severity.yaml``, read into `domain/classify.py`'s values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from bot.adapters.matchers import parse_matcher
from bot.adapters.model_problems import model_problems
from bot.adapters.yaml_lines import LARGEST, FileProblems, Lines, Problem, load
from bot.domain.classify import DEFAULT_RULE, Matcher, Policy, Rule, Severity
from bot.domain.errors import InvalidInput


class PolicyProblems(FileProblems):
    """All that is wrong with a policy file."""


def _matcher(value: object) -> Matcher:
    if not isinstance(value, str):
        raise PydanticCustomError("matcher", "a matcher is a text; put it in single quotes.")
    try:
        return parse_matcher(value)
    except InvalidInput as error:
        raise PydanticCustomError("matcher", "{reason}", {"reason": str(error)}) from error


def _paging(level: Severity) -> Severity:
    if level.pages:
        return level
    raise PydanticCustomError(
        "default", "the default must be P0 or P1: what no rule knows has to page."
    )


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _RuleModel(_Model):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    level: Severity
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    match: Annotated[
        list[Annotated[InstanceOf[Matcher], BeforeValidator(_matcher)]], Field(min_length=1)
    ]


class _PolicyModel(_Model):
    default: Annotated[Severity, AfterValidator(_paging)]
    rules: Annotated[list[_RuleModel], Field(min_length=1)]


def load_policy(path: Path) -> Policy:
    """The policy in the file. Raises `PolicyProblems` with all that is wrong, by line."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        data, lines = load(content, str(path))
        model = _validated(data, lines)
    except OSError as error:
        raise PolicyProblems((Problem(str(path), 1, f"{error.strerror}."),)) from error
    except FileProblems as error:
        raise PolicyProblems(error.problems) from error
    digest = hashlib.sha256(content).hexdigest()
    return Policy(tuple(map(_rule, model.rules)), model.default, digest)


def _validated(data: Any, lines: Lines) -> _PolicyModel:
    problems = list(_id_problems(data, lines))
    try:
        model = _PolicyModel.model_validate(data)
    except ValidationError as error:
        problems += (problem for _path, problem in model_problems(error, lines))
    if problems:
        raise FileProblems(tuple(problems))
    return model


def _id_problems(data: Any, lines: Lines) -> Iterator[Problem]:
    """Ids that don't tell one rule from another, whatever else is wrong with the rules."""
    rules = data.get("rules") if isinstance(data, dict) else None
    seen = {DEFAULT_RULE: "is the name of what happens when no rule applies"}
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        name = rule.get("id") if isinstance(rule, dict) else None
        if isinstance(name, str):
            if name in seen:
                yield lines.problem(("rules", index, "id"), f"the id “{name}” {seen[name]}.")
            seen.setdefault(name, "is another rule's already")


def _rule(model: _RuleModel) -> Rule:
    return Rule(model.id, model.level, model.reason, tuple(model.match))
