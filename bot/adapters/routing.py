"""The routing policy's file, ``policy/routing.yaml``, read into `domain/routing.py`'s values.

The file's keys are named as those values' fields, and a key that is left out has the
field's default. So each model here only checks, and is then turned into its value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from bot.adapters.model_problems import model_problems
from bot.adapters.policy_fields import Id, content_of
from bot.adapters.routing_escalation import Escalations, Fallback, ResponseTimes
from bot.adapters.routing_fields import (
    LEFT_OUT,
    Duration,
    Items,
    Labels,
    Matchers,
    Period,
    StrictModel,
    given,
    into,
)
from bot.adapters.routing_page_test import PageTest
from bot.adapters.routing_runbooks import Schedules, Suggestions
from bot.adapters.yaml_lines import FileProblems, Lines, Problem, load
from bot.domain.correlation import Correlation
from bot.domain.flapping import Flapping
from bot.domain.grouping import Grouping, GroupingOverride
from bot.domain.heartbeat import Heartbeat
from bot.domain.routing import RoutingPolicy
from bot.domain.storm import StormLimits


def _ordered(value: Flapping) -> Flapping:
    if value.first_wait <= value.longest_wait:
        return value
    raise PydanticCustomError("waits", "first_wait is longer than longest_wait.")


class _OverrideModel(StrictModel):
    matchers: Matchers = Field(alias="match")
    by: Labels


class _GroupingModel(StrictModel):
    by: Labels = LEFT_OUT
    overrides: Items[Annotated[_OverrideModel, into(GroupingOverride)]] = LEFT_OUT


class _CorrelationModel(StrictModel):
    id: Id
    parent: Matchers
    child: Matchers
    equal: Labels
    also_equal: Labels = LEFT_OUT
    within: Period


class _StormModel(StrictModel):
    incidents: Annotated[int, Field(strict=True, ge=1, le=1000)] = LEFT_OUT
    critical: Annotated[int, Field(strict=True, ge=0, le=1000)] = LEFT_OUT
    within: Period = LEFT_OUT


class _FlappingModel(StrictModel):
    rejoin: Duration = LEFT_OUT
    first_wait: Duration = LEFT_OUT
    longest_wait: Duration = LEFT_OUT


class _HeartbeatModel(StrictModel):
    id: Id
    matchers: Matchers = Field(alias="match")
    silent_for: Period = LEFT_OUT
    by: Labels = LEFT_OUT


class _RoutingModel(StrictModel):
    grouping: Annotated[_GroupingModel, into(Grouping)] = LEFT_OUT
    correlations: Items[Annotated[_CorrelationModel, into(Correlation)]] = LEFT_OUT
    storm: Annotated[_StormModel, into(StormLimits)] = LEFT_OUT
    flapping: Annotated[_FlappingModel, into(Flapping), AfterValidator(_ordered)] = LEFT_OUT
    heartbeats: Items[Annotated[_HeartbeatModel, into(Heartbeat)]] = LEFT_OUT
    escalations: Escalations = LEFT_OUT
    response_times: ResponseTimes = LEFT_OUT
    fallback: Fallback = LEFT_OUT
    page_test: PageTest = LEFT_OUT
    schedules: Schedules = LEFT_OUT
    suggestions: Suggestions = LEFT_OUT


def load_routing(path: Path) -> RoutingPolicy:
    """The policy in the file. Raises `FileProblems` with all that is wrong, by line."""
    return parse_routing(content_of(path), str(path))


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
    return RoutingPolicy(**given(model), digest=hashlib.sha256(content).hexdigest())


_WITH_IDS = ("correlations", "heartbeats", "escalations", "schedules", "suggestions")


def _id_problems(data: Any, lines: Lines) -> Iterator[Problem]:
    """Ids given twice; from the plain data, so that other mistakes hide none."""
    for kind in _WITH_IDS:
        items = data.get(kind) if isinstance(data, dict) else None
        ids: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list) else ()):
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str) and name in ids:
                yield lines.problem((kind, index, "id"), f"the id “{name}” is given twice.")
            elif isinstance(name, str):
                ids.add(name)
