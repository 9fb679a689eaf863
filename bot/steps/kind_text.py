"""The kinds of step as their documentation tells them, for who writes a runbook."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ports import StepKind

Schema = Mapping[str, Any]


def kind_line(kind: StepKind) -> str:
    """Its name and what it does, in one line."""
    return f"{kind.name}: {_doc(kind).splitlines()[0]}"


def kind_text(kind: StepKind) -> str:
    """What it does, whether it changes anything, and each argument with what it takes."""
    told = [kind.name, _doc(kind), "", _effect(kind)]
    if kind.decides:
        names = ", ".join(f"${{steps.ID.{name}}}" for name in sorted(kind.decides))
        told += ["", f"Later steps can use what its plan decides: {names}"]
    told += ["", f"Arguments: {inspect.getdoc(kind.arguments) or ''}", ""]
    return "\n".join((*told, *_arguments(kind)))


def kind_data(kind: StepKind) -> Mapping[str, object]:
    """The same for programs; `arguments` is a JSON Schema."""
    return {
        "name": kind.name,
        "description": _doc(kind),
        "changes": kind.mutates,
        "decides": sorted(kind.decides),
        "arguments": kind.arguments.model_json_schema(),
    }


def _doc(kind: StepKind) -> str:
    return inspect.getdoc(type(kind)) or ""


def _effect(kind: StepKind) -> str:
    if kind.mutates:
        return "It may change something; the plan says what, and whether it can be put back."
    return "It changes nothing."


def _arguments(kind: StepKind) -> Iterator[str]:
    schema: Schema = kind.arguments.model_json_schema()
    required = schema.get("required", ())
    for name, form in schema.get("properties", {}).items():
        yield f"  {name}: {_takes(form, schema)}{_given(name, form, required)}"


def _given(name: str, form: Schema, required: Any) -> str:
    if name in required:
        return " (required)"
    default = form.get("default")
    if default in (None, "", [], {}):
        return " (optional)"
    told = str(default).lower() if isinstance(default, bool) else default
    return f" (default {told})"


def _takes(form: Schema, whole: Schema) -> str:
    """What a value may be, in a few words."""
    if "$ref" in form:
        inner = whole["$defs"][form["$ref"].rpartition("/")[2]]
        return f"a mapping of {', '.join(inner.get('properties', {}))}"
    if "anyOf" in form:
        others = (one for one in form["anyOf"] if one.get("type") != "null")
        return " or ".join(_takes(one, whole) for one in others)
    if "enum" in form or "const" in form:
        return f"one of {', '.join(map(str, form.get('enum', [form.get('const')])))}"
    if "examples" in form:
        return f"such as {form['examples'][0]}"
    return _plain(form, whole)


_WORDS = {"string": "a text", "integer": "a whole number", "boolean": "true or false"}


def _plain(form: Schema, whole: Schema) -> str:
    match form.get("type"):
        case "array":
            return f"a list, each {_takes(form.get('items', {}), whole)}"
        case "object":
            return "a mapping"
        case str() as type_ if "minimum" in form and "maximum" in form:
            return f"{_WORDS.get(type_, type_)} from {form['minimum']} to {form['maximum']}"
        case str() as type_:
            return _WORDS.get(type_, type_)
        case _:
            return "any value"
