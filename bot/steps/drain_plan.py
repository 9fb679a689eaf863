"""Which pods a drain moves off a node, and what its plan says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.errors import TemporaryError
from bot.domain.resource import Resource
from bot.ports import Objects, StepContext
from bot.steps.cordon import NODE, is_cordoned
from bot.steps.disruption_budgets import Budget
from bot.steps.pod_bodies import POD, controller_of, empty_dirs, is_finished, is_leaving

_MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a static pod's image in the API server; only the node's kubelet ends it."""


def movable_pods(node: str, labels: Mapping[str, str], objects: Objects) -> Sequence[Resource]:
    """The pods that a drain is about, those that are leaving already included."""
    found = objects.find(POD, "", labels, fields={"spec.nodeName": node})
    return [pod for pod in found if not _stays(pod)]


def _stays(pod: Resource) -> bool:
    """Whether the pod belongs to the node itself, or holds no work any more."""
    owner = controller_of(pod.body) or {}
    mirror = _MIRROR in (pod.body["metadata"].get("annotations") or {})
    return mirror or owner.get("kind") == "DaemonSet" or is_finished(pod.body)


def try_evictions(pods: Sequence[Resource], context: StepContext) -> None:
    """Have the server refuse now what RBAC forbids, which it does by namespace."""
    staying = (pod for pod in pods if not is_leaving(pod.body))
    for pod in {pod.ref.namespace: pod for pod in staying}.values():
        try:
            context.objects.evict(pod.ref, dry_run=True)
        except TemporaryError:
            continue  # a budget's refusal, which the plan says and the drain waits for


def eviction_line(pod: Resource, budgets: Sequence[Budget]) -> str:
    """``- pod payments/checkout-x (budget payments/checkout (1 of 3 …); loses emptyDir cache)``."""
    guards = [f"budget {budget}" for budget in budgets if budget.guards(pod)]
    volumes = empty_dirs(pod.body)
    lost = [f"loses its emptyDir data: {', '.join(volumes)}"] if volumes else []
    notes = "; ".join([*guards, *lost])
    return f"- pod {pod.ref.namespace}/{pod.ref.name}" + (f": {notes}" if notes else "")


def unmanaged(pods: Sequence[Resource]) -> Sequence[str]:
    """What stands against moving pods that no controller would make anew."""
    return [
        f"Pod {pod.ref.namespace}/{pod.ref.name} has no controller that would make it anew; "
        "unmanaged: true evicts it nevertheless."
        for pod in pods
        if controller_of(pod.body) is None
    ]


def guarded_twice(pods: Sequence[Resource], budgets: Sequence[Budget]) -> Sequence[str]:
    """What stands against moving pods with two budgets.

    Kubernetes refuses their eviction for ever (pkg/registry/core/pod/storage/eviction.go).
    """
    guards = {pod.ref: [it.name for it in budgets if it.guards(pod)] for pod in pods}
    return [
        f"Pod {ref.namespace}/{ref.name} has more than one budget ({', '.join(names)}), "
        "and Kubernetes does not evict such pods."
        for ref, names in guards.items()
        if len(names) > 1
    ]


def no_other_node(name: str, context: StepContext) -> Sequence[str]:
    """What stands against draining the only node that takes pods."""
    nodes = context.objects.find(NODE, "", {})
    if any(node.ref.name != name and not is_cordoned(node) for node in nodes):
        return ()
    return (f"No other node than {name} takes new pods, so its pods could not start anew.",)
