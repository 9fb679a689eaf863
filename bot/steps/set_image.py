"""`kubernetes.set_image`: bring out another image of a workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import PermanentError
from bot.domain.resource import Resource
from bot.steps.arguments import Arguments, Image, ObjectName, Workload
from bot.steps.object_change import ObjectChange, Patch


class SetImageArguments(Arguments):
    """Which workload, the image, and the container; its only one, if none is named."""

    workload: Workload
    kind: Literal["Deployment", "StatefulSet", "DaemonSet"] = "Deployment"
    image: Image
    container: ObjectName | None = None

    @property
    def subject(self) -> str:
        """The workload in words."""
        return f"{self.kind} {self.workload}"


class SetImage(ObjectChange[SetImageArguments]):
    """Changes one container's image, which begins a rollout; it does not wait for that."""

    name = "kubernetes.set_image"
    arguments = SetImageArguments
    decides = frozenset({"container", "previous_image"})

    def intent(self, arguments: SetImageArguments) -> str:
        return f"Bring out {arguments.image} as {arguments.subject}."

    def done(self, arguments: SetImageArguments) -> str:
        return f"{arguments.subject} is set to {arguments.image}; its rollout begins."

    def ref(self, arguments: SetImageArguments) -> ObjectRef:
        namespace, _, name = arguments.workload.partition("/")
        return ObjectRef(kind_of("apps/v1", arguments.kind), namespace, name)

    def patch(self, arguments: SetImageArguments, live: Resource) -> Patch:
        """The list of containers as a whole, for a merge patch can't reach into a list."""
        if live.body["spec"].get("paused"):
            raise PermanentError(f"{arguments.subject} is paused; resume it first.")
        containers = _containers(live)
        chosen = _chosen(arguments, containers)
        changed = [
            {**one, "image": arguments.image} if one["name"] == chosen["name"] else one
            for one in containers
        ]
        return {"spec": {"template": {"spec": {"containers": changed}}}}

    def decided(self, arguments: SetImageArguments, live: Resource) -> Mapping[str, str]:
        chosen = _chosen(arguments, _containers(live))
        return {"container": chosen["name"], "previous_image": chosen["image"]}


def _containers(live: Resource) -> Sequence[Mapping[str, Any]]:
    containers: Sequence[Mapping[str, Any]] = live.body["spec"]["template"]["spec"]["containers"]
    return containers


def _chosen(
    arguments: SetImageArguments, containers: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    names = ", ".join(one["name"] for one in containers)
    if arguments.container is None:
        if len(containers) > 1:
            raise PermanentError(f"{arguments.subject} has several containers ({names}): name one.")
        return containers[0]
    for one in containers:
        if one["name"] == arguments.container:
            return one
    raise PermanentError(
        f"{arguments.subject} has no container {arguments.container}; it has {names}."
    )
