"""Server-side apply in the stand-in: who owns which field of an object, and what that forbids.

The rules are those of https://kubernetes.io/docs/reference/using-api/server-side-apply/:
who changes a field owns it, alone; who applies it owns it too, together with those who
want the same value. An apply that would change a field of somebody else's is a conflict,
and what a manager applied before and leaves out now is removed, unless others own it.
The same manager is two owners, one for what it applies and one for what it changes
otherwise. In contrast to a real server's, the records are not shown in `managedFields`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from bot.sandbox.kubernetes.patches import MERGE_KEYS
from bot.sandbox.kubernetes.store import Json

Path = tuple[str, ...]
Owners = dict[str, set[Path]]
"""The fields of one object by their owner, such as ``Apply tocsin/run-1/scale``."""

_OF_METADATA = ("labels", "annotations", "finalizers")


@dataclass(frozen=True, slots=True)
class Conflict(Exception):
    """Fields that an apply would change, each with the manager that owns it."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Applying:
    """Who applies; `force` takes the fields of others."""

    manager: str
    force: bool = False

    @property
    def owner(self) -> str:
        return f"Apply {self.manager}"


def updated(owners: Owners, manager: str, before: Json, after: Json) -> Owners:
    """The owners after `manager` changed the object by anything but an apply."""
    old, new = _values(before), _values(after)
    changed = {path for path in {**old, **new} if old.get(path) != new.get(path)}
    kept = {owner: paths - changed for owner, paths in owners.items()}
    own = f"Update {manager}"
    kept[own] = kept.get(own, set()) | (changed & new.keys())
    return {owner: paths for owner, paths in kept.items() if paths}


def applied(live: Json, manifest: Json, owners: Owners, by: Applying) -> tuple[Json, Owners]:
    """The object with the manifest applied, and its owners then.

    Raises:
        Conflict: others own fields that would change, and they are not to be taken.
    """
    wanted, there = _values(manifest), _values(live)
    changed = {path for path, value in wanted.items() if there.get(path) != value}
    conflicts = sorted(_owned_by_others(changed, owners, by))
    if conflicts and not by.force:
        raise Conflict(tuple(conflicts))
    result = _laid_over(live, _content(manifest))
    others = {owner: paths - changed for owner, paths in owners.items() if owner != by.owner}
    left_out = owners.get(by.owner, set()) - wanted.keys()
    for path in left_out.difference(*others.values()):
        _remove(result, path)
    return result, {**others, by.owner: set(wanted)}


def _owned_by_others(changed: set[Path], owners: Owners, by: Applying) -> Iterator[tuple[str, str]]:
    for owner, paths in owners.items():
        if owner != by.owner:
            for path in paths & changed:
                yield owner.partition(" ")[2], "." + ".".join(path)


def _content(item: Mapping[str, Any]) -> Json:
    """What can be owned: all but the server's own fields."""
    left_out = ("apiVersion", "kind", "metadata", "status")
    content = {key: value for key, value in item.items() if key not in left_out}
    metadata = item.get("metadata") or {}
    return {**content, "metadata": {key: metadata[key] for key in _OF_METADATA if key in metadata}}


def _values(item: Mapping[str, Any]) -> dict[Path, Any]:
    return dict(_leaves(_content(item), ()))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    inner = value if isinstance(value, dict) else _named(value, path)
    if not inner and path:
        yield path, value
    for key, child in inner.items():
        yield from _leaves(child, (*path, key))


def _named(value: Any, path: Path) -> Json:
    """The items of a list that is merged item by item, by name; other lists are one value."""
    key = MERGE_KEYS.get(path[-1]) if path else None
    return {item[key]: item for item in value} if key and isinstance(value, list) else {}


def _laid_over(target: Any, patch: Any, field: str = "") -> Any:
    if isinstance(patch, dict):
        result = deepcopy(target) if isinstance(target, dict) else {}
        for key, value in patch.items():
            result[key] = _laid_over(result.get(key), value, key)
        return result
    if isinstance(patch, list) and field in MERGE_KEYS:
        items = _named(target or [], (field,))
        for name, item in _named(patch, (field,)).items():
            items[name] = _laid_over(items.get(name), item)
        return list(items.values())
    return patch


def _remove(item: Json, path: Path) -> None:
    *parents, last = path
    inner: Any = item
    for number, part in enumerate(parents):
        named = _named(inner, path[:number]) if isinstance(inner, list) else inner
        inner = named.get(part, {})
    if isinstance(inner, dict):
        inner.pop(last, None)
