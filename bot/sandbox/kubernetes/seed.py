"""The demo workspace: what a new stand-in cluster holds, with a past of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox.kubernetes.admission import admit_new
from bot.sandbox.kubernetes.control_plane import ControlPlane
from bot.sandbox.kubernetes.patches import strategic_merge
from bot.sandbox.kubernetes.store import (
    AUTOSCALERS,
    BUDGETS,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    SERVICES,
    Json,
    Resource,
)

NODE_NAMES = ("node-1", "node-2", "node-3")
REGISTRY = "registry.example"
FIRST_RELEASE = timedelta(days=9)
"""How long ago each Deployment's first revision was released; the next followed daily."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, with the tags it has had so far; the last one is live."""

    namespace: str
    name: str
    image: str
    replicas: int
    labels: Mapping[str, str]
    tags: Sequence[str]


CHECKOUT = {"app": "checkout", "role": "active"}
STANDBY = {"app": "checkout", "role": "standby"}
FRONTEND = {"app": "frontend"}
BROKEN = {"app": "broken"}

WORKLOADS = (
    Workload("payments", "checkout", "checkout", 3, CHECKOUT, ("1.8.0", "1.8.1", "1.9.0")),
    Workload("payments", "checkout-standby", "checkout", 2, STANDBY, ("1.8.1",)),
    Workload("web", "frontend", "frontend", 2, FRONTEND, ("4.2.0", "4.3.0")),
    Workload("web", "broken", "search", 2, BROKEN, ("2.0.0", "crash")),
)


def seed(plane: ControlPlane, now: datetime) -> None:
    """Create the workspace as if its releases had happened on the days before `now`."""
    start = now - FIRST_RELEASE
    seed_nodes(plane, start)
    for namespace in ("payments", "web"):
        plane.create(NAMESPACES, "", {"metadata": {"name": namespace}}, start)
    for resource, namespace, body in _surroundings():
        plane.create(resource, namespace, body, start)
    for workload in WORKLOADS:
        plane.create(DEPLOYMENTS, workload.namespace, _deployment(workload), start)
    for day in range(1, max(len(workload.tags) for workload in WORKLOADS)):
        for workload in WORKLOADS:
            if day < len(workload.tags):
                _release(plane, workload, workload.tags[day], start + timedelta(days=day))
    plane.catch_up(now)


def seed_nodes(plane: ControlPlane, now: datetime) -> None:
    """Create the nodes, all at once, so that pods that wait are spread over them."""
    for name in NODE_NAMES:
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        plane.store.add(NODES, "", admit_new(NODES, {"metadata": metadata}), now)


def _release(plane: ControlPlane, workload: Workload, tag: str, now: datetime) -> None:
    patch = {"spec": {"template": {"spec": {"containers": [_container(workload, tag)]}}}}
    plane.change(
        DEPLOYMENTS,
        workload.namespace,
        workload.name,
        lambda old: strategic_merge(old, patch),
        now,
    )


def _deployment(workload: Workload) -> Json:
    return {
        "metadata": {"name": workload.name, "labels": dict(workload.labels)},
        "spec": {
            "replicas": workload.replicas,
            "selector": {"matchLabels": dict(workload.labels)},
            "template": {
                "metadata": {"labels": dict(workload.labels)},
                "spec": {"containers": [_container(workload, workload.tags[0])]},
            },
        },
    }


def _container(workload: Workload, tag: str) -> Json:
    return {"name": workload.image, "image": f"{REGISTRY}/{workload.image}:{tag}"}


def _surroundings() -> list[tuple[Resource, str, Json]]:
    budget = {"minAvailable": 2, "selector": {"matchLabels": CHECKOUT}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    autoscaler = {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 10}
    return [
        (SERVICES, "payments", _named("checkout", _service(CHECKOUT))),
        (SERVICES, "web", _named("frontend", _service(FRONTEND))),
        (SERVICES, "web", _named("broken", _service(BROKEN))),
        (BUDGETS, "payments", _named("checkout", budget)),
        (AUTOSCALERS, "payments", _named("checkout", autoscaler)),
    ]


def _service(selector: Mapping[str, str]) -> Json:
    return {"type": "ClusterIP", "selector": dict(selector), "ports": [{"port": 80}]}


def _named(name: str, spec: Json) -> Json:
    return {"metadata": {"name": name}, "spec": spec}
