"""`kubernetes.rollout_restart`: replace all pods by fresh ones, a few at a time."""

from __future__ import annotations

from bot.domain.cluster import Deployment
from bot.domain.excerpt import counted
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Workload, deployment_ref
from bot.steps.base import MutatingStep, target_of


class RolloutRestartArguments(Arguments):
    """Which Deployment to restart."""

    workload: Workload


class RolloutRestart(MutatingStep[RolloutRestartArguments]):
    """Starts a rolling restart, as `kubectl rollout restart` does; it does not wait for it."""

    name = "kubernetes.rollout_restart"
    arguments = RolloutRestartArguments

    def intent(self, arguments: RolloutRestartArguments) -> str:
        return f"Restart the pods of Deployment {arguments.workload}, a few at a time."

    def prepare(self, arguments: RolloutRestartArguments, context: StepContext) -> StepPlan:
        ref = deployment_ref(arguments.workload)
        deployment = context.cluster.deployment(ref)
        problems = _problems(deployment)
        if not problems:
            context.cluster.restart(ref, context.marker, dry_run=True)
        return StepPlan(
            self.intent(arguments),
            changes=(
                "+ spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]: "
                "the time at which the step begins",
            ),
            problems=problems,
            targets=(target_of(deployment),),
            blast_radius=context.cluster.blast_radius(ref.namespace, deployment.selector),
        )

    def observe(
        self, arguments: RolloutRestartArguments, context: StepContext
    ) -> StepOutcome | None:
        deployment = context.cluster.deployment(deployment_ref(arguments.workload))
        return _outcome(deployment) if deployment.marker == str(context.marker) else None

    def apply(self, arguments: RolloutRestartArguments, context: StepContext) -> StepOutcome:
        return _outcome(context.cluster.restart(deployment_ref(arguments.workload), context.marker))

    def undo(
        self, arguments: RolloutRestartArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        return StepOutcome("A restart has nothing to put back: the pods run what they ran before.")


def _problems(deployment: Deployment) -> tuple[str, ...]:
    name = f"Deployment {deployment.ref.namespace}/{deployment.ref.name}"
    problems = []
    if deployment.paused:
        problems.append(f"{name} is paused; resume it first: a restart would not begin.")
    if deployment.desired == 0:
        problems.append(f"{name} is scaled to 0, so there is no pod to restart.")
    return tuple(problems)


def _outcome(deployment: Deployment) -> StepOutcome:
    return StepOutcome(
        f"Rolling restart of {deployment.ref.namespace}/{deployment.ref.name} begun: "
        f"{counted(deployment.desired, 'pod')} to replace."
    )
