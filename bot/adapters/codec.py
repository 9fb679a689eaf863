"""Domain values to JSON text and back; the JSON's shape is the dataclass's own.

msgspec learns how to read a class when it is first asked to, and a second thread that then
reads the same class, or one that is part of both, ends the process by a segmentation fault
(seen with 0.22). So classes are learned one at a time.
"""

from __future__ import annotations

import typing
from threading import Lock
from typing import TypeVar

import msgspec

from bot.domain.effects import Effect
from bot.domain.timeline import Event

T = TypeVar("T")

_LEARNING = Lock()
_LEARNED: dict[type, msgspec.json.Decoder[typing.Any]] = {}


def dump(value: object) -> str:
    """The value as JSON text."""
    return msgspec.json.encode(value).decode()


def load(text: str, kind: type[T]) -> T:
    """The value of that type. Raises `msgspec.ValidationError` when the text is another's."""
    value: T = _learned(kind).decode(text)
    return value


def _learned(kind: type) -> msgspec.json.Decoder[typing.Any]:
    """How values of that type are read; from then on `msgspec.convert` may make them, too."""
    with _LEARNING:
        if kind not in _LEARNED:
            _LEARNED[kind] = msgspec.json.Decoder(kind)
        return _LEARNED[kind]


_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in typing.get_args(Event)}
_EFFECTS: dict[str, type[Effect]] = {kind.__name__: kind for kind in typing.get_args(Effect)}


def load_event(kind: str, text: str) -> Event:
    """The event whose class has that name."""
    return load(text, _EVENTS[kind])


def dump_effect(effect: Effect) -> dict[str, object]:
    """The effect as JSON values, with its class's name under ``kind``."""
    fields: dict[str, object] = msgspec.to_builtins(effect)
    return {"kind": type(effect).__name__, **fields}


def load_effect(data: dict[str, object]) -> Effect:
    """The effect that `dump_effect` wrote."""
    kind = _EFFECTS[str(data["kind"])]
    _learned(kind)
    return msgspec.convert({k: v for k, v in data.items() if k != "kind"}, type=kind)
