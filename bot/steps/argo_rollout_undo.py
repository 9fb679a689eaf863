"""`argo.rollout_undo`: a Rollout back to an earlier revision.

As the kubectl plugin does (argoproj/argo-rollouts, pkg/kubectl-argo-rollouts/cmd/undo): the pod
template of one of the Rollout's ReplicaSets becomes the wanted one again, in the Rollout or, if
it has a `workloadRef`, in what that names. The update then takes the strategy's way, canary or
blue-green. Revisions are renumbered when they come back, so what was chosen is remembered by
the ReplicaSet's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.merge_patch import difference
from bot.domain.parameter import Form
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.argo_rollout import Rollout, RolloutArguments, blast_radius_of, read_rollout
from bot.steps.arguments import Formed
from bot.steps.base import MutatingStep, target_of

REVISION = "rollout.argoproj.io/revision"
HASH = "rollouts-pod-template-hash"
"""The label by which Argo tells the pods of two templates apart; it is no part of a template."""

_REPLICA_SET = kind_of("apps/v1", "ReplicaSet")
_WITH_TEMPLATE = ("Deployment", "ReplicaSet")
"""What a `workloadRef` may name and keeps its pods' template where a Rollout does."""

STABLE = "stable"
_REVISION = Form(
    f"previous|{STABLE}|[1-9][0-9]{{0,8}}", f"a revision's number, previous or {STABLE}", STABLE
)
_RevisionName = Annotated[str, Formed(_REVISION)]


class RolloutUndoArguments(RolloutArguments):
    """Which Rollout, and the revision to go back to: ``previous``, ``stable`` or its number.

    ``stable`` is the one that was last promoted in full: during an update, the one before it.
    """

    revision: _RevisionName = "previous"


@dataclass(frozen=True, slots=True)
class _Revision:
    number: int
    name: str
    hash: str
    template: Mapping[str, Any]

    @property
    def images(self) -> tuple[str, ...]:
        containers = (self.template.get("spec") or {}).get("containers") or ()
        return tuple(str(one.get("image", "")) for one in containers)


