"""The cluster in rows, one for each Deployment."""

from __future__ import annotations

from bot.sandbox.kubernetes.pods import waiting_reason
from bot.sandbox.kubernetes.progress import is_complete
from bot.sandbox.kubernetes.replica_sets import revision
from bot.sandbox.kubernetes.store import DEPLOYMENTS, PODS, SERVICES, Json, ObjectStore, has_labels


def overview(store: ObjectStore) -> list[Json]:
    """Return the rows by namespace and name.

    Each has `namespace`, `name`, `image`, `ready`, `desired`, `revision`, `rolling` (a
    rollout is under way or stuck), `problem` (why a pod can't start, or empty),
    `selector`, and `services` (the names of those whose traffic it gets).
    """
    return [_row(store, deployment) for deployment in store.find(DEPLOYMENTS)]


def _row(store: ObjectStore, deployment: Json) -> Json:
    spec, status, metadata = deployment["spec"], deployment["status"], deployment["metadata"]
    services = store.find(SERVICES, metadata["namespace"])
    selector = spec["selector"]["matchLabels"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "image": spec["template"]["spec"]["containers"][0]["image"],
        "ready": status["readyReplicas"],
        "desired": spec["replicas"],
        "revision": revision(deployment),
        "rolling": not is_complete(spec["replicas"], status),
        "problem": _problem(store, metadata["namespace"], selector),
        "selector": selector,
        "services": [
            service["metadata"]["name"]
            for service in services
            if _selects(service, spec["template"])
        ],
    }


def _selects(service: Json, template: Json) -> bool:
    selector = service["spec"].get("selector")
    return bool(selector) and has_labels(template, selector)


def _problem(store: ObjectStore, namespace: str, selector: Json) -> str:
    """Return what the first pod that can't start waits for, other than its creation."""
    for pod in store.find(PODS, namespace):
        reason = waiting_reason(pod)
        if has_labels(pod, selector) and reason not in ("", "ContainerCreating"):
            return reason
    return ""
