"""`argo.wait_rollout`: wait until a Rollout is in a phase."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.argo_rollout import (
    DEGRADED,
    HEALTHY,
    PAUSED,
    Rollout,
    RolloutArguments,
    read_rollout,
)
from bot.steps.arguments import Duration
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, NotReached, Patience, watch

SETTLING = timedelta(seconds=10)
"""How long after the step's begin a bad phase may still speak of the time before: what is
written into the status has no generation by which one could see that it was noticed."""


class WaitRolloutArguments(RolloutArguments):
    """Which Rollout, in which phase, and how long to wait; after an abort it is Degraded."""

    phase: Literal["Healthy", "Paused", "Degraded"] = "Healthy"
    timeout: Duration = "600s"


class ArgoWaitRollout(ReadOnlyStep[WaitRolloutArguments]):
    """Waits as `kubectl argo rollouts status` does; a phase that leads elsewhere fails it."""

    name = "argo.wait_rollout"
    arguments = WaitRolloutArguments

    def intent(self, arguments: WaitRolloutArguments) -> str:
        return (
            f"Wait up to {arguments.timeout} until Rollout {arguments.rollout} "
            f"is {arguments.phase}."
        )

    def limit(self, arguments: WaitRolloutArguments) -> Limit:
        return Patience(arguments.timeout).limit

    def prepare(self, arguments: WaitRolloutArguments, context: StepContext) -> StepPlan:
        phase, _ = read_rollout(arguments.rollout, context).phase
        return StepPlan(f"{self.intent(arguments)} Now it is {phase}.")

    def execute(self, arguments: WaitRolloutArguments, context: StepContext) -> StepOutcome:
        settled = context.marker.at + SETTLING

        def look() -> Look:
            rollout = read_rollout(arguments.rollout, context)
            return _look(rollout, arguments.phase, context.clock.now() >= settled)

        seen = watch(context, look, Patience(arguments.timeout))
        return StepOutcome(f"Rollout {arguments.rollout} is {seen.says}.")


def _look(rollout: Rollout, wanted: str, settled: bool) -> Look:
    phase, message = rollout.phase
    line = f"{phase} ({message})" if message else phase
    if settled and phase in _DEAD_ENDS[wanted]:
        raise NotReached(f"{rollout.name} won’t be {wanted} any more: it is {line}.")
    return Look(phase == wanted, line)


_DEAD_ENDS = {
    HEALTHY: frozenset({DEGRADED}),
    PAUSED: frozenset({DEGRADED, HEALTHY}),
    DEGRADED: frozenset({HEALTHY}),
}
"""The phases out of which no Rollout comes by itself to the one that is waited for."""