class ArgoRolloutUndo(MutatingStep[RolloutUndoArguments]):
    """Re-applies an earlier revision's template, as `kubectl argo rollouts undo` does."""

    name = "argo.rollout_undo"
    arguments = RolloutUndoArguments
    decides = frozenset({"revision", "replica_set", "previous_revision", "previous_replica_set"})

    def intent(self, arguments: RolloutUndoArguments) -> str:
        revision = arguments.revision
        named = revision in ("previous", STABLE)
        wanted = f"the {revision} revision" if named else f"revision {revision}"
        return f"Roll Rollout {arguments.rollout} back to {wanted}."

    def prepare(self, arguments: RolloutUndoArguments, context: StepContext) -> StepPlan:
        rollout = _settled(arguments.rollout, context)
        history = _history(rollout, context)
        current = _current(rollout, history)
        chosen = (
            _stable(rollout, history, current)
            if arguments.revision == STABLE
            else _choose(arguments.revision, history, current)
        )
        holder = _holder(rollout, context)
        _set_template(holder, chosen.template, context, dry_run=True)
        targets = {rollout.resource.ref: rollout.resource, holder.ref: holder}
        return StepPlan(
            f"Roll Rollout {arguments.rollout} back from revision {current.number} "
            f"to revision {chosen.number}.",
            changes=_changes(current, chosen),
            targets=tuple(map(target_of, targets.values())),
            blast_radius=blast_radius_of(rollout, context),
            decided=_decided(current, chosen),
            reversible=True,
        )

    def observe(self, arguments: RolloutUndoArguments, context: StepContext) -> StepOutcome | None:
        holder = _holder(read_rollout(arguments.rollout, context), context)
        return _outcome(arguments, context) if holder.marker == str(context.marker) else None

    def apply(self, arguments: RolloutUndoArguments, context: StepContext) -> StepOutcome:
        rollout = read_rollout(arguments.rollout, context)
        chosen = _named(context.decided["replica_set"], _history(rollout, context))
        _set_template(_holder(rollout, context), chosen.template, context)
        return _outcome(arguments, context)

    def undo(
        self, arguments: RolloutUndoArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        """Re-apply what was wanted before, unless somebody has changed the Rollout since."""
        rollout = _settled(arguments.rollout, context)
        history = _history(rollout, context)
        before = _named(outcome.data["previous_replica_set"], history)
        if _current(rollout, history).name not in (before.name, outcome.data["replica_set"]):
            raise PermanentError(
                f"{rollout.name} was changed since the rollback, so it is left as it is."
            )
        _set_template(_holder(rollout, context), before.template, context)
        return StepOutcome(
            f"{rollout.name} is set back to what it was to run before the rollback "
            f"(then revision {outcome.data['previous_revision']})."
        )


def _settled(name: str, context: StepContext) -> Rollout:
    """The Rollout; until its controller has seen the newest spec, its hash is an older one's."""
    rollout = read_rollout(name, context)
    if not rollout.observed:
        raise TemporaryError(f"Argo Rollouts has not yet seen the last change of {rollout.name}")
    return rollout


def _history(rollout: Rollout, context: StepContext) -> Sequence[_Revision]:
    """The revisions that are kept, the newest first."""
    namespace = rollout.resource.ref.namespace
    found = context.objects.find(_REPLICA_SET, namespace, rollout.selector)
    owned = [_revision(one) for one in found if _owner(one) == rollout.resource.uid]
    return sorted(owned, key=lambda revision: -revision.number)


def _owner(resource: Resource) -> str:
    """The uid of the object that controls this one."""
    owners = resource.body["metadata"].get("ownerReferences") or ()
    return next((str(one["uid"]) for one in owners if one.get("controller")), "")


def _revision(replica_set: Resource) -> _Revision:
    metadata = replica_set.body["metadata"]
    number = str((metadata.get("annotations") or {}).get(REVISION, ""))
    template = replica_set.body["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    return _Revision(
        int(number) if number.isdecimal() else 0,
        replica_set.ref.name,
        str(labels.get(HASH, "")),
        _wanted(template, labels),
    )


def _wanted(template: Mapping[str, Any], labels: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template as it stood in the Rollout: without the controller's label."""
    own = {name: value for name, value in labels.items() if name != HASH}
    metadata = {**(template.get("metadata") or {}), "labels": own}
    return {**template, "metadata": {k: v for k, v in metadata.items() if v is not None}}


def _current(rollout: Rollout, history: Sequence[_Revision]) -> _Revision:
    for revision in history:
        if revision.hash == rollout.newest:
            return revision
    raise PermanentError(f"{rollout.name} does not say which of its revisions is the wanted one.")


def _stable(rollout: Rollout, history: Sequence[_Revision], current: _Revision) -> _Revision:
    if current.hash == rollout.stable:
        raise PermanentError(f"{rollout.name} runs its stable revision, {current.number}, already.")
    for revision in history:
        if revision.hash == rollout.stable:
            return revision
    raise PermanentError(f"The stable revision of {rollout.name} is not kept any more.")


def _choose(wanted: str, history: Sequence[_Revision], current: _Revision) -> _Revision:
    others = [revision for revision in history if revision.name != current.name]
    if not others:
        raise PermanentError(
            "There is no earlier revision to go back to: this is the first one, "
            "or revisionHistoryLimit lets Argo Rollouts keep none."
        )
    if wanted == "previous":
        return others[0]
    if int(wanted) == current.number:
        raise PermanentError(f"Revision {wanted} is the one that is wanted now.")
    for revision in others:
        if revision.number == int(wanted):
            return revision
    kept = ", ".join(str(revision.number) for revision in reversed(others))
    raise PermanentError(f"Revision {wanted} is not kept any more; there are: {kept}.")


def _named(replica_set: str, history: Sequence[_Revision]) -> _Revision:
    for revision in history:
        if revision.name == replica_set:
            return revision
    raise PermanentError(f"ReplicaSet {replica_set} is gone, and with it the revision it held.")


def _holder(rollout: Rollout, context: StepContext) -> Resource:
    """The object in which the pod template stands."""
    reference = rollout.spec.get("workloadRef")
    if not reference:
        return rollout.resource
    if reference["kind"] not in _WITH_TEMPLATE:
        raise PermanentError(
            f"{rollout.name} takes its template from a {reference['kind']}, "
            "in which this step does not know where it stands."
        )
    kind = kind_of(reference["apiVersion"], reference["kind"])
    return context.objects.read(ObjectRef(kind, rollout.resource.ref.namespace, reference["name"]))


def _set_template(
    holder: Resource, template: Mapping[str, Any], context: StepContext, *, dry_run: bool = False
) -> None:
    there = holder.body["spec"].get("template") or {}
    patch = {"spec": {"template": difference(there, template)}}
    context.objects.merge(
        holder.ref, patch, context.marker, version=holder.version, dry_run=dry_run
    )


def _changes(current: _Revision, chosen: _Revision) -> tuple[str, ...]:
    if current.images == chosen.images:
        return ("the images stay the same: only other parts of the pod template change",)
    return (
        *(f"- image: {image}" for image in current.images if image not in chosen.images),
        *(f"+ image: {image}" for image in chosen.images if image not in current.images),
    )


def _decided(current: _Revision, chosen: _Revision) -> Mapping[str, str]:
    return {
        "revision": str(chosen.number),
        "replica_set": chosen.name,
        "previous_revision": str(current.number),
        "previous_replica_set": current.name,
    }


def _outcome(arguments: RolloutUndoArguments, context: StepContext) -> StepOutcome:
    decided = context.decided
    return StepOutcome(
        f"Rollout {arguments.rollout} goes back from revision {decided['previous_revision']} "
        f"to revision {decided['revision']}.",
        data=dict(decided),
    )
