"""What the routing policy's file says of test pages: when they are due."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from bot.adapters.routing_fields import LEFT_OUT, Period, StrictModel, into
from bot.adapters.routing_times import check_times
from bot.domain.page_test import PageTestPlan


def _comes(plan: PageTestPlan) -> PageTestPlan:
    check_times(plan.schedule, plan.timezone)
    return plan


class _PageTestModel(StrictModel):
    schedule: str
    timezone: str = LEFT_OUT
    confirm_within: Period = LEFT_OUT


PageTest = Annotated[_PageTestModel, into(PageTestPlan), AfterValidator(_comes)]
