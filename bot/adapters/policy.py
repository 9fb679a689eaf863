"""The severity policy's file, ``policy/severity.yaml``, read into `domain/classify.py`'s values."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from bot.adapters.cel import CelExpression, facts_named
from bot.adapters.fact_queries import parse_comparison, parse_query
from bot.adapters.model_problems import model_problems
from bot.adapters.phrases import parse_phrases
from bot.adapters.policy_fields import Id, content_of, reader
from bot.adapters.policy_names import name_problems
from bot.adapters.text_model import shipped_text_model
from bot.adapters.yaml_lines import FileProblems, Lines, load
from bot.domain.classify import Policy, Rule, Severity, Signals
from bot.domain.facts import BUILT_IN, Comparison, Fact
from bot.domain.matcher import Matcher
from bot.domain.matcher_text import parse_matcher
from bot.domain.text_vote import TextVote
from bot.domain.wording import Phrase, Vocabulary


class PolicyProblems(FileProblems):
    """All that is wrong with a policy file."""


LONGEST_TIMEOUT = 2.0
"""Seconds that a fact may take at most: no page waits for Prometheus any longer."""


def _paging(level: Severity) -> Severity:
    if level.pages:
        return level
    raise PydanticCustomError(
        "default", "the default must be P0 or P1: what no rule knows has to page."
    )


_Matchers = list[Annotated[InstanceOf[Matcher], reader("matcher", parse_matcher)]]
_Phrases = list[Annotated[list[InstanceOf[Phrase]], reader("phrase", parse_phrases)]]
_Comparisons = list[Annotated[InstanceOf[Comparison], reader("comparison", parse_comparison)]]
_Cel = Annotated[InstanceOf[CelExpression] | None, reader("CEL expression", CelExpression)]
_Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _FactModel(_Model):
    """`timeout` and `cache` are in seconds."""

    id: Id
    meaning: _Sentence
    query: Annotated[str, reader("query", parse_query)]
    timeout: Annotated[float, Field(gt=0, le=LONGEST_TIMEOUT)] = 1.0
    cache: Annotated[float, Field(ge=0, le=3600)] = 15.0
    fallback: Annotated[float, Field(allow_inf_nan=False)] | None = None


class _SignalModel(_Model):
    id: Id
    says: Annotated[_Phrases, Field(min_length=1)] = []
    marked: Annotated[_Matchers, Field(min_length=1)] = []


class _RuleModel(_Model):
    id: Id
    level: Severity
    reason: _Sentence
    when: Annotated[list[str], Field(min_length=1)] = []
    unless: list[str] = []
    match: Annotated[_Matchers, Field(min_length=1)] = []
    facts: Annotated[_Comparisons, Field(min_length=1)] = []
    cel: _Cel = None
    certain: bool = False


class _TextModelModel(_Model):
    weight: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class _PolicyModel(_Model):
    default: Annotated[Severity, AfterValidator(_paging)]
    text_model: _TextModelModel | None = None
    facts: list[_FactModel] = []
    signals: list[_SignalModel] = []
    rules: Annotated[list[_RuleModel], Field(min_length=1)]


def load_policy(path: Path) -> Policy:
    """The policy in the file. Raises `PolicyProblems` with all that is wrong, by line."""
    try:
        content = content_of(path)
    except FileProblems as error:
        raise PolicyProblems(error.problems) from error
    return parse_policy(content, str(path))


def parse_policy(content: bytes, source: str) -> Policy:
    """The policy in a file's bytes; `source` names the file in the `PolicyProblems`."""
    try:
        model = _validated(*load(content, source))
    except FileProblems as error:
        raise PolicyProblems(error.problems) from error
    return Policy(
        tuple(map(_rule, model.rules)),
        model.default,
        hashlib.sha256(content).hexdigest(),
        _signals(model.signals),
        tuple(Fact(**dict(one)) for one in model.facts),
        _text_vote(model.text_model),
    )


def _text_vote(wanted: _TextModelModel | None) -> TextVote | None:
    """The text model's vote, where the policy gives it any weight and the model is there."""
    model = shipped_text_model() if wanted and wanted.weight else None
    return TextVote(model, wanted.weight) if wanted and model else None


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
    needs = {comparison.name for comparison in model.facts} - BUILT_IN
    return Rule(
        model.id,
        model.level,
        model.reason,
        tuple(model.match),
        frozenset(model.when),
        frozenset(model.unless),
        tuple(model.facts),
        model.cel,
        frozenset(needs | (facts_named(model.cel.text) if model.cel else set())),
        model.certain,
    )
