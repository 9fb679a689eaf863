"""JSON merge patches (RFC 7386): what they make of a value, and the one between two values.

A mapping is merged key by key, None removes a key, and all else (lists, too) is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """What the patch makes of the target, which stays as it is."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest patch that makes `after` of `before`; empty when they are equal."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            if inner := difference(old, value):
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = value
    return patch


def holds(target: Any, patch: Any) -> bool:
    """Whether the patch would change nothing of the target."""
    if not isinstance(patch, Mapping):
        return bool(target == patch)
    there = target if isinstance(target, Mapping) else {}
    return all(
        key not in there if value is None else holds(there.get(key), value)
        for key, value in patch.items()
    )
