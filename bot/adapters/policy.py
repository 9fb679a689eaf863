"""The severity policy's file, ``policy/severity.yaml``, read into `domain/classify.py`'s values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

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
from bot.adapters.phrases import parse_phrases
from bot.adapters.policy_names import name_problems
from bot.adapters.yaml_lines import LARGEST, FileProblems, Lines, Problem, load
from bot.domain.classify import Policy, Rule, Severity, Signals
from bot.domain.errors import InvalidInput
from bot.domain.matcher import Matcher
from bot.domain.wording import Phrase, Vocabulary


class PolicyProblems(FileProblems):
    """All that is wrong with a policy file."""


_Parsed = TypeVar("_Parsed")


def _parsed(value: object, kind: str, parse: Callable[[str], _Parsed]) -> _Parsed:
    """What `parse` makes of the text; what it can't read is a problem at the text's line."""
    try:
        if not isinstance(value, str):
            raise InvalidInput(f"a {kind} is a text; put it in single quotes.")
        return parse(value)
    except InvalidInput as error:
        raise PydanticCustomError("text", "{reason}", {"reason": str(error)}) from error


def _matcher(value: object) -> Matcher:
    return _parsed(value, "matcher", parse_matcher)


def _phrases(value: object) -> list[Phrase]:
    return _parsed(value, "phrase", parse_phrases)


def _paging(level: Severity) -> Severity:
    if level.pages:
        return level
    raise PydanticCustomError(
        "default", "the default must be P0 or P1: what no rule knows has to page."
    )


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
_Matchers = list[Annotated[InstanceOf[Matcher], BeforeValidator(_matcher)]]
_Phrases = list[Annotated[list[InstanceOf[Phrase]], BeforeValidator(_phrases)]]


class _SignalModel(_Model):
    id: _Id
    says: Annotated[_Phrases, Field(min_length=1)] = []
    marked: Annotated[_Matchers, Field(min_length=1)] = []


class _RuleModel(_Model):
    id: _Id
    level: Severity
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    when: Annotated[list[str], Field(min_length=1)] = []
    unless: list[str] = []
    match: Annotated[_Matchers, Field(min_length=1)] = []


class _PolicyModel(_Model):
    default: Annotated[Severity, AfterValidator(_paging)]
    signals: list[_SignalModel] = []
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
    return Policy(tuple(map(_rule, model.rules)), model.default, digest, _signals(model.signals))


def _validated(data: Any, lines: Lines) -> _PolicyModel:
    problems = list(name_problems(data, lines))
    try:
        model = _PolicyModel.model_validate(data)
    except ValidationError as error:
        problems += (problem for _path, problem in model_problems(error, lines))
    if problems:
        raise FileProblems(tuple(problems))
    return model


def _signals(models: list[_SignalModel]) -> Signals:
    phrases = [(one.id, phrase) for one in models for line in one.says for phrase in line]
    matchers = [(one.id, matcher) for one in models for matcher in one.marked]
    return Signals(Vocabulary(phrases), tuple(matchers))


def _rule(model: _RuleModel) -> Rule:
    return Rule(
        model.id,
        model.level,
        model.reason,
        tuple(model.match),
        frozenset(model.when),
        frozenset(model.unless),
    )
