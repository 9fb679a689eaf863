"""Domain values to JSON text and back; the JSON's shape is the dataclass's own."""

from __future__ import annotations

import typing
from typing import TypeVar

import msgspec

from bot.domain.effects import Effect
from bot.domain.timeline import Event

T = TypeVar("T")


def dump(value: object) -> str:
    """The value as JSON text."""
    return msgspec.json.encode(value).decode()


def load(text: str, kind: type[T]) -> T:
    """The value of that type. Raises `msgspec.ValidationError` when the text is another's."""
    return msgspec.json.decode(text, type=kind)


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
    return msgspec.convert({k: v for k, v in data.items() if k != "kind"}, type=kind)
