"""`kubernetes.scale`: how many pods a Deployment or a StatefulSet shall have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import PermanentError
from bot.domain.excerpt import counted
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Workload
from bot.steps.object_change import ObjectChange, Patch

AUTOSCALER = kind_of("autoscaling/v1", "HorizontalPodAutoscaler")


class ScaleArguments(Arguments):
    """Which workload, of which kind, and the number of pods that it shall have.

    With `reversible` off the number stays when the run fails later on.
    """

    workload: Workload
    kind: Literal["Deployment", "StatefulSet"] = "Deployment"
    replicas: Annotated[int, Field(ge=0, le=10_000)]
    reversible: bool = True

    @property
    def subject(self) -> str:
        """The workload in words."""
        return f"{self.kind} {self.workload}"


class Scale(ObjectChange[ScaleArguments]):
    """Sets the number of pods; it does not wait until they are there."""

    name = "kubernetes.scale"
    arguments = ScaleArguments
    decides = frozenset({"previous_replicas"})
    guards_values = False  # an autoscaler changes the number at any time (docs/adr/0004)

    def intent(self, arguments: ScaleArguments) -> str:
        return f"Scale {arguments.subject} to {counted(arguments.replicas, 'pod')}."

    def done(self, arguments: ScaleArguments) -> str:
        return f"{arguments.subject} is scaled to {counted(arguments.replicas, 'pod')}."

    def reversible(self, arguments: ScaleArguments) -> bool:
        return arguments.reversible

    def ref(self, arguments: ScaleArguments) -> ObjectRef:
        namespace, _, name = arguments.workload.partition("/")
        return ObjectRef(kind_of("apps/v1", arguments.kind), namespace, name)

    def patch(self, arguments: ScaleArguments, live: Resource) -> Patch:
        return {"spec": {"replicas": arguments.replicas}}

    def decided(self, arguments: ScaleArguments, live: Resource) -> Mapping[str, str]:
        return {"previous_replicas": str(live.body["spec"].get("replicas", 1))}

    def warnings(self, arguments: ScaleArguments, context: StepContext) -> tuple[str, ...]:
        """What autoscalers will make of the number; they leave a workload of 0 pods alone.

        Source: kubernetes/pkg/controller/podautoscaler/horizontal.go, `reconcileAutoscaler`.
        """
        if arguments.replicas == 0:
            return ()
        namespace, _, name = arguments.workload.partition("/")
        try:
            autoscalers = context.objects.find(AUTOSCALER, namespace, {})
        except PermanentError as error:
            return (f"! whether an autoscaler would undo it is not known: {error}",)
        return tuple(
            _warning(one, arguments.replicas)
            for one in autoscalers
            if _targets(one, arguments.kind, name)
        )


def _targets(autoscaler: Resource, kind: str, name: str) -> bool:
    target = autoscaler.body["spec"]["scaleTargetRef"]
    return (target["kind"], target["name"]) == (kind, name)


def _warning(autoscaler: Resource, replicas: int) -> str:
    spec = autoscaler.body["spec"]
    minimum, maximum = spec.get("minReplicas", 1), spec["maxReplicas"]
    keeps = f"! autoscaler {autoscaler.ref.name} keeps {minimum} to {maximum} pods"
    if minimum <= replicas <= maximum:
        return f"{keeps}: it may change the number again, by the load"
    return f"{keeps}: it will undo this"
