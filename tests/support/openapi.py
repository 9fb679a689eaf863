"""Traffic against an OpenAPI file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4


class Contract:
    """One OpenAPI 3.0 file."""

    def __init__(self, file: Path) -> None:
        self.document = _with_nulls(json.loads(file.read_text()))
        resource = DRAFT4.create_resource(self.document)
        self._registry = Registry().with_resource("urn:contract", resource)

    def check(self, value: object, *path: str) -> None:
        """Raise `ValidationError` unless `value` fits the schema at `path` of the file."""
        parts = [part.replace("~", "~0").replace("/", "~1") for part in path]
        self.check_schema(value, {"$ref": "urn:contract#/" + "/".join(parts)})

    def check_schema(self, value: object, schema: Any) -> None:
        """As `check`, for a schema in hand."""
        Draft4Validator(schema, registry=self._registry).validate(value)

    def part(self, *path: str) -> Any:
        part = self.document
        for name in path:
            part = part[name]
        return part


def _with_nulls(part: Any) -> Any:
    """OpenAPI 3.0's `nullable` in JSON Schema's words."""
    if isinstance(part, list):
        return [_with_nulls(item) for item in part]
    if not isinstance(part, dict):
        return part
    converted = {name: _with_nulls(value) for name, value in part.items()}
    if part.get("nullable") is True and isinstance(part.get("type"), str):
        converted["type"] = [part["type"], "null"]
    return converted


def without_nulls(document: Any) -> Any:
    """The document without what is null.

    PagerDuty's file says of many fields what it means that they are null, and does not
    declare them nullable.
    """
    if isinstance(document, list):
        return [without_nulls(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {name: without_nulls(value) for name, value in document.items() if value is not None}
