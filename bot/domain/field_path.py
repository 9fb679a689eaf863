"""Where a field is in an object, as text: ``spec.template.spec.containers[app].image``.

In brackets stands what is no plain word: another key (``annotations[example.com/team]``),
the name or type of a list's item, or its number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WORD = r"[A-Za-z0-9_-]+"
_PART = re.compile(rf"(?:^|\.)({_WORD})|\[([^\[\]]+)\]")
PATH = re.compile(rf"{_WORD}(?:\.{_WORD}|\[[^\[\]]+\])*")
"""What a path looks like; `parts` takes no other."""

_IDENTITIES = ("name", "type")
"""The fields by which Kubernetes' lists tell their items apart, as containers and conditions."""


def parts(path: str) -> tuple[str, ...]:
    """The keys that lead to the field, one after another."""
    return tuple(word or bracketed for word, bracketed in _PART.findall(path))


def joined(keys: Sequence[str]) -> str:
    """The path that keys of `fields` make."""
    return "".join(map(_part, keys)).removeprefix(".")


def _part(key: str) -> str:
    if key.startswith("["):
        return key
    return f".{key}" if re.fullmatch(_WORD, key) else f"[{key}]"


def look_up(body: Any, path: str) -> Any:
    """The value at the path, None where there is none."""
    for key in parts(path):
        body = _inner(body, key)
    return body


def _inner(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    return items(value).get(key) if isinstance(value, list) else None


def items(values: Sequence[Any]) -> dict[str, Any]:
    """A list's items by their name or type, else by their number."""
    for identity in _IDENTITIES:
        names = [item.get(identity) if isinstance(item, Mapping) else None for item in values]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return dict(zip(map(str, names), values, strict=True))
    return {str(number): item for number, item in enumerate(values)}


def fields(value: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every field in the value that holds a single value or a list of such, with its keys.

    The keys of lists' items are in brackets.
    """
    inner = _children(value)
    if not inner:
        yield keys, value
    for key, child in inner.items():
        yield from fields(child, (*keys, key))


def _children(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return {f"[{name}]": item for name, item in items(value).items()}
    return {}


def value_text(value: Any) -> str:
    """A value in a line: a text as it is, unless it could be taken for something else."""
    if isinstance(value, str) and value.isprintable() and value.strip() == value != "":
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)
