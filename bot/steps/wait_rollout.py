"""`kubernetes.wait_rollout`: wait until the newest template runs everywhere."""

from __future__ import annotations

from bot.domain.cluster import Deployment
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.excerpt import counted
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration, Workload, deployment_ref
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, NotReached, Patience, watch
from bot.steps.words import unready


class WaitRolloutArguments(Arguments):
    """Which Deployment to wait for, and how long (the seed's runbook waits 600 s)."""

    workload: Workload
    timeout: Duration = "600s"


class WaitRollout(ReadOnlyStep[WaitRolloutArguments]):
    """Waits as `kubectl rollout status` does; fails when the rollout gets stuck."""

    name = "kubernetes.wait_rollout"
    arguments = WaitRolloutArguments

    def intent(self, arguments: WaitRolloutArguments) -> str:
        return (
            f"Wait up to {arguments.timeout} until all pods of "
            f"Deployment {arguments.workload} are as wanted and available."
        )

    def limit(self, arguments: WaitRolloutArguments) -> Limit:
        return Patience(arguments.timeout).limit

    def prepare(self, arguments: WaitRolloutArguments, context: StepContext) -> StepPlan:
        context.cluster.deployment(deployment_ref(arguments.workload))
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: WaitRolloutArguments, context: StepContext) -> StepOutcome:
        ref = deployment_ref(arguments.workload)
        try:
            seen = watch(
                context,
                lambda: _look(context.cluster.deployment(ref)),
                Patience(arguments.timeout),
            )
        except NotReached as error:
            raise PermanentError(f"{error} {_unready(arguments, context)}".rstrip()) from error
        return StepOutcome(f"Rollout of {arguments.workload} complete: {seen.says}.")


def _look(deployment: Deployment) -> Look:
    line = (
        f"{deployment.updated} of {counted(deployment.desired, 'pod')} updated, "
        f"{deployment.available} available"
    )
    if not deployment.rolled_out and _stuck(deployment):
        raise NotReached(f"Kubernetes gave up on this rollout: {line}.")
    return Look(deployment.rolled_out, line)


def _stuck(deployment: Deployment) -> bool:
    """Whether the progress deadline passed for what is wanted now.

    Until the newest generation is observed the condition speaks of an earlier rollout
    (kubectl's rollout_status.go looks at it only then, too).
    """
    observed = deployment.observed_generation >= deployment.generation
    return observed and deployment.deadline_exceeded


def _unready(arguments: WaitRolloutArguments, context: StepContext) -> str:
    try:
        deployment = context.cluster.deployment(deployment_ref(arguments.workload))
        return unready(context.cluster.pods(deployment.ref.namespace, deployment.selector))
    except TemporaryError as error:
        return f"Its pods can't be read: {error}"
