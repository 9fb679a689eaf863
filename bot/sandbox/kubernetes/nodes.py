"""The stand-in's scheduler: it brings pods to nodes that take them, and forgets lost ones."""

from __future__ import annotations

from datetime import datetime

from bot.sandbox.kubernetes.pods import CREATED_AT, is_ready
from bot.sandbox.kubernetes.store import NODES, PODS, Json, ObjectStore, has_labels


def schedule(store: ObjectStore, now: datetime) -> bool:
    """Give each pod without a node the one with the fewest pods, if any takes it.

    Pods whose node is gone are removed, so that their controllers make them anew. Returns
    whether there was anything to do.
    """
    nodes = {node["metadata"]["name"]: node for node in store.find(NODES)}
    unplaced = store.find(PODS, matches=lambda pod: pod["spec"].get("nodeName") not in nodes)
    for pod in unplaced:
        if "nodeName" in pod["spec"]:
            store.remove(PODS, pod)
        elif fitting := [name for name, node in nodes.items() if _takes(node, pod)]:
            _bind(store, pod, min(fitting, key=lambda name: (_load(store, name), name)), now)
    return bool(unplaced)


def _load(store: ObjectStore, node: str) -> int:
    return len(store.find(PODS, matches=lambda pod: pod["spec"].get("nodeName") == node))


def _bind(store: ObjectStore, pod: Json, node: str, now: datetime) -> None:
    """The pod starts now, unless it is from a time when the stand-in had no nodes."""
    pod["spec"]["nodeName"] = node
    if not is_ready(pod):
        pod["metadata"].setdefault("annotations", {})[CREATED_AT] = now.isoformat()
    store.save(PODS, pod)


def _takes(node: Json, pod: Json) -> bool:
    tolerated = {it.get("key") for it in pod["spec"].get("tolerations") or ()}
    taints = node["spec"].get("taints") or ()
    return (
        not node["spec"].get("unschedulable")
        and has_labels(node, pod["spec"].get("nodeSelector") or {})
        and all(taint["key"] in tolerated for taint in taints)
    )
