"""The format of a runbook file, as pydantic models and as a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from bot.domain.placeholders import leaves
from bot.domain.runbook import Risk
from bot.ports import StepKind

NAME = r"[a-z][a-z0-9-]{0,62}"
VERSION = r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})"
"""Semantic versions (semver.org) without pre-releases: what is in the folder is released."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLACEHOLDER = {
    "description": "A text with placeholders: ${parameters.NAME} for a parameter's value, "
    "${steps.ID.NAME} for what the plan of an earlier step decides.",
    "type": "string",
    "pattern": r"\$\{(parameters|steps\.[a-z][a-z0-9_]*)\.[a-z][a-z0-9_]*\}",
}


def as_text(value: object) -> object:
    """A whole number or a truth value as the text it was written as; all else as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$"
    ),
]
Scalar = Annotated[
    str, BeforeValidator(as_text), WithJsonSchema({"type": ["string", "integer", "boolean"]})
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ParameterModel(_Model):
    description: Line
    # A factory, so that the schema shows no default: what has none must be given.
    default: Scalar = Field(default_factory=str)


class ParameterModel(_ParameterModel):
    """A value that whoever starts the runbook gives; with a default it may be left out."""

    type: Literal[
        "string",
        "workload",
        "service",
        "object",
        "namespace",
        "name",
        "revision",
        "image",
        "url",
    ]


class OrderedParameterModel(_ParameterModel):
    """A value with an order, which can be given a smallest and a largest one."""

    type: Literal[
        "integer",
        "percent",
        "duration",
        "time",
    ]
    minimum: Scalar = Field(default_factory=str)
    maximum: Scalar = Field(default_factory=str)


class ChoiceParameterModel(_ParameterModel):
    """A value that is one of those named here."""

    type: Literal["enum"]
    values: Annotated[list[Scalar], Field(min_length=1, max_length=100)]


AnyParameter = Annotated[
    ParameterModel | OrderedParameterModel | ChoiceParameterModel, Field(discriminator="type")
]


class StepModel(_Model):
    """One step. Its title tells a person at 3 a.m. what happens in it."""

    id: Identifier
    title: Line
    cluster: Identifier | None = Field(
        default=None,
        description="The cluster it works on, by its name in TOCSIN_CLUSTERS; else the usual one.",
    )


class RunbookModel(_Model):
    """A released version of a runbook. The file never changes: a change is a new version."""

    name: Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
    version: Annotated[str, StringConstraints(pattern=f"^{VERSION}$")]
    summary: Line
    risk: Risk
    changes_tocsin: bool = Field(
        default=False, description="Whether it may change the workload that Tocsin itself runs in."
    )
    parameters: dict[Identifier, AnyParameter] = {}
    steps: Sequence[Any]
    verification: Sequence[Any] = ()


def runbook_model(kinds: Iterable[StepKind]) -> type[RunbookModel]:
    """The model whose steps are the union of these kinds, told apart by their `kind`."""
    step: Any = Annotated[reduce(or_, map(_step_model, kinds)), Field(discriminator="kind")]
    steps: Any = Annotated[list[step], Field(min_length=1)]
    return create_model(
        "Runbook",
        __base__=RunbookModel,
        __doc__=RunbookModel.__doc__,
        steps=(steps, ...),
        verification=(list[step], []),
    )


def _step_model(kind: StepKind) -> type[StepModel]:
    literal: Any = Literal[kind.name]
    return create_model(
        _model_name(kind),
        __base__=StepModel,
        __doc__=type(kind).__doc__,
        kind=(literal, ...),
        arguments=(kind.arguments, Field(alias="with")),
    )


def _model_name(kind: StepKind) -> str:
    """Without dots: pydantic shortens a name that has some."""
    return kind.name.replace(".", "_")


def schema(kinds: Mapping[str, StepKind]) -> dict[str, Any]:
    """The JSON Schema of the format, for editors: every argument may be a placeholder too."""
    described = runbook_model(kinds.values()).model_json_schema(by_alias=True)
    definitions = described["$defs"]
    for name in _argument_models(definitions, kinds.values()):
        properties = definitions[name].get("properties", {})
        for key, argument in properties.items():
            properties[key] = _or_placeholder(argument)
    definitions["Placeholder"] = _PLACEHOLDER
    return {"$schema": _DIALECT, **described}


def _or_placeholder(argument: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an argument or a placeholder; so are the items and values inside it."""
    inside = {
        key: _or_placeholder(argument[key])
        for key in ("items", "additionalProperties")
        if isinstance(argument.get(key), dict)
    }
    return {"anyOf": [{**argument, **inside}, {"$ref": "#/$defs/Placeholder"}]}


def _argument_models(definitions: Mapping[str, Any], kinds: Iterable[StepKind]) -> frozenset[str]:
    """The names of the definitions of arguments, and of all that these refer to."""
    found: set[str] = set()
    waiting = [definitions[_model_name(kind)]["properties"]["with"] for kind in kinds]
    while waiting:
        new = set(_references(waiting.pop())) - found
        found |= new
        waiting += (definitions[name] for name in new)
    return frozenset(found)


def _references(value: object) -> Iterator[str]:
    """The names of the definitions that a part of a schema refers to."""
    for path, inner in leaves(value):
        if path[-1:] == ("$ref",):
            yield inner.rpartition("/")[2]


def schema_text(kinds: Mapping[str, StepKind]) -> str:
    """The schema as `runbooks/schema.json` holds it."""
    return json.dumps(schema(kinds), indent=2) + "\n"
