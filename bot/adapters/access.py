"""The access policy's file, ``policy/access.yaml``, read into `domain/access_policy.py`'s values.

It is looked at whenever somebody acts, so a change is in force at once. One that can't
be used is refused with all that is wrong, by line; what was in force before stays so,
and with nothing before nobody may do anything.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import Field, StringConstraints, ValidationError

from bot.adapters.model_problems import model_problems
from bot.adapters.policy_fields import Id, content_of
from bot.adapters.routing_fields import LEFT_OUT, Items, Period, StrictModel, given, into
from bot.adapters.yaml_lines import FileProblems, Lines, Problem, load
from bot.domain.access_policy import APPROVER, AccessPolicy, ApprovalRule, Role
from bot.domain.errors import InvalidInput
from bot.domain.runbook import Risk

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_Member = Annotated[str, StringConstraints(pattern=r"^(\*|@?[A-Za-z0-9][A-Za-z0-9._:-]{0,99})$")]
"""Everybody, a user group's handle, or an id of the chat or of the command line."""

_Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?.-]{1,253}$")]
_Members = Items[_Member]
_Patterns = Annotated[Items[_Pattern], Field(min_length=1)]
_Count = Annotated[int, Field(strict=True, ge=1, le=10)]

_log = structlog.get_logger(__name__)


class _RuleModel(StrictModel):
    id: Id
    needs: dict[_Name, _Count]
    runbooks: _Patterns = LEFT_OUT
    risks: Annotated[Items[Risk], Field(min_length=1)] = LEFT_OUT
    namespaces: _Patterns = LEFT_OUT
    environments: Annotated[Items[_Name], Field(min_length=1)] = LEFT_OUT
    valid_for: Period = LEFT_OUT


class _AccessModel(StrictModel):
    roles: dict[Role, _Members]
    people: dict[_Name, _Members] = LEFT_OUT
    kinds: dict[_Name, _Members] = LEFT_OUT
    environments: dict[_Name, _Patterns] = LEFT_OUT
    rules: Items[Annotated[_RuleModel, into(ApprovalRule)]] = LEFT_OUT


def parse_access(content: bytes, name: str) -> AccessPolicy:
    """The policy in a file's bytes. Raises `FileProblems` with all that is wrong, by line."""
    data, lines = load(content, name)
    try:
        model = _AccessModel.model_validate(data)
    except ValidationError as error:
        problems = (problem for _path, problem in model_problems(error, lines))
        raise FileProblems(tuple(problems)) from None
    policy = AccessPolicy(**given(model), digest=hashlib.sha256(content).hexdigest())
    unknown = tuple(_unknown_names(policy, lines))
    if unknown:
        raise FileProblems(unknown)
    return policy


def _unknown_names(policy: AccessPolicy, lines: Lines) -> list[Problem]:
    """Kinds of approval and environments that a rule names and nothing defines."""
    problems: list[Problem] = []
    for index, rule in enumerate(policy.rules):
        for kind in rule.needs:
            if kind != APPROVER and kind not in policy.kinds:
                known = ", ".join((APPROVER, *sorted(policy.kinds)))
                sentence = f"there is no kind “{kind}” of approval, only: {known}."
                problems.append(lines.problem(("rules", index, "needs", kind), sentence))
        for number, name in enumerate(rule.environments):
            if name not in policy.environments:
                sentence = f"there is no environment “{name}”."
                problems.append(lines.problem(("rules", index, "environments", number), sentence))
    return problems


class AccessFile:
    """The policy in force: that of the file, or of its last version that could be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refused = ""
        self._policy: AccessPolicy | None = None

    def current(self) -> AccessPolicy:
        """Raises `InvalidInput` when there is no policy that can be used."""
        try:
            content = content_of(self._path)
            digest = hashlib.sha256(content).hexdigest()
            if self._policy is None or self._policy.digest != digest:
                self._policy = parse_access(content, str(self._path))
        except InvalidInput as error:
            if self._policy is None:
                raise InvalidInput(f"Nobody may act on runs: {error}") from error
            self._say_once(str(error))
        return self._policy

    def _say_once(self, reason: str) -> None:
        if reason != self._refused:
            self._refused = reason
            _log.error("access policy refused; the one before stays in force", reason=reason)
