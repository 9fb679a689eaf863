"""`flux.suspend`, `flux.resume`, `flux.reconcile` and `flux.wait`: what Flux keeps as in Git.

Sources: fluxcd/flux2 (cmd/flux/suspend.go, resume.go, reconcile.go) and
https://fluxcd.io/flux/components/kustomize/kustomizations/ ("Suspend", "Triggering a
reconcile").

There is no rollback here, since Flux has none to ask for: what runs is what the source says. To
go back, suspend, go back by other means (`kubernetes.rollout_undo`, or a `kubernetes.job` with
the helm program for a HelmRelease, whose history only Helm reads), mend the source, resume.
"""

from __future__ import annotations

from typing import Literal

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import PermanentError
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.domain.resource import Manifest, Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration, Workload
from bot.steps.base import MutatingStep, ReadOnlyStep, target_of
from bot.steps.polling import Look, NotReached, Patience, watch

REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
"""The annotation that asks for a reconciliation: whenever its value is another one."""

_API_VERSIONS = {
    "Kustomization": "kustomize.toolkit.fluxcd.io/v1",
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
}
"""Those of Flux 2.3 and later."""


class FluxArguments(Arguments):
    """Which object, as namespace/name, and of which kind.

    `api_version` is for a Flux before 2.3, such as ``helm.toolkit.fluxcd.io/v2beta2``.
    """

    resource: Workload
    kind: Literal["Kustomization", "HelmRelease"] = "Kustomization"
    api_version: str = ""

    @property
    def ref(self) -> ObjectRef:
        namespace, _, name = self.resource.partition("/")
        kind = kind_of(self.api_version or _API_VERSIONS[self.kind], self.kind)
        return ObjectRef(kind, namespace, name)

    @property
    def subject(self) -> str:
        return f"{self.kind} {self.resource}"


class _SuspensionStep(MutatingStep[FluxArguments]):
    """What suspending and resuming have in common; each is the other's undo."""

    arguments = FluxArguments
    suspends: bool

    def prepare(self, arguments: FluxArguments, context: StepContext) -> StepPlan:
        there = context.objects.read(arguments.ref)
        if _suspended(there) is self.suspends:
            raise PermanentError(f"{arguments.subject} is {_word(self.suspends)} already.")
        patch = _suspension(self.suspends)
        context.objects.merge(arguments.ref, patch, context.marker, dry_run=True)
        return StepPlan(
            self.intent(arguments),
            changes=(f"+ spec.suspend: {str(self.suspends).lower()}",),
            targets=(target_of(there),),
            reversible=True,
        )

    def observe(self, arguments: FluxArguments, context: StepContext) -> StepOutcome | None:
        done = context.objects.read(arguments.ref).marker == str(context.marker)
        return _outcome(arguments, self.suspends) if done else None

    def apply(self, arguments: FluxArguments, context: StepContext) -> StepOutcome:
        context.objects.merge(arguments.ref, _suspension(self.suspends), context.marker)
        return _outcome(arguments, self.suspends)

    def undo(
        self, arguments: FluxArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        context.objects.merge(arguments.ref, _suspension(not self.suspends), context.marker)
        return _outcome(arguments, not self.suspends)


class FluxSuspend(_SuspensionStep):
    """Lets Flux leave the object alone, so that a fix by hand stays."""

    name = "flux.suspend"
    suspends = True

    def intent(self, arguments: FluxArguments) -> str:
        return f"Let Flux leave {arguments.subject} as it is."


class FluxResume(_SuspensionStep):
    """Lets Flux keep the object as its source says, from now on."""

    name = "flux.resume"
    suspends = False

    def intent(self, arguments: FluxArguments) -> str:
        return f"Let Flux bring {arguments.subject} to what its source says."


class FluxReconcile(MutatingStep[FluxArguments]):
    """Asks Flux to look at the source now; it does not wait for it (`flux.wait` does)."""

    name = "flux.reconcile"
    arguments = FluxArguments

    def intent(self, arguments: FluxArguments) -> str:
        return f"Ask Flux to reconcile {arguments.subject} now."

    def prepare(self, arguments: FluxArguments, context: StepContext) -> StepPlan:
        there = context.objects.read(arguments.ref)
        if _suspended(there):
            raise PermanentError(f"{arguments.subject} is suspended: Flux would not reconcile it.")
        context.objects.merge(arguments.ref, _request(context), context.marker, dry_run=True)
        return StepPlan(
            self.intent(arguments),
            changes=(f"+ metadata.annotations[{REQUESTED_AT}]: the time at which the step begins",),
            targets=(target_of(there),),
        )

    def observe(self, arguments: FluxArguments, context: StepContext) -> StepOutcome | None:
        done = context.objects.read(arguments.ref).marker == str(context.marker)
        return _asked(arguments) if done else None

    def apply(self, arguments: FluxArguments, context: StepContext) -> StepOutcome:
        context.objects.merge(arguments.ref, _request(context), context.marker)
        return _asked(arguments)

    def undo(
        self, arguments: FluxArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        return StepOutcome("A request has nothing to put back.")


class FluxWaitArguments(FluxArguments):
    """Which object, and how long to wait."""

    timeout: Duration = "300s"


class FluxWait(ReadOnlyStep[FluxWaitArguments]):
    """Waits until Flux has done what it was last asked to do, and says that it is ready."""

    name = "flux.wait"
    arguments = FluxWaitArguments

    def intent(self, arguments: FluxWaitArguments) -> str:
        return f"Wait up to {arguments.timeout} until Flux says that {arguments.subject} is ready."

    def limit(self, arguments: FluxWaitArguments) -> Limit:
        return Patience(arguments.timeout).limit

    def prepare(self, arguments: FluxWaitArguments, context: StepContext) -> StepPlan:
        context.objects.read(arguments.ref)
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: FluxWaitArguments, context: StepContext) -> StepOutcome:
        seen = watch(
            context,
            lambda: _look(arguments, context.objects.read(arguments.ref)),
            Patience(arguments.timeout),
        )
        return StepOutcome(f"{arguments.subject}: {seen.says}.")


def _look(arguments: FluxArguments, there: Resource) -> Look:
    if _suspended(there):
        raise NotReached(f"{arguments.subject} is suspended: Flux won’t reconcile it.")
    metadata, status = there.body["metadata"], there.body.get("status") or {}
    requested = (metadata.get("annotations") or {}).get(REQUESTED_AT)
    if requested and status.get("lastHandledReconcileAt") != requested:
        return Look(False, "Flux has not yet handled the request")
    if int(status.get("observedGeneration") or 0) < int(metadata.get("generation") or 0):
        return Look(False, "Flux has not yet seen the newest spec")
    conditions = {str(one.get("type")): one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready", {})
    return Look(ready.get("status") == "True", str(ready.get("message") or "it is not ready"))


def _suspended(there: Resource) -> bool:
    return bool((there.body.get("spec") or {}).get("suspend"))


def _suspension(suspends: bool) -> Manifest:
    """Resuming removes the field, as `flux resume` does."""
    return {"spec": {"suspend": True if suspends else None}}


def _word(suspends: bool) -> str:
    return "suspended" if suspends else "resumed"


def _outcome(arguments: FluxArguments, suspends: bool) -> StepOutcome:
    return StepOutcome(f"{arguments.subject} is {_word(suspends)}.")


def _request(context: StepContext) -> Manifest:
    return {"metadata": {"annotations": {REQUESTED_AT: context.marker.at.isoformat()}}}


def _asked(arguments: FluxArguments) -> StepOutcome:
    return StepOutcome(f"Asked Flux to reconcile {arguments.subject}.")
