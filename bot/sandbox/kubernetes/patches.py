"""The two kinds of patch that the stand-in applies.

Sources: RFC 6902 (JSON patch), and kubernetes/community, sig-api-machinery,
strategic-merge-patch.md.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bot.sandbox.kubernetes.refusals import Refusal, patch_failed
from bot.sandbox.kubernetes.store import Json

MERGE_KEYS = {"containers": "name", "env": "name"}
"""The lists that strategic merge goes into, with the field that identifies an item."""


def strategic_merge(target: Any, patch: Any, field: str = "") -> Any:
    """Merge `patch` into a copy of `target`: null removes, named lists merge item by item.

    Raises:
        Refusal: the patch has a list or a directive that the stand-in does not know.
    """
    if isinstance(patch, dict):
        return _merged_object(target if isinstance(target, dict) else {}, patch)
    if isinstance(patch, list):
        return _merged_list(target or [], patch, field)
    return patch


def _merged_object(target: Json, patch: Json) -> Json:
    if any(key.startswith("$") for key in patch):
        raise Refusal(400, "the sandbox does not know strategic merge directives")
    merged = {key: value for key, value in target.items() if patch.get(key, value) is not None}
    changes = {key: value for key, value in patch.items() if value is not None}
    for key, value in changes.items():
        merged[key] = strategic_merge(merged.get(key), value, key)
    return merged


def _merged_list(target: list[Json], patch: list[Json], field: str) -> list[Json]:
    if field not in MERGE_KEYS:
        raise Refusal(400, f"the sandbox does not merge lists of {field}; use a JSON patch")
    key = MERGE_KEYS[field]
    items = {item[key]: item for item in target}
    for item in patch:
        items[item[key]] = strategic_merge(items.get(item[key]), item)
    return list(items.values())


def json_patch(target: Json, operations: list[Json]) -> Json:
    """Apply `add`, `replace`, `remove` and `test` operations to a copy of `target`.

    Raises:
        Refusal: an operation fails, as the API server puts it: without saying which.
    """
    patched = deepcopy(target)
    try:
        for operation in operations:
            _apply(patched, operation)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        raise patch_failed() from None
    return patched


def _apply(document: Json, operation: Json) -> None:
    *parents, last = [_unescaped(part) for part in operation["path"].split("/")[1:]]
    container: Any = document
    for part in parents:
        container = container[_key(container, part)]
    match operation["op"]:
        case "add" if isinstance(container, list):
            container.insert(len(container) if last == "-" else int(last), operation["value"])
        case "add":
            container[last] = operation["value"]
        case "replace":
            _existing(container, last)
            container[_key(container, last)] = operation["value"]
        case "remove":
            del container[_key(container, last)]
        case "test":
            if _existing(container, last) != operation["value"]:
                raise ValueError(operation["path"])
        case unknown:
            raise ValueError(unknown)


def _existing(container: Any, part: str) -> Any:
    return container[_key(container, part)]


def _key(container: Any, part: str) -> str | int:
    return int(part) if isinstance(container, list) else part


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
