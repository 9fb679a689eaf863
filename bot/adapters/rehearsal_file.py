"""A runbook's rehearsals, ``runbooks/<name>/rehearsal.yaml``, read into values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError

from bot.adapters.model_problems import model_problems
from bot.adapters.policy_fields import content_of
from bot.adapters.routing_fields import LEFT_OUT, Duration, Items, StrictModel, into
from bot.adapters.runbook_model import as_text
from bot.adapters.yaml_lines import FileProblems, load
from bot.domain.rehearsal import Expectation, Fault, Rehearsal
from bot.domain.run import StepState
from bot.domain.run_events import RunState

_Text = Annotated[str, BeforeValidator(as_text)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Value = Annotated[float, Field(allow_inf_nan=False)]
_Status = Annotated[int, Field(ge=100, le=599)]


def _manifest(value: dict[str, Any]) -> dict[str, Any]:
    metadata = value.get("metadata")
    named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
    if not (named and isinstance(value.get("apiVersion"), str) and "kind" in value):
        raise ValueError("an object needs apiVersion, kind and metadata.name")
    return value


_Object = Annotated[dict[str, Any], AfterValidator(_manifest)]


class _FaultModel(StrictModel):
    before: _Name
    after: Duration = LEFT_OUT
    change: _Object = LEFT_OUT
    delete: _Object = LEFT_OUT
    unreachable: Duration = LEFT_OUT
    metrics: dict[str, _Value] = LEFT_OUT
    http: dict[str, _Status] = LEFT_OUT
    abort: bool = LEFT_OUT


class _ExpectationModel(StrictModel):
    state: RunState
    steps: dict[str, StepState] = LEFT_OUT
    says: Items[str] = LEFT_OUT
    objects: Items[_Object] = LEFT_OUT
    absent: Items[_Object] = LEFT_OUT


class _RehearsalModel(StrictModel):
    name: _Name
    expect: Annotated[_ExpectationModel, into(Expectation)]
    parameters: dict[str, _Text] = LEFT_OUT
    version: str = LEFT_OUT
    cluster: Items[_Object] = LEFT_OUT
    metrics: dict[str, _Value] = LEFT_OUT
    http: dict[str, _Status] = LEFT_OUT
    faults: Items[Annotated[_FaultModel, into(Fault)]] = LEFT_OUT
    answers: dict[str, bool] = LEFT_OUT


class _FileModel(StrictModel):
    """What stands above the rehearsals holds for each of them, before its own."""

    cluster: list[_Object] = Field(default_factory=list)
    parameters: dict[str, _Text] = Field(default_factory=dict)
    metrics: dict[str, _Value] = Field(default_factory=dict)
    http: dict[str, _Status] = Field(default_factory=dict)
    rehearsals: Annotated[list[Annotated[_RehearsalModel, into(Rehearsal)]], Field(min_length=1)]


def load_rehearsals(path: Path) -> Sequence[Rehearsal]:
    """The rehearsals in a file. Raises `FileProblems` with all that is wrong, by line."""
    data, lines = load(content_of(path), str(path))
    try:
        model = _FileModel.model_validate(data)
    except ValidationError as error:
        problems = (problem for _path, problem in model_problems(error, lines))
        raise FileProblems(tuple(problems)) from None
    found = cast(Sequence[Rehearsal], model.rehearsals)
    return [_with_common(rehearsal, model) for rehearsal in found]


def _with_common(rehearsal: Rehearsal, file: _FileModel) -> Rehearsal:
    return replace(
        rehearsal,
        cluster=(*file.cluster, *rehearsal.cluster),
        parameters={**file.parameters, **rehearsal.parameters},
        metrics={**file.metrics, **rehearsal.metrics},
        http={**file.http, **rehearsal.http},
    )
