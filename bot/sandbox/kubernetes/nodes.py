"""The stand-in's scheduler: it brings pods to nodes that take them, and forgets lost ones."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from bot.sandbox.kubernetes.pods import CREATED_AT, is_ready
from bot.sandbox.kubernetes.store import NODES, PODS, Json, ObjectStore, has_labels


def schedule(store: ObjectStore, now: datetime) -> None:
    """Give each pod without a node the one with the fewest pods, if any takes it.

    Pods whose node is gone are removed, so that their controllers make them anew.
    """
    nodes = {node["metadata"]["name"]: node for node in store.find(NODES)}
    used = Counter(pod["spec"].get("nodeName") for pod in store.find(PODS))
    for pod in store.find(PODS):
        place = pod["spec"].get("nodeName")
        if place is None:
            fitting = [name for name, node in nodes.items() if _takes(node, pod)]
            if fitting:
                chosen = min(fitting, key=lambda name: (used[name], name))
                used[chosen] += 1
                _bind(store, pod, chosen, now)
        elif place not in nodes:
            store.remove(PODS, pod)


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
