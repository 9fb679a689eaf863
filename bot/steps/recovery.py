"""`recovery.measure`: how long a recovery took and what it lost, beside its objectives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from bot.domain.durations import moment
from bot.domain.errors import PermanentError
from bot.domain.parameter import FORMS, ParameterType, seconds
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import SENTENCE, Arguments, Duration, Formed
from bot.steps.base import ReadOnlyStep

Time = Annotated[str, Formed(FORMS[ParameterType.TIME])]


class RecoveryMeasureArguments(Arguments):
    """When the outage `began`, and the objective of the recovery time (`rto`).

    `data_until` is the time of the newest data that was kept, `rpo` the objective of what may
    be lost before the outage; without them the loss is not measured.
    """

    began: Time
    rto: Duration
    data_until: Time | None = None
    rpo: Duration | None = None

    @model_validator(mode="after")
    def _is_pair(self) -> Self:
        if (self.data_until is None) != (self.rpo is None):
            raise PydanticCustomError(SENTENCE, "Give data_until and rpo together.")
        if self.data_until is not None and moment(self.data_until) > moment(self.began):
            raise PydanticCustomError(SENTENCE, "data_until must not be later than began.")
        return self


class RecoveryMeasure(ReadOnlyStep[RecoveryMeasureArguments]):
    """Says both measures; an objective that was missed fails nothing, because it is recovered."""

    name = "recovery.measure"
    arguments = RecoveryMeasureArguments

    def intent(self, arguments: RecoveryMeasureArguments) -> str:
        return f"Measure the recovery of the outage that began at {arguments.began}."

    def prepare(self, arguments: RecoveryMeasureArguments, context: StepContext) -> StepPlan:
        _require_past(arguments, context.clock.now())
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: RecoveryMeasureArguments, context: StepContext) -> StepOutcome:
        began = moment(arguments.began)
        took = _compared("Recovered after", context.clock.now() - began, arguments.rto)
        if arguments.data_until is None or arguments.rpo is None:
            return StepOutcome(f"{took} How much data was lost is not measured.")
        lost = began - moment(arguments.data_until)
        return StepOutcome(f"{took} {_compared('Data lost from the last', lost, arguments.rpo)}")


def _require_past(arguments: RecoveryMeasureArguments, now: datetime) -> None:
    if moment(arguments.began) > now:
        raise PermanentError(f"The outage can't have begun later than now: {arguments.began}.")


def _compared(what: str, span: timedelta, objective: str) -> str:
    met = "met" if span.total_seconds() <= seconds(objective) else "MISSED"
    return f"{what} {_minutes(span)}; the objective, {objective}, is {met}."


def _minutes(span: timedelta) -> str:
    minutes, rest = divmod(int(span.total_seconds()), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
