"""`wait`: let some time pass, such as for caches to fill before the next check."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.parameter import seconds
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import INTERVAL, NotReached, Patience


class WaitArguments(Arguments):
    """How long."""

    duration: Duration


class Wait(ReadOnlyStep[WaitArguments]):
    """Waits, counted from when the step first began, so that a restart adds nothing."""

    name = "wait"
    arguments = WaitArguments

    def intent(self, arguments: WaitArguments) -> str:
        return f"Wait for {arguments.duration}."

    def limit(self, arguments: WaitArguments) -> Limit:
        return Patience("0s", arguments.duration).limit

    def prepare(self, arguments: WaitArguments, context: StepContext) -> StepPlan:
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: WaitArguments, context: StepContext) -> StepOutcome:
        until = context.marker.at + timedelta(seconds=seconds(arguments.duration))
        context.progress(f"waiting until {until:%H:%M:%S} UTC")
        while (left := until - context.clock.now()) > timedelta(0):
            if context.stopped():
                raise NotReached("The run is being aborted.")
            context.clock.sleep(min(INTERVAL, left.total_seconds()))
        return StepOutcome(f"Waited for {arguments.duration}.")
