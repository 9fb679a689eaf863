"""The fields that the routing policy's file is made of: matchers, labels, durations, ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from bot.adapters.policy_fields import reader
from bot.domain.errors import InvalidInput
from bot.domain.matcher import Matcher, Place
from bot.domain.matcher_text import parse_matcher
from bot.domain.parameter import seconds


def _label_matcher(text: str) -> Matcher:
    matcher = parse_matcher(text)
    if matcher.place is not Place.LABEL:
        raise InvalidInput(
            f"“{text}”: routing looks at labels only; all else may change while an alert fires."
        )
    return matcher


def _duration(text: str) -> timedelta:
    return timedelta(seconds=seconds(text))


def _positive(value: timedelta) -> timedelta:
    if value:
        return value
    raise PydanticCustomError("duration", "a duration of 0 is never over; make it longer.")


def _not_severity(name: str) -> str:
    if name.lower() != "severity":
        return name
    raise PydanticCustomError(
        "severity",
        "severity is never in the key: a warning that turns critical is the same incident.",
    )


_Given = TypeVar("_Given", bound=Hashable)


def distinct(values: list[_Given]) -> tuple[_Given, ...]:
    """The values as a tuple, in which none may stand twice."""
    twice = sorted(str(value) for value, number in Counter(values).items() if number > 1)
    if twice:
        raise PydanticCustomError("values", "{value} is given twice.", {"value": f"“{twice[0]}”"})
    return tuple(values)


class StrictModel(BaseModel):
    """A part of the file; a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


def into(kind: Callable[..., object]) -> AfterValidator:
    """Turns a model into a value of that kind; what the file left out has the default there."""
    return AfterValidator(lambda model: kind(**given(model)))


def given(model: BaseModel) -> dict[str, Any]:
    """What the file gave to the model, without what it left out."""
    return {name: getattr(model, name) for name in model.model_fields_set}


_Item = TypeVar("_Item")
Items = Annotated[list[_Item], AfterValidator(tuple)]
Matchers = Annotated[
    list[Annotated[InstanceOf[Matcher], reader("matcher", _label_matcher)]],
    Field(min_length=1),
    AfterValidator(tuple),
]
Label = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,199}$"),
    AfterValidator(_not_severity),
]
Labels = Annotated[list[Label], Field(min_length=1), AfterValidator(distinct)]
Duration = Annotated[InstanceOf[timedelta], reader("duration", _duration)]
Period = Annotated[Duration, AfterValidator(_positive)]


LEFT_OUT: Any = Field(default=None)
"""The key may be left out, and then the default of the value's field holds."""

MATCH_LEFT_OUT: Any = Field(default=None, alias="match")
"""The same of the key `match`."""
