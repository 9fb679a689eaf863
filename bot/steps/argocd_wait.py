"""`argocd.wait`: wait until Argo CD has done what it was asked to do."""

from __future__ import annotations

from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.argocd_application import Application, ApplicationArguments, read_application
from bot.steps.arguments import Duration
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, NotReached, Patience, watch


class ArgoCdWaitArguments(ApplicationArguments):
    """Which Application, and how long to wait."""

    timeout: Duration = "600s"


class ArgoCdWait(ReadOnlyStep[ArgoCdWaitArguments]):
    """Waits until the operation has succeeded and the Application is healthy."""

    name = "argocd.wait"
    arguments = ArgoCdWaitArguments

    def intent(self, arguments: ArgoCdWaitArguments) -> str:
        return (
            f"Wait up to {arguments.timeout} until Argo CD is done with "
            f"Application {arguments.application} and it is healthy."
        )

    def limit(self, arguments: ArgoCdWaitArguments) -> Limit:
        return Patience(arguments.timeout).limit

    def prepare(self, arguments: ArgoCdWaitArguments, context: StepContext) -> StepPlan:
        read_application(arguments.application, context)
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: ArgoCdWaitArguments, context: StepContext) -> StepOutcome:
        seen = watch(
            context,
            lambda: _look(read_application(arguments.application, context)),
            Patience(arguments.timeout),
        )
        return StepOutcome(f"Application {arguments.application}: {seen.says}.")


def _look(application: Application) -> Look:
    if application.resource.body.get("operation"):
        return Look(False, "the operation has not begun")
    state = application.status.get("operationState") or {}
    phase = str(state.get("phase") or "no operation")
    health = str((application.status.get("health") or {}).get("status") or "unknown")
    if phase in ("Failed", "Error"):
        raise NotReached(f"The operation of {application.name} {phase}: {state.get('message')}")
    line = f"operation {phase}, health {health}"
    return Look(phase in ("Succeeded", "no operation") and health == "Healthy", line)
