"""What the routing policy's file says of runbooks: when they are run, and what suggests them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from bot.adapters.policy_fields import Id, reader
from bot.adapters.routing_fields import LEFT_OUT, Items, Matchers, StrictModel, into
from bot.adapters.routing_times import check_times
from bot.domain.schedule import Schedule
from bot.domain.suggestion import SuggestionRule, check_template

_Reference = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}(@[0-9]+\.[0-9]+\.[0-9]+)?$")
]
"""A runbook's name, for the newest version, or ``name@version``."""

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_Value = Annotated[str, Field(strict=True, max_length=500)]
_Template = Annotated[_Value, reader("parameter", check_template)]


def _comes(schedule: Schedule) -> Schedule:
    check_times(schedule.cron, schedule.timezone)
    return schedule


class _ScheduleModel(StrictModel):
    id: Id
    runbook: _Reference
    parameters: dict[_Name, _Value] = LEFT_OUT
    cron: str
    timezone: str = LEFT_OUT
    auto: StrictBool = LEFT_OUT


class _SuggestionModel(StrictModel):
    id: Id
    matchers: Matchers = Field(alias="match")
    runbook: _Reference
    parameters: dict[_Name, _Template] = LEFT_OUT
    auto: StrictBool = LEFT_OUT


Schedules = Items[Annotated[_ScheduleModel, into(Schedule), AfterValidator(_comes)]]
Suggestions = Items[Annotated[_SuggestionModel, into(SuggestionRule)]]
