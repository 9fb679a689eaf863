"""`kubernetes.recent_changes`: what was changed in a namespace lately, and by whom.

Most incidents begin with a change. Who wrote what and when is in the objects' own
`metadata.managedFields`; what the cluster's controllers write (status, scaling) is no
change of anybody's. Of Secrets only the names are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import NotFound, PermanentError
from bot.domain.excerpt import counted
from bot.domain.parameter import seconds
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration, Namespace
from bot.steps.base import ReadOnlyStep
from bot.steps.text import sentence

KINDS = {
    "deployment": "Deployment",
    "replicaset": "ReplicaSet",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "configmap": "ConfigMap",
    "secret": "Secret",
    "service": "Service",
}
"""The kinds that are looked at, and their names."""

_CONTROLLERS = ("kube-controller-manager", "kubelet", "kube-scheduler", "kube-apiserver")
_NAMED = 15


class RecentChangesArguments(Arguments):
    """Where, and how far back."""

    namespace: Namespace
    since: Duration = "24h"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """The newest change of an object; `by` is the field manager, such as ``kubectl-edit``."""

    at: datetime
    what: str
    by: str

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}Z {self.what} by {self.by}"


class RecentChanges(ReadOnlyStep[RecentChangesArguments]):
    """Lists the changes, the newest first; kinds that can't be read are named."""

    name = "kubernetes.recent_changes"
    arguments = RecentChangesArguments

    def intent(self, arguments: RecentChangesArguments) -> str:
        return (
            f"List what was changed in namespace {arguments.namespace} "
            f"in the last {arguments.since}."
        )

    def prepare(self, arguments: RecentChangesArguments, context: StepContext) -> StepPlan:
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: RecentChangesArguments, context: StepContext) -> StepOutcome:
        since = context.clock.now() - timedelta(seconds=seconds(arguments.since))
        unread: list[str] = []
        found = [
            change
            for kind in KINDS
            for object_ in _readable(kind, arguments.namespace, context, unread)
            if (change := _newest(object_)) and change.at >= since
        ]
        return StepOutcome(_told(arguments, sorted(found, reverse=True), unread))


def _readable(
    kind: str, namespace: str, context: StepContext, unread: list[str]
) -> Iterator[Resource]:
    try:
        yield from context.objects.find(kind, namespace, {})
    except (PermanentError, NotFound) as error:
        unread.append(str(error))


def _newest(resource: Resource) -> Change | None:
    """The newest change that was not a controller's own work; None if there is none.

    A ReplicaSet is made by a controller, but each one is a new version of the pods.
    """
    metadata = resource.body["metadata"]
    what = f"{KINDS[resource.ref.kind]} {resource.ref.name}"
    created = datetime.fromisoformat(metadata["creationTimestamp"])
    entries = metadata.get("managedFields") or ()
    if resource.ref.kind == "replicaset":
        return Change(created, f"{what} made ({_images(resource.body)})", "its Deployment")
    if not entries:
        return Change(created, f"{what} made", "somebody")
    changes = [_change(entry, what, created) for entry in entries if _is_deliberate(entry)]
    return max(changes, default=None)


def _change(entry: Mapping[str, Any], what: str, created: datetime) -> Change:
    at = datetime.fromisoformat(entry["time"])
    how = "made" if at <= created else "changed"
    return Change(at, f"{what} {how}", sentence(str(entry.get("manager", "somebody"))))


def _is_deliberate(entry: Mapping[str, Any]) -> bool:
    written = (entry.get("fieldsV1") or {}).keys()
    status_only = entry.get("subresource") == "status" or written == {"f:status"}
    return bool(entry.get("time")) and not status_only and entry["manager"] not in _CONTROLLERS


def _images(body: Mapping[str, Any]) -> str:
    containers = body["spec"]["template"]["spec"]["containers"]
    return ", ".join(container["image"] for container in containers)


def _told(arguments: RecentChangesArguments, changes: list[Change], unread: list[str]) -> str:
    where = f"in namespace {arguments.namespace} in the last {arguments.since}"
    lines = [f"{counted(len(changes), 'change')} {where}{':' if changes else '.'}"]
    lines += map(str, changes[:_NAMED])
    if len(changes) > _NAMED:
        lines.append(f"and {len(changes) - _NAMED} more.")
    return "\n".join([*lines, *(f"Not looked at: {problem}" for problem in unread)])
