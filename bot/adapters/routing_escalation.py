"""What the routing policy's file says of whom to call: escalations, response times, fallback."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from bot.adapters.policy_fields import Id
from bot.adapters.routing_fields import (
    LEFT_OUT,
    MATCH_LEFT_OUT,
    Items,
    Matchers,
    Period,
    StrictModel,
    distinct,
    given,
    into,
)
from bot.domain.classify import Severity
from bot.domain.contact import Contact, ContactKind, Mention, PagerRoute, pagerduty
from bot.domain.escalation_policy import EscalationRule, EscalationStep, default_response_times


def _one_way() -> PydanticCustomError:
    return PydanticCustomError("contact", "say by which one way: pagerduty, notifier or slack.")


def _contact(model: _ContactModel) -> Contact:
    ways = [kind for kind in ContactKind if kind in model.model_fields_set]
    if len(ways) != 1:
        raise _one_way()
    return Contact(ways[0], str(getattr(model, ways[0])))


def _step(model: _StepModel) -> EscalationStep:
    return EscalationStep(model.after, _contact(model))


def _in_order(steps: list[EscalationStep]) -> tuple[EscalationStep, ...]:
    if any(later.after < step.after for step, later in pairwise(steps)):
        raise PydanticCustomError("steps", "a step comes before the one above it; sort them.")
    return tuple(steps)


def _mapping(value: object) -> Mapping[object, object]:
    """What stands in the fallback's list; whom `slack` alone calls depends on the level."""
    if value == ContactKind.SLACK:
        return {"slack": Mention.BY_LEVEL}
    if isinstance(value, Mapping):
        return value
    raise _one_way()


def _not_primary(contact: Contact) -> Contact:
    if contact == pagerduty(PagerRoute.PRIMARY):
        raise PydanticCustomError("contact", "the primary key is what the fallback stands in for.")
    return contact


def _response_times(model: _ResponseTimesModel) -> Mapping[Severity, timedelta]:
    times = {Severity(level): within for level, within in given(model).items()}
    return {**default_response_times(), **times}


class _ContactModel(StrictModel):
    """One of its keys is given, and says by which way."""

    pagerduty: PagerRoute = LEFT_OUT
    notifier: Id = LEFT_OUT
    slack: Mention = LEFT_OUT


class _StepModel(_ContactModel):
    after: Period


_Step = Annotated[_StepModel, AfterValidator(_step)]
_Levels = Annotated[list[Severity], Field(min_length=1), AfterValidator(distinct)]


class _EscalationModel(StrictModel):
    id: Id
    levels: _Levels
    matchers: Matchers = MATCH_LEFT_OUT
    steps: Annotated[list[_Step], Field(min_length=1), AfterValidator(_in_order)]
    repeat: Annotated[int, Field(strict=True, ge=0, le=100)] = LEFT_OUT
    still_on_it: Period = LEFT_OUT


class _ResponseTimesModel(StrictModel):
    P0: Period = LEFT_OUT
    P1: Period = LEFT_OUT
    P2: Period = LEFT_OUT
    P3: Period = LEFT_OUT


_Fallback = Annotated[
    _ContactModel,
    BeforeValidator(_mapping),
    AfterValidator(_contact),
    AfterValidator(_not_primary),
]


Escalations = Items[Annotated[_EscalationModel, into(EscalationRule)]]
ResponseTimes = Annotated[_ResponseTimesModel, AfterValidator(_response_times)]
Fallback = Annotated[list[_Fallback], AfterValidator(distinct)]
