"""The routing policy's file, ``policy/routing.yaml``, read into `domain/routing.py`'s values.

The file's keys are named as those values' fields, and a key that is left out has the
field's default. So each model here only checks, and is then turned into its value.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
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

from bot.adapters.model_problems import model_problems
from bot.adapters.yaml_lines import LARGEST, FileProblems, Lines, Problem, load
from bot.domain.correlation import Correlation
from bot.domain.errors import InvalidInput
from bot.domain.flapping import Flapping
from bot.domain.grouping import Grouping, GroupingOverride
from bot.domain.heartbeat import Heartbeat
from bot.domain.matcher import Matcher, Place
from bot.domain.matcher_text import parse_matcher
from bot.domain.routing import RoutingPolicy
from bot.domain.runbook import seconds
from bot.domain.storm import StormLimits

_Parsed = TypeVar("_Parsed")


def _reader(kind: str, parse: Callable[[str], _Parsed]) -> BeforeValidator:
    """Reads a text with `parse`; what it can't read is a problem at the text's line."""

    def read(value: object) -> _Parsed:
        try:
            if not isinstance(value, str):
                raise InvalidInput(f"a {kind} is a text; put it in single quotes.")
            return parse(value)
        except InvalidInput as error:
            raise PydanticCustomError("text", "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(read)


def _label_matcher(text: str) -> Matcher:
    matcher = parse_matcher(text)
    if matcher.place is not Place.LABEL:
        raise InvalidInput(
            f"“{text}”: routing looks at labels only; all else may change while an alert fires."
        )
    return matcher


def _duration(text: str) -> timedelta:
    return timedelta(seconds=seconds(text))


def _positive(value: timedelta) -> timedelta:
    if value:
        return value
    raise PydanticCustomError("duration", "a duration of 0 is never over; make it longer.")


def _not_severity(name: str) -> str:
    if name.lower() != "severity":
        return name
    raise PydanticCustomError(
        "severity",
        "severity is never in the key: a warning that turns critical is the same incident.",
    )


def _distinct(names: list[str]) -> tuple[str, ...]:
    twice = sorted(name for name, number in Counter(names).items() if number > 1)
    if twice:
        raise PydanticCustomError("labels", "{names} is given twice.", {"names": f"“{twice[0]}”"})
    return tuple(names)


def _ordered(value: Flapping) -> Flapping:
    if value.first_wait <= value.longest_wait:
        return value
    raise PydanticCustomError("waits", "first_wait is longer than longest_wait.")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _into(kind: Callable[..., object]) -> AfterValidator:
    """Turns a model into a value of that kind; what the file left out has the default there."""
    return AfterValidator(lambda model: kind(**_given(model)))


def _given(model: BaseModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.model_fields_set}


_Item = TypeVar("_Item")
_Tuple = Annotated[list[_Item], AfterValidator(tuple)]
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
_Matchers = Annotated[
    list[Annotated[InstanceOf[Matcher], _reader("matcher", _label_matcher)]],
    Field(min_length=1),
    AfterValidator(tuple),
]
_Label = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,199}$"),
    AfterValidator(_not_severity),
]
_Labels = Annotated[list[_Label], Field(min_length=1), AfterValidator(_distinct)]
_Duration = Annotated[InstanceOf[timedelta], _reader("duration", _duration)]
_Period = Annotated[_Duration, AfterValidator(_positive)]


_LEFT_OUT: Any = Field(default=None)
"""The key may be left out, and then the default of the value's field holds."""


class _OverrideModel(_Model):
    matchers: _Matchers = Field(alias="match")
    by: _Labels


class _GroupingModel(_Model):
    by: _Labels = _LEFT_OUT
    overrides: _Tuple[Annotated[_OverrideModel, _into(GroupingOverride)]] = _LEFT_OUT


class _CorrelationModel(_Model):
    id: _Id
    parent: _Matchers
    child: _Matchers
    equal: _Labels
    also_equal: _Labels = _LEFT_OUT
    within: _Period


class _StormModel(_Model):
    incidents: Annotated[int, Field(strict=True, ge=1, le=1000)] = _LEFT_OUT
    critical: Annotated[int, Field(strict=True, ge=0, le=1000)] = _LEFT_OUT
    within: _Period = _LEFT_OUT


class _FlappingModel(_Model):
    rejoin: _Duration = _LEFT_OUT
    first_wait: _Duration = _LEFT_OUT
    longest_wait: _Duration = _LEFT_OUT


class _HeartbeatModel(_Model):
    id: _Id
    matchers: _Matchers = Field(alias="match")
    silent_for: _Period = _LEFT_OUT
    by: _Labels = _LEFT_OUT


class _RoutingModel(_Model):
    grouping: Annotated[_GroupingModel, _into(Grouping)] = _LEFT_OUT
    correlations: _Tuple[Annotated[_CorrelationModel, _into(Correlation)]] = _LEFT_OUT
    storm: Annotated[_StormModel, _into(StormLimits)] = _LEFT_OUT
    flapping: Annotated[_FlappingModel, _into(Flapping), AfterValidator(_ordered)] = _LEFT_OUT
    heartbeats: _Tuple[Annotated[_HeartbeatModel, _into(Heartbeat)]] = _LEFT_OUT


def load_routing(path: Path) -> RoutingPolicy:
    """The policy in the file. Raises `FileProblems` with all that is wrong, by line."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise FileProblems((Problem(str(path), 1, f"{error.strerror}."),)) from error
    return parse_routing(content, str(path))


def parse_routing(content: bytes, name: str) -> RoutingPolicy:
    """The policy in a file's bytes; `name` names the file in the `FileProblems`."""
    data, lines = load(content, name)
    problems = list(_id_problems(data, lines))
    try:
        model = _RoutingModel.model_validate(data)
    except ValidationError as error:
        problems += (problem for _path, problem in model_problems(error, lines))
    if problems:
        raise FileProblems(tuple(problems))
    return RoutingPolicy(**_given(model), digest=hashlib.sha256(content).hexdigest())


def _id_problems(data: Any, lines: Lines) -> Iterator[Problem]:
    """Ids given twice; from the plain data, so that other mistakes hide none."""
    for kind in ("correlations", "heartbeats"):
        items = data.get(kind) if isinstance(data, dict) else None
        ids: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list) else ()):
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str) and name in ids:
                yield lines.problem((kind, index, "id"), f"the id “{name}” is given twice.")
            elif isinstance(name, str):
                ids.add(name)
