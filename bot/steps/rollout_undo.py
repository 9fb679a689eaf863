"""`kubernetes.rollout_undo`: back to an earlier revision.

A revision's number is no name: when Kubernetes goes back to revision 2 it renumbers
it to be the newest. So what the plan chose, and what ran before, are remembered by
the names of their ReplicaSets, which stay, and the number is looked up when needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.cluster import Deployment, ObjectRef, Revision
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import Cluster, StepContext
from bot.steps.arguments import Arguments, RevisionName, Workload, deployment_ref
from bot.steps.base import MutatingStep, target_of


class RolloutUndoArguments(Arguments):
    """Which Deployment, and the revision to go back to: ``previous`` or its number."""

    workload: Workload
    revision: RevisionName = "previous"


class RolloutUndo(MutatingStep[RolloutUndoArguments]):
    """Re-applies an earlier revision's template, as `kubectl rollout undo` does."""

    name = "kubernetes.rollout_undo"
    arguments = RolloutUndoArguments
    decides = frozenset({"revision", "replica_set", "previous_revision", "previous_replica_set"})

    def intent(self, arguments: RolloutUndoArguments) -> str:
        revision = arguments.revision
        wanted = "the previous revision" if revision == "previous" else f"revision {revision}"
        return f"Roll Deployment {arguments.workload} back to {wanted}."

    def prepare(self, arguments: RolloutUndoArguments, context: StepContext) -> StepPlan:
        ref = deployment_ref(arguments.workload)
        deployment = _settled(ref, context.cluster)
        if deployment.paused:
            raise PermanentError(f"Deployment {arguments.workload} is paused; resume it first.")
        history = context.cluster.revisions(ref)
        current = _current(history)
        chosen = _choose(arguments.revision, history, current)
        context.cluster.roll_back(ref, chosen.number, context.marker, dry_run=True)
        return StepPlan(
            f"Roll Deployment {arguments.workload} back from revision {current.number} "
            f"to revision {chosen.number}.",
            changes=_changes(current, chosen, history),
            targets=(target_of(deployment),),
            blast_radius=context.cluster.blast_radius(ref.namespace, deployment.selector),
            decided=_decided(current, chosen),
            reversible=True,
        )

    def observe(self, arguments: RolloutUndoArguments, context: StepContext) -> StepOutcome | None:
        deployment = context.cluster.deployment(deployment_ref(arguments.workload))
        done = deployment.marker == str(context.marker)
        return _outcome(arguments, context.decided) if done else None

    def apply(self, arguments: RolloutUndoArguments, context: StepContext) -> StepOutcome:
        ref = deployment_ref(arguments.workload)
        chosen = _named(context.decided["replica_set"], context.cluster.revisions(ref))
        context.cluster.roll_back(ref, chosen.number, context.marker)
        return _outcome(arguments, context.decided)

    def undo(
        self, arguments: RolloutUndoArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        """Re-apply what ran before, unless somebody has changed the Deployment since."""
        ref = deployment_ref(arguments.workload)
        _settled(ref, context.cluster)
        history = context.cluster.revisions(ref)
        current = _current(history)
        before = _named(outcome.data["previous_replica_set"], history)
        if current.name not in (before.name, outcome.data["replica_set"]):
            raise PermanentError(
                f"Deployment {arguments.workload} was changed since the rollback, "
                "so it is left as it is."
            )
        context.cluster.roll_back(ref, before.number, context.marker)
        return StepOutcome(
            f"{arguments.workload} is set back to what ran before the rollback "
            f"(then revision {outcome.data['previous_revision']})."
        )


def _settled(ref: ObjectRef, cluster: Cluster) -> Deployment:
    """The Deployment; until its controller has seen the last change, the history is stale."""
    deployment = cluster.deployment(ref)
    if deployment.observed_generation < deployment.generation:
        raise TemporaryError(f"Kubernetes has not yet seen the last change of {ref}")
    return deployment


def _current(history: Sequence[Revision]) -> Revision:
    for revision in history:
        if revision.current:
            return revision
    raise PermanentError("Kubernetes does not say which revision is running now.")


def _choose(wanted: str, history: Sequence[Revision], current: Revision) -> Revision:
    others = {revision.number: revision for revision in history if not revision.current}
    if not others:
        raise PermanentError(
            "There is no earlier revision to go back to: this is the first one, "
            "or revisionHistoryLimit lets Kubernetes keep none."
        )
    if wanted == "previous":
        return _previous(list(others.values()), current)
    if int(wanted) == current.number:
        raise PermanentError(f"Revision {wanted} is the one that runs now.")
    if int(wanted) not in others:
        kept = ", ".join(map(str, sorted(others)))
        raise PermanentError(f"Revision {wanted} is not kept any more; there are: {kept}.")
    return others[int(wanted)]


def _previous(others: Sequence[Revision], current: Revision) -> Revision:
    """The newest that differs from what runs; a restart makes a revision and changes nothing."""
    different = [it for it in others if it.template_digest != current.template_digest]
    return max(different or others, key=lambda revision: revision.number)


def _named(replica_set: str, history: Sequence[Revision]) -> Revision:
    for revision in history:
        if revision.name == replica_set:
            return revision
    raise PermanentError(f"ReplicaSet {replica_set} is gone, and with it the revision it held.")


def _changes(current: Revision, chosen: Revision, history: Sequence[Revision]) -> tuple[str, ...]:
    if current.images == chosen.images:
        # As after a restart, which makes a revision too: perhaps an older one is meant.
        kept = "; ".join(f"{it.number} is {', '.join(it.images)}" for it in history)
        return (
            "the images stay the same: only other parts of the pod template change",
            f"the revisions that are kept: {kept}",
        )
    return (
        *(f"- image: {image}" for image in current.images if image not in chosen.images),
        *(f"+ image: {image}" for image in chosen.images if image not in current.images),
    )


def _decided(current: Revision, chosen: Revision) -> Mapping[str, str]:
    return {
        "revision": str(chosen.number),
        "replica_set": chosen.name,
        "previous_revision": str(current.number),
        "previous_replica_set": current.name,
    }


def _outcome(arguments: RolloutUndoArguments, decided: Mapping[str, str]) -> StepOutcome:
    return StepOutcome(
        f"{arguments.workload} goes back from revision {decided['previous_revision']} "
        f"to revision {decided['revision']}.",
        data=dict(decided),
    )
