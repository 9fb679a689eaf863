"""What of an object a person means by "it was changed", and how a change reads.

The server's own bookkeeping (versions, managed fields, the status) and Tocsin's marks
are no change. Secrets' values are never shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.cluster import MARKER_ANNOTATION
from bot.domain.field_path import fields, joined, value_text
from bot.domain.resource import Manifest, Resource

BEFORE_ANNOTATION = "tocsin/before-last-step"
"""The annotation that holds, as a JSON merge patch, how the object was before `MARKER_ANNOTATION`.
Written in the same request as the change, so that a crash can't part them."""

HIDDEN = "(hidden)"
"""What stands for a Secret's value."""

MOST_LINES = 120
"""Lines of one change that are shown; a person who is to approve more reads the manifest."""

_SECRET_FIELDS = ("data", "stringData")
_BOOKKEEPING = (
    MARKER_ANNOTATION,
    BEFORE_ANNOTATION,
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)
_OF_METADATA = ("labels", "annotations", "finalizers")


def content(body: Manifest) -> dict[str, Any]:
    """The object without what is not people's to change."""
    left_out = ("apiVersion", "kind", "metadata", "status")
    kept = {key: value for key, value in body.items() if key not in left_out}
    return {**kept, "metadata": _metadata(body.get("metadata") or {})}


def manifest_of(resource: Resource) -> Manifest:
    """The object as it could be made again, without what the server gives by itself."""
    kept, ref = content(resource.body), resource.ref
    place = {"namespace": ref.namespace} if ref.namespace else {}
    metadata = {"name": ref.name, **place, **kept.get("metadata", {})}
    identity = {key: resource.body[key] for key in ("apiVersion", "kind")}
    return {**identity, **kept, "metadata": metadata}


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: metadata[key] for key in _OF_METADATA if metadata.get(key)}
    if "annotations" in kept:
        kept["annotations"] = {
            key: value for key, value in kept["annotations"].items() if key not in _BOOKKEEPING
        }
    return {key: value for key, value in kept.items() if value}


def change_lines(before: Manifest, after: Manifest, *, secret: bool = False) -> tuple[str, ...]:
    """The fields that differ, as a diff: ``- spec.replicas: 2``, ``+ spec.replicas: 3``."""
    old, new = dict(fields(content(before))), dict(fields(content(after)))
    differing = [keys for keys in {**old, **new} if old.get(keys) != new.get(keys)]
    lines: list[str] = []
    for keys in sorted(differing):
        if secret and keys[0] in _SECRET_FIELDS:
            old, new = _hidden(old, keys), _hidden(new, keys)
        lines.extend(_field_lines(keys, old, new))
    return _bounded(lines)


def _hidden(
    values: dict[tuple[str, ...], Any], keys: tuple[str, ...]
) -> dict[tuple[str, ...], Any]:
    return {**values, keys: HIDDEN} if keys in values else values


def _field_lines(
    keys: tuple[str, ...], old: Mapping[tuple[str, ...], Any], new: Mapping[tuple[str, ...], Any]
) -> Iterator[str]:
    path, before, after = joined(keys), old.get(keys), new.get(keys)
    if _has_lines(before) or _has_lines(after):
        yield f"  {path}:"
        yield from _text_lines(before, after)
        return
    # An empty mapping is only the place of the fields that came into it or left it.
    if keys in old and before != {}:
        yield f"- {path}: {value_text(before)}"
    if keys in new and after != {}:
        yield f"+ {path}: {value_text(after)}"


def _has_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value.strip("\n")


def _text_lines(before: Any, after: Any) -> Iterator[str]:
    old, new = (str(value or "").splitlines() for value in (before, after))
    found = difflib.unified_diff(old, new, lineterm="", n=1)
    hunks = (line for line in found if not line.startswith(("---", "+++")))
    for line in hunks:
        yield f"  {line}" if line.startswith("@@") else f"{line[0]}   {line[1:]}"


def _bounded(lines: list[str]) -> tuple[str, ...]:
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    return (*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more lines that differ")
