"""What the routing policy's file says of test pages: when they are due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from bot.adapters.cron import next_after
from bot.adapters.routing_fields import LEFT_OUT, Period, StrictModel, into
from bot.domain.errors import InvalidInput
from bot.domain.page_test import PageTestPlan

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def _comes(plan: PageTestPlan) -> PageTestPlan:
    try:
        next_after(plan.schedule, plan.timezone, _ANY_TIME)
    except InvalidInput as error:
        raise PydanticCustomError("schedule", "{said}", {"said": str(error)}) from error
    return plan


class _PageTestModel(StrictModel):
    schedule: str
    timezone: str = LEFT_OUT
    confirm_within: Period = LEFT_OUT


PageTest = Annotated[_PageTestModel, into(PageTestPlan), AfterValidator(_comes)]
